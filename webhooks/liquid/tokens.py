"""Cuts an expression into tokens, and the streams that parsers read them from.

Words are just words here: whether `limit` or `contains` is a keyword depends on its neighbours, so the parser decides.
"""

import re
from collections.abc import Generator, Iterator
from typing import NoReturn

from liquid.stream import TokenStream
from liquid.token import TOKEN_EOF, TOKEN_EXPRESSION, TOKEN_TAG, Token

from .errors import Refusal
from .limits import LIMITS

WORD, STRING, INTEGER, DECIMAL, ATTRIBUTE = "word", "string", "integer", "decimal", "attribute"
OPEN, CLOSE = "{{", "}}"
END = TOKEN_EOF

_TOKEN = re.compile(
    r"""(?P<space>[ \t\r\n\f\v\xa0]+)
    |(?P<attribute>\$\{)
    |(?P<mark>\{\{|\}\}|\.\.|&&|\|\||==|!=|<>|<=|>=|[=<>|:,.()\[\]])
    |(?P<string>'[^']*'|"[^"]*")
    |(?P<decimal>-?\d+\.\d+)
    |(?P<integer>-?\d+\b(?!-\w))
    |(?P<word>\w[\w\-]*\??)""",
    re.VERBOSE,
)
_INDEXED = re.compile(r"(.*?)\s*(\[\s*(?:-?\d+|'[^']*'|\"[^\"]*\"|\w+)\s*\]\s*)+", re.DOTALL)
LONGEST_NAME = 300
_CURLY_QUOTES = "‘’‚“”„«»"


class Tokens(TokenStream):
    """The library's stream whose expressions are read in this dialect, and whose end has a place in the text."""

    def __init__(self, tokens: Iterator[Token], block_depth_carry: int = 0, *, inside: frozenset[str] = frozenset()):
        super().__init__(tokens, block_depth_carry)
        self.inside = inside
        """Names of the tags around this place that must not nest."""
        self.depth = 0

    def into_inner(self, *, tag: Token | None = None, eat: bool = True) -> "Tokens":
        """The current expression as a stream of its own."""
        if self.current.kind != TOKEN_EXPRESSION:
            name = f"'{tag.value}'" if tag else "this tag"
            raise Refusal(f"{name} needs an expression", tag or self.current)
        token = self.current
        if eat:
            next(self)
        return expression(token)

    def free_text(self, tag: Token) -> Token:
        """The text after a tag's name as one token, empty where there is none. The stream stays at the tag's end."""
        if self.peek.kind != TOKEN_EXPRESSION:
            return Token(TOKEN_EXPRESSION, "", tag.start_index + len(tag.value), tag.source)
        next(self)
        return self.current

    def deeper(self, token: Token) -> None:
        """Enter braces or brackets. Raises Refusal past the limit; leaving is `depth -= 1`."""
        self.depth += 1
        if self.depth > LIMITS.nesting:
            raise Refusal(f"braces and brackets nest too deeply here: at most {LIMITS.nesting} are allowed", token)

    def found(self) -> str:
        """The current token as a message names it."""
        token = self.current
        if token.kind == END:
            return "the end"
        return f"text '{token.value}'" if token.kind == STRING else f"'{token.value}'"

    def at_tag(self, *names: str) -> bool:
        return self.current.kind == TOKEN_TAG and self.current.value in names


def expression(parent: Token) -> Tokens:
    """The tokens of an expression, a closing END among them. Raises Refusal for characters that mean nothing."""
    return Tokens(_tokens(parent))


def _tokens(parent: Token) -> Iterator[Token]:
    text, at = parent.value, 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if not found:
            _refuse(parent, at)
        at = found.end()
        kind = found.lastgroup
        if kind == "space":
            continue
        if kind == "attribute":
            at = yield from _attribute(parent, found.start())
            continue
        value = found.group()
        start = parent.start_index + found.start()
        if kind == "mark":
            yield Token(value, value, start, parent.source)
        else:
            yield Token(str(kind), value[1:-1] if kind == STRING else value, start, parent.source)
    yield Token(END, "", parent.start_index + len(text), parent.source)


def _attribute(parent: Token, start: int) -> Generator[Token, None, int]:
    """Yield the token of `${name}`, and of the index in `${name[0]}`; returns the index after the brace."""
    text, end = parent.value, parent.value.find("}", start)
    token = Token(ATTRIBUTE, "", parent.start_index + start, parent.source)
    if end < 0:
        raise Refusal("'${' is never closed: write '}' after the name", token)
    name = text[start + 2 : end]
    if len(name) > LONGEST_NAME:
        raise Refusal(f"this attribute's name is too long: at most {LONGEST_NAME} characters are allowed", token)
    if "|" in name:
        raise Refusal("a filter belongs after the brace: ${name} | filter", token)
    if not name.strip():
        raise Refusal("there is no attribute name between '${' and '}'", token)
    indexed = _INDEXED.fullmatch(name)
    head = indexed.group(1) if indexed and indexed.group(1).strip() else name
    yield token._replace(value=head.strip())
    if head is not name:
        at = start + 2 + len(head)
        yield from _without_end(Token(TOKEN_EXPRESSION, text[at:end], parent.start_index + at, parent.source))
    return end + 1


def _without_end(parent: Token) -> Iterator[Token]:
    return (token for token in _tokens(parent) if token.kind != END)


def _refuse(parent: Token, at: int) -> NoReturn:
    character = parent.value[at]
    token = Token("illegal", character, parent.start_index + at, parent.source)
    if character in _CURLY_QUOTES:
        raise Refusal("curly quotes cannot be used here: write straight ones, ' or \"", token)
    if character in "'\"":
        raise Refusal(f"this quote {character} is never closed", token)
    if character in "{}":
        raise Refusal(f"a single '{character}' means nothing here: outputs have two, '{{{{' and '}}}}'", token)
    raise Refusal(f"'{character}' means nothing here", token)
