"""Tags that choose and repeat. Reading is ours, because ours is strict; some nodes are the library's."""

from liquid.ast import BlockNode, ConditionalBlockNode, Node
from liquid.builtin.tags.case_tag import CaseNode, MultiExpressionBlockNode
from liquid.builtin.tags.tablerow_tag import TablerowNode
from liquid.expression import Expression
from liquid.tag import Tag
from liquid.token import TOKEN_EOF, TOKEN_TAG, Token

from webhooks.liquid.compare import AnyOf
from webhooks.liquid.errors import Refusal
from webhooks.liquid.grammar import condition, ended, loop, value
from webhooks.liquid.nodes import Condition, Repeated
from webhooks.liquid.tokens import WORD, Tokens

from .blocks import block, closed, otherwise


class IfTag(Tag):
    name = "if"
    end = "endif"
    is_unless = False

    def parse(self, stream: Tokens) -> Node:
        token = stream.eat(TOKEN_TAG)
        test = condition(stream.into_inner(tag=token))
        consequence = block(self, stream, self.end, "elsif", "else")
        alternatives = []
        while stream.at_tag("elsif"):
            alternatives.append(self._alternative(stream))
        default = otherwise(self, stream, self.end, "elsif")
        closed(stream, token, self.end)
        return Condition(token, test, consequence, alternatives, default, is_unless=self.is_unless)

    def _alternative(self, stream: Tokens) -> ConditionalBlockNode:
        token = next(stream)
        test = condition(stream.into_inner(tag=token))
        return ConditionalBlockNode(token, test, block(self, stream, self.end, "elsif", "else"))


class UnlessTag(IfTag):
    name = "unless"
    end = "endunless"
    is_unless = True


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
