"""The free text of tags: words with `{{ }}` and `${}` in them."""

import re
from collections.abc import Iterable, Iterator

from liquid.expression import Expression
from liquid.token import TOKEN_EXPRESSION, Token

from webhooks.liquid.context import NAMESPACES, Context
from webhooks.liquid.dialect import output_end
from webhooks.liquid.errors import Refusal
from webhooks.liquid.grammar import output
from webhooks.liquid.tokens import expression
from webhooks.liquid.values import text

_SPECIAL = re.compile(r"\{\{|(?:(?<!\w)([A-Za-z_]\w*)\.)?\$\{")


class Pieces(Expression):
    """Text with values in it; evaluates to text."""

    __slots__ = ("parts",)

    def __init__(self, token: Token, parts: list[str | Expression]) -> None:
        super().__init__(token)
        self.parts = parts

    def evaluate(self, context: Context) -> str:
        return "".join([part if isinstance(part, str) else text(part.evaluate(context)) for part in self.parts])

    def children(self) -> Iterable[Expression]:
        return [part for part in self.parts if isinstance(part, Expression)]

    @property
    def constant(self) -> str | None:
        """The text, where no value is in it."""
        return None if any(self.children()) else "".join(map(str, self.parts))


def pieces(token: Token) -> Pieces:
    """Reads free text. Raises Refusal for an expression in it that cannot be read."""
    return Pieces(token, list(_parts(token)))


def _parts(token: Token) -> Iterator[str | Expression]:
    source, at, end = token.source, token.start_index, token.start_index + len(token.value)
    while found := _SPECIAL.search(source, at, end):
        start = found.start()
        if found.group() == "{{":
            stop = closed_output(token, start)
            inner = Token(TOKEN_EXPRESSION, source[start + 2 : stop - 2], start + 2, source)
        else:
            start = start if found.group(1) in NAMESPACES else found.end() - 2
            stop = source.find("}", start, end) + 1 or end
            inner = Token(TOKEN_EXPRESSION, source[start:stop], start, source)
        if start > at:
            yield source[at:start]
        yield output(expression(inner))
        at = stop
    if at < end:
        yield source[at:end]


def closed_output(token: Token, start: int) -> int:
    """The index past the `}}` of the output that opens at `start`. Raises Refusal where the tag ends before it."""
    stop = output_end(token.source, start)
    if stop > token.start_index + len(token.value):
        raise Refusal("'{{' is never closed here: write '}}' after the value", token._replace(start_index=start))
    return stop


def words(token: Token) -> list[Token]:
    """The parts of free text between white space; what is in `{{ }}` or `${}` is not cut."""
    source, end = token.source, token.start_index + len(token.value)
    found, at = [], token.start_index
    while at < end:
        if source[at].isspace():
            at += 1
            continue
        stop = word_end(token, at)
        found.append(token._replace(value=source[at:stop], start_index=at))
        at = stop
    return found


def word_end(token: Token, at: int) -> int:
    """Where the word that starts at `at` ends."""
    source, end = token.source, token.start_index + len(token.value)
    while at < end and not source[at].isspace():
        if source.startswith("{{", at):
            at = closed_output(token, at)
        elif source.startswith("${", at):
            at = source.find("}", at, end) + 1 or end
        else:
            at += 1
    return at
