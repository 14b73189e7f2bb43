"""Tags that set variables, count and take turns."""

from collections.abc import Iterable

from liquid.ast import Node
from liquid.builtin.tags.assign_tag import AssignNode
from liquid.builtin.tags.capture_tag import CaptureNode
from liquid.builtin.tags.decrement_tag import DecrementNode
from liquid.builtin.tags.ifchanged_tag import IfChangedNode
from liquid.builtin.tags.increment_tag import IncrementNode
from liquid.expression import Expression
from liquid.tag import Tag
from liquid.token import TOKEN_EXPRESSION, TOKEN_TAG, Token

from webhooks.liquid.context import Context
from webhooks.liquid.errors import Refusal
from webhooks.liquid.grammar import ended, identifier, output, value
from webhooks.liquid.limits import Writer
from webhooks.liquid.tokens import END, Tokens
from webhooks.liquid.values import text

from .blocks import block, closed


class AssignTag(Tag):
    name = "assign"
    block = False

    def parse(self, stream: Tokens) -> Node:
        token = stream.eat(TOKEN_TAG)
        tokens = stream.into_inner(tag=token, eat=False)
        name = identifier(tokens)
        if tokens.current.kind != "=":
            raise Refusal(f"expected '=' after '{name}', found {tokens.found()}", tokens.current)
        next(tokens)
        return AssignNode(token, name=name, expression=output(tokens))


class CaptureTag(Tag):
    name = "capture"
    end = "endcapture"

    def parse(self, stream: Tokens) -> Node:
        token = stream.eat(TOKEN_TAG)
        tokens = stream.into_inner(tag=token)
        name = identifier(tokens)
        ended(tokens)
        inside = block(self, stream, self.end)
        closed(stream, token, self.end)
        return CaptureNode(token, name, inside)


class IncrementTag(Tag):
    name = "increment"
    block = False
    node_class: type[Node] = IncrementNode

    def parse(self, stream: Tokens) -> Node:
        token = stream.eat(TOKEN_TAG)
        tokens = stream.into_inner(tag=token, eat=False)
        name = identifier(tokens)
        ended(tokens)
        return self.node_class(token, name)


class DecrementTag(IncrementTag):
    name = "decrement"
    node_class = DecrementNode


class IfChangedTag(Tag):
    name = "ifchanged"
    end = "endifchanged"

    def parse(self, stream: Tokens) -> Node:
        token = stream.eat(TOKEN_TAG)
        if stream.current.kind == TOKEN_EXPRESSION:
            raise Refusal("'ifchanged' takes nothing after its name", stream.current)
        inside = block(self, stream, self.end)
        closed(stream, token, self.end)
        return IfChangedNode(token, inside)


class CycleNode(Node):
    """Prints its values in turn; tags with the same values, or the same group, take turns together."""

    __slots__ = ("blank", "choices", "group", "key")

    def __init__(self, token: Token, group: Expression | None, choices: list[Expression]) -> None:
        super().__init__(token)
        self.group = group
        self.choices = choices
        self.key = ", ".join(map(str, choices))
        self.blank = False

    def render_to_output(self, context: Context, buffer: Writer) -> int:
        key = (text(self.group.evaluate(context)),) if self.group else self.key
        turn = context.cycle(key, len(self.choices)) % len(self.choices)
        return buffer.write(text(self.choices[turn].evaluate(context)))

    def expressions(self) -> Iterable[Expression]:
        return [*self.choices, *([self.group] if self.group else [])]


class CycleTag(Tag):
    name = "cycle"
    block = False

    def parse(self, stream: Tokens) -> Node:
        token = stream.eat(TOKEN_TAG)
        tokens = stream.into_inner(tag=token, eat=False)
        group, choices = None, [value(tokens)]
        if tokens.current.kind == ":":
            next(tokens)
            group, choices = choices[0], [value(tokens)]
        while tokens.current.kind == ",":
            next(tokens)
            choices.append(value(tokens))
        if tokens.current.kind != END:
            raise Refusal(f"expected ',' or the end, found {tokens.found()}", tokens.current)
        return CycleNode(token, group, choices)
