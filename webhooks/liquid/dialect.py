"""Where text ends and Liquid begins: cuts a template into the library's top-level tokens.

An output ends at the first `}}` outside quotes, `${}` and nested `{{ }}`; a tag at the first `%}` anywhere.
Raw blocks come out as text, comments and docs not at all. Every token keeps its true place in the author's text.
"""

import re
from collections.abc import Generator, Iterator

from liquid.token import TOKEN_CONTENT, TOKEN_EXPRESSION, TOKEN_OUTPUT, TOKEN_TAG, Token

from .errors import Refusal

_OPENING = re.compile(r"\{\{|\{%")
_TAG = re.compile(r"\{%(-?)\s*(#|\w*)")
_SPECIAL = re.compile(r"""['"]|\$\{|\{\{|\}\}""")
_UNQUOTED = re.compile(r"\$\{|\{\{|\}\}")
_SILENT = {
    "comment": re.compile(r"\{%-?\s*(end)?comment\b.*?(-?)%\}", re.DOTALL),
    "doc": re.compile(r"\{%-?\s*(end)doc\s*(-?)%\}"),
}
SILENT = ("raw", *_SILENT)
_TAKES_NOTHING = re.compile("end.*|break|continue")  # the original ignores what follows these names
_ENDRAW = re.compile(r"\{%(-?)\s*endraw\s*(-?)%\}")


def has_liquid(source: str) -> bool:
    return "{{" in source or "{%" in source


def scan(source: str) -> Iterator[Token]:
    """Yield content, tag, output and expression tokens. Raises Refusal for whatever is opened and never closed."""
    at, trims = 0, False
    while opening := _OPENING.search(source, at):
        start = opening.start()
        yield from _text(source, at, start, trims, source.startswith("-", start + 2))
        if opening.group() == "{{":
            end = output_end(source, start)
            yield Token(TOKEN_OUTPUT, source[start:end], start, source)
            yield _inner(source, start + 2 + source.startswith("-", start + 2), end - 2)
            at, trims = end, source[end - 3] == "-"
        else:
            at, trims = yield from _tag(source, start)
    yield from _text(source, at, len(source), trims, False)


def _text(source: str, start: int, end: int, trims_left: bool, trims_right: bool) -> Iterator[Token]:
    value = source[start:end]
    if trims_left:
        value = value.lstrip()
    if trims_right:
        value = value.rstrip()
    if value:
        yield Token(TOKEN_CONTENT, value, start, source)


def _inner(source: str, start: int, end: int) -> Token:
    """The expression between two delimiters, without its white space and the closing trim mark."""
    if end > start and source[end - 1] == "-":
        end -= 1
    value = source[start:end]
    return Token(TOKEN_EXPRESSION, value.strip(), start + len(value) - len(value.lstrip()), source)


def _tag(source: str, start: int) -> Generator[Token, None, tuple[int, bool]]:
    """Yield a tag's tokens; returns where it ends and whether the text after it loses its leading white space."""
    end = source.find("%}", start + 2)
    head = _TAG.match(source, start)
    assert head
    name = head.group(2)
    token = Token(TOKEN_TAG, name, head.start(2), source)
    if end < 0:
        raise Refusal("this tag is never closed: write '%}' at its end", token._replace(start_index=start))
    trims = source[end - 1] == "-" and end - 1 > start + 1
    if name == "raw":
        return (yield from _raw(source, end + 2, trims, token))
    if name in _SILENT:
        return _skip(source, name, end + 2, token)
    if name == "#":
        return end + 2, trims
    yield token
    inner = _inner(source, head.end(), end)
    if inner.value and not _TAKES_NOTHING.fullmatch(name):
        yield inner
    return end + 2, trims


def _raw(source: str, start: int, trims: bool, token: Token) -> Generator[Token, None, tuple[int, bool]]:
    closing = _ENDRAW.search(source, start)
    if not closing:
        raise Refusal("'raw' is never closed: write {% endraw %} where it ends", token)
    yield from _text(source, start, closing.start(), trims, bool(closing.group(1)))
    return closing.end(), bool(closing.group(2))


def _skip(source: str, name: str, start: int, token: Token) -> tuple[int, bool]:
    depth = 1
    for found in _SILENT[name].finditer(source, start):
        depth += -1 if found.group(1) else 1
        if not depth:
            return found.end(), bool(found.group(2))
    raise Refusal(f"'{name}' is never closed: write {{% end{name} %}} where it ends", token)


def output_end(source: str, start: int) -> int:
    """The index just past the `}}` that closes the output opened at `start`. Raises Refusal where nothing does.

    A lone apostrophe would hide every end after it; then quotes are taken as plain text, and the reader of the
    expression says what is wrong with them.
    """
    end = _closing(source, start + 2, _SPECIAL)
    if end < 0:
        end = _closing(source, start + 2, _UNQUOTED)
    if end < 0:
        raise Refusal(
            "this output is never closed: write '}}' at its end", Token(TOKEN_OUTPUT, source[start:], start, source)
        )
    return end


def _closing(source: str, at: int, special: re.Pattern[str]) -> int:
    depth = 1
    while found := special.search(source, at):
        mark, at = found.group(), found.end()
        if mark == "{{":
            depth += 1
        elif mark == "}}":
            depth -= 1
            if not depth:
                return at
        else:
            at = source.find("}" if mark == "${" else mark, at) + 1
            if not at:
                return -1
    return -1
