"""What the tags that hold other things have in common."""

from liquid.ast import BlockNode
from liquid.parser import get_parser
from liquid.tag import Tag
from liquid.token import TOKEN_EXPRESSION, Token

from webhooks.liquid.errors import Refusal
from webhooks.liquid.nodes import Block
from webhooks.liquid.tokens import Tokens


def block(tag: Tag, stream: Tokens, *ends: str) -> Block:
    """Everything up to one of these tags, or to the end of the template."""
    read = get_parser(tag.env).parse_block(stream, frozenset(ends))
    return Block(read.token, read.nodes)


def closed(stream: Tokens, start: Token, end: str) -> None:
    """Raises Refusal, at the tag that opened the block, unless the stream stands at its end."""
    if not stream.at_tag(end):
        raise Refusal(f"'{start.value}' is never closed: write {{% {end} %}} where it ends", start)


def otherwise(tag: Tag, stream: Tokens, *ends: str) -> BlockNode | None:
    """The block after `else`, where there is one. Raises Refusal for a condition on it, and for a branch after it."""
    if not stream.at_tag("else"):
        return None
    token = next(stream)
    if stream.current.kind == TOKEN_EXPRESSION:
        raise Refusal("'else' takes no condition: write 'elsif'", token)
    inside = block(tag, stream, "else", *ends)
    if stream.at_tag("else", "elsif", "when"):
        raise Refusal(f"'{stream.current.value}' cannot come after 'else': put it before", stream.current)
    return inside
