"""What prints: outputs and `echo`; the `liquid` tag; and what is refused."""

import re
from collections.abc import Iterator

from liquid.ast import Node
from liquid.builtin.tags.liquid_tag import LiquidNode
from liquid.parser import get_parser
from liquid.tag import Tag
from liquid.token import TOKEN_EXPRESSION, TOKEN_ILLEGAL, TOKEN_OUTPUT, TOKEN_TAG, Token

from webhooks.liquid import dialect, suggest
from webhooks.liquid.errors import Refusal
from webhooks.liquid.grammar import output
from webhooks.liquid.nodes import OutputNode
from webhooks.liquid.tokens import Tokens, expression

INSTEAD = {
    "include": "use {{content_blocks.${name}}}",
    "elseif": "write 'elsif'",
    "elif": "write 'elsif'",
    "shopping_cart": "shopping carts are not available here",
}
_BRANCHES = {"else": "'if', 'unless', 'case' or 'for'", "elsif": "'if' or 'unless'", "when": "'case'"}
_LINE = re.compile(r"[ \t]*(#|\w+)[ \t]*(.*?)[ \t\r]*")


class OutputTag(Tag):
    name = TOKEN_OUTPUT
    block = False

    def parse(self, stream: Tokens) -> Node:
        token = stream.eat(TOKEN_OUTPUT)
        return OutputNode(token, output(expression(stream.expect(TOKEN_EXPRESSION))))


class EchoTag(Tag):
    name = "echo"
    block = False

    def parse(self, stream: Tokens) -> Node:
        token = stream.eat(TOKEN_TAG)
        return OutputNode(token, output(stream.into_inner(tag=token, eat=False)))


class LiquidTag(Tag):
    """One tag a line, without delimiters."""

    name = "liquid"
    block = False

    def parse(self, stream: Tokens) -> Node:
        token = stream.current
        lines = stream.free_text(token)
        inner = Tokens(_lines(lines), stream.block_depth, inside=stream.inside)
        return LiquidNode(token, lines, get_parser(self.env).parse_block(inner, ()))


def _lines(parent: Token) -> Iterator[Token]:
    """The tokens of the lines; comments are left out, and what is in them need not be Liquid."""
    at, comments = parent.start_index, 0
    for line in parent.value.split("\n"):
        found = _LINE.fullmatch(line)
        name = found.group(1) if found else ""
        if name == "comment" or (name == "endcomment" and comments):
            comments += 1 if name == "comment" else -1
        elif not comments and name != "#" and line.strip():
            yield from _line(found, Token(TOKEN_TAG, name, at, parent.source))
        at += len(line) + 1
    if comments:
        raise Refusal("'comment' is never closed: write endcomment where it ends", parent)


def _line(found: re.Match[str] | None, start: Token) -> Iterator[Token]:
    if not found:
        raise Refusal("each line here starts with a tag's name", start)
    yield start._replace(start_index=start.start_index + found.start(1))
    if found.group(2):
        yield start._replace(
            kind=TOKEN_EXPRESSION, value=found.group(2), start_index=start.start_index + found.start(2)
        )


class IllegalTag(Tag):
    """Whatever is no tag of the dialect, or stands where it cannot."""

    name = TOKEN_ILLEGAL
    block = False

    def parse(self, stream: Tokens) -> Node:
        token = stream.current
        raise Refusal(self._sentence(token.value), token)

    def _sentence(self, name: str) -> str:
        if not name:
            return "this tag has no name"
        if name in _BRANCHES:
            return f"'{name}' belongs inside {_BRANCHES[name]}"
        if name.startswith("end") and (name[3:] in self.env.tags or name[3:] in dialect.SILENT):
            return f"'{name}' closes nothing here: no '{name[3:]}' is open"
        if name in INSTEAD:
            return f"there is no tag '{name}': {INSTEAD[name]}"
        known = [known for known in self.env.tags if known.isidentifier()]
        return f"there is no tag '{name}'{suggest.instead(name, known)}"
