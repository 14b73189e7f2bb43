"""Tags that choose and repeat. Nodes are the library's; reading is ours, because ours is strict."""

from liquid.ast import BlockNode, ConditionalBlockNode, Node
from liquid.builtin.tags.case_tag import CaseNode, MultiExpressionBlockNode
from liquid.builtin.tags.for_tag import ForLoop, ForNode
from liquid.builtin.tags.if_tag import IfNode
from liquid.builtin.tags.tablerow_tag import TablerowNode
from liquid.builtin.tags.unless_tag import UnlessNode
from liquid.exceptions import BreakLoop, ContinueLoop
from liquid.expression import Expression
from liquid.tag import Tag
from liquid.token import TOKEN_EOF, TOKEN_TAG, Token

from webhooks.liquid.compare import AnyOf
from webhooks.liquid.context import Context
from webhooks.liquid.errors import Refusal
from webhooks.liquid.expressions import Loop
from webhooks.liquid.grammar import condition, ended, loop, value
from webhooks.liquid.limits import Writer
from webhooks.liquid.tokens import WORD, Tokens

from .blocks import block, closed, otherwise


class IfTag(Tag):
    name = "if"
    end = "endif"
    node_class: type[Node] = IfNode

    def parse(self, stream: Tokens) -> Node:
        token = stream.eat(TOKEN_TAG)
        test = condition(stream.into_inner(tag=token))
        consequence = block(self, stream, self.end, "elsif", "else")
        alternatives = []
        while stream.at_tag("elsif"):
            alternatives.append(self._alternative(stream))
        default = otherwise(self, stream, self.end, "elsif")
        closed(stream, token, self.end)
        return self.node_class(token, test, consequence, alternatives, default)

    def _alternative(self, stream: Tokens) -> ConditionalBlockNode:
        token = next(stream)
        test = condition(stream.into_inner(tag=token))
        return ConditionalBlockNode(token, test, block(self, stream, self.end, "elsif", "else"))


class UnlessTag(IfTag):
    name = "unless"
    end = "endunless"
    node_class = UnlessNode


class CaseTag(Tag):
    name = "case"
    end = "endcase"

    def parse(self, stream: Tokens) -> Node:
        token = stream.eat(TOKEN_TAG)
        tokens = stream.into_inner(tag=token)
        subject = value(tokens)
        ended(tokens, "the end (assign the result of a filter first)")
        while stream.current.kind not in (TOKEN_TAG, TOKEN_EOF):
            next(stream)  # what stands before the first `when` never prints
        branches: list[MultiExpressionBlockNode | BlockNode] = []
        while stream.at_tag("when"):
            branches.append(self._branch(stream, subject))
        default = otherwise(self, stream, self.end, "when")
        if default:
            branches.append(default)
        self._closed(stream, token)
        return CaseNode(token, subject, branches)

    def _closed(self, stream: Tokens, token: Token) -> None:
        if stream.current.kind == TOKEN_TAG and not stream.at_tag(self.end):
            raise Refusal(f"'case' expects 'when', 'else' or 'endcase', not '{stream.current.value}'", stream.current)
        closed(stream, token, self.end)

    def _branch(self, stream: Tokens, subject: Expression) -> MultiExpressionBlockNode:
        token = next(stream)
        tokens = stream.into_inner(tag=token)
        choices = [value(tokens)]
        while tokens.current.kind == "," or (tokens.current.kind == WORD and tokens.current.value == "or"):
            next(tokens)
            choices.append(value(tokens))
        ended(tokens, "',', 'or' or the end")
        inside = block(self, stream, self.end, "when", "else")
        return MultiExpressionBlockNode(token, inside, AnyOf(token, subject, choices))


class Repeated(ForNode):
    """The library's loop with less around each round, which was a tenth of composing a message."""

    __slots__ = ()

    def render_to_output(self, context: Context, buffer: Writer) -> int:
        over: Loop = self.expression
        values, length = over.evaluate(context)
        if not length:
            return self.default.render(context, buffer) if self.default else 0
        forloop = ForLoop(over.label, values, length, context.parentloop())
        names: dict[str, object] = {"forloop": forloop}
        context.loops.append(forloop)
        context.scope.push(names)
        try:
            for value in values:
                forloop.step()
                names[over.identifier] = value
                try:
                    self.block.render(context, buffer)
                except ContinueLoop:
                    continue
                except BreakLoop:
                    break
        finally:
            context.scope.pop()
            context.loops.pop()
        return 0

    render = render_to_output  # no tag is ever disabled here


class ForTag(Tag):
    name = "for"
    end = "endfor"

    def parse(self, stream: Tokens) -> Node:
        token = stream.eat(TOKEN_TAG)
        over = loop(stream.into_inner(tag=token))
        inside = block(self, stream, self.end, "else")
        default = otherwise(self, stream, self.end)
        closed(stream, token, self.end)
        return Repeated(token, over, inside, default)


class TablerowTag(Tag):
    name = "tablerow"
    end = "endtablerow"

    def parse(self, stream: Tokens) -> Node:
        token = stream.eat(TOKEN_TAG)
        over = loop(stream.into_inner(tag=token))
        inside = block(self, stream, self.end)
        closed(stream, token, self.end)
        return TablerowNode(token, over, inside)
