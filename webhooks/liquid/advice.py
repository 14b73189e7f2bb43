"""What is allowed in a template but probably not meant, with its place. Which of it is said, and how, others decide."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum, auto

from liquid.ast import Node
from liquid.builtin.tags.assign_tag import AssignNode
from liquid.expression import Expression
from liquid.token import TOKEN_CONTENT, Token

from .analysis import walk
from .compare import Comparison, Truth
from .context import NAMESPACES, NEVER_SET, OTHER_CHANNELS, STANDARD_ATTRIBUTES
from .dialect import scan
from .errors import position
from .expressions import Attribute, Filtered, Path, Variable
from .nodes import OutputNode
from .samples import written
from .tags.connected_content import ConnectedContentNode
from .tags.messages import AbortNode
from .template import Template

PERSONAL = frozenset({"", "custom_attribute"})
ESCAPES = frozenset(
    "url_param_escape url_encode md5 sha1 sha2 sha256 sha512 hmac_sha1 hmac_sha1_hex hmac_sha256 hmac_sha256_hex "
    "hmac_sha512 size".split()
)
_BARE = re.compile(r"(?:\w+\.)?\$\{[^{}\n]{1,100}\}")
_ALMOST = re.compile(r"\{\(|(?<!\{)\{ \{")
_HTML_COMMENT = re.compile(r"<!--(?:(?!-->).)*?(?:\{\{|\{%)", re.DOTALL)
_RAW = re.compile(r"\{%-?\s*raw\s*-?%\}\s*\Z")


class Kind(Enum):
    """What was found."""

    NO_DEFAULT = auto()  # a personal value in a URL that may be missing
    NOT_ESCAPED = auto()  # a personal value in the URL of Connected Content that may hold anything
    SHADOWS = auto()  # a variable named like an attribute or a namespace
    BARE_ATTRIBUTE = auto()  # `${name}` as plain text
    ALMOST_LIQUID = auto()  # braces that are no delimiters
    LIQUID_IN_REASON = auto()
    LIQUID_IN_COMMENT = auto()  # <!-- {{x}} --> runs
    ALWAYS_BLANK = auto()  # other channels' names
    ESCAPED_TWICE = auto()  # `json_escape` where the serialiser escapes


@dataclass(frozen=True, slots=True)
class Advice:
    """One finding. `name` is what it is about, as the author wrote it. Line and column count from 1."""

    kind: Kind
    name: str
    line: int
    column: int


def advice(template: Template, *, is_url: bool = False, is_pair: bool = False) -> list[Advice]:
    """The findings, in the author's order. `is_url` and `is_pair` say what the text is for."""
    parts = list(walk(template.bound.nodes))
    found = [*_of_tags(parts), *_of_names(template), *_of_text(template.source), *_unescaped(parts)]
    if is_url:
        found += _without_default(parts)
    if is_pair and "json_escape" in template.uses.filters:
        found.append((Kind.ESCAPED_TWICE, "json_escape", template.source.find("json_escape")))
    placed = {Advice(kind, name, *position(template.source, index)) for kind, name, index in found}
    return sorted(placed, key=lambda said: (said.line, said.column, said.kind.value))


Found = tuple[Kind, str, int]


def _of_tags(parts: Iterable[Node | Expression]) -> Iterator[Found]:
    for part in parts:
        if isinstance(part, AbortNode) and ("{{" in part.reason or "{%" in part.reason):
            yield Kind.LIQUID_IN_REASON, part.reason, part.token.start_index


def _of_names(template: Template) -> Iterator[Found]:
    for name, token in template.uses.assigned:
        if name in STANDARD_ATTRIBUTES or name in NAMESPACES:
            yield Kind.SHADOWS, name, token.start_index
    for used in template.uses.attributes:
        if used.namespace in OTHER_CHANNELS or (not used.namespace and used.name in NEVER_SET):
            yield Kind.ALWAYS_BLANK, written((used.namespace, used.name)), used.token.start_index


def _of_text(source: str) -> Iterator[Found]:
    for token in scan(source):
        if token.kind == TOKEN_CONTENT and not _RAW.search(source, 0, token.start_index):
            yield from _of_words(token)
    for found in _HTML_COMMENT.finditer(source):
        yield Kind.LIQUID_IN_COMMENT, found.group()[:4], found.start()


def _of_words(token: Token) -> Iterator[Found]:
    for found in _BARE.finditer(token.value):
        yield Kind.BARE_ATTRIBUTE, found.group(), token.start_index + found.start()
    for found in _ALMOST.finditer(token.value):
        yield Kind.ALMOST_LIQUID, found.group(), token.start_index + found.start()


def _without_default(parts: list[Node | Expression]) -> Iterator[Found]:
    """Personal values printed without `default`, also through a variable. One that a condition asks about is not."""
    asked = {str(path) for part in parts if isinstance(part, Truth | Comparison) for path in _paths(part)}
    missing = {}
    for part in parts:
        if isinstance(part, AssignNode) and (name := _may_lack(part.expression, {}, asked)):
            missing[str(part.name)] = name
    for part in parts:
        if isinstance(part, OutputNode) and (name := _may_lack(part.expression, missing, asked)):
            yield Kind.NO_DEFAULT, name, part.expression.token.start_index


def _may_lack(expression: Expression, variables: dict[str, str], asked: set[str]) -> str | None:
    """The personal name that decides whether this is blank, or None."""
    if isinstance(expression, Filtered):
        has_default = any(call.name == "default" for call in expression.calls)
        return None if has_default else _may_lack(expression.left, variables, asked)
    if isinstance(expression, Path) and str(expression) in asked:
        return None
    if isinstance(expression, Attribute) and expression.namespace in PERSONAL:
        return str(expression)
    return variables.get(expression.name) if isinstance(expression, Variable) else None


def _paths(part: Expression) -> Iterator[Path]:
    for child in part.children():
        if isinstance(child, Path):
            yield child
        else:
            yield from _paths(child)


def _unescaped(parts: Iterable[Node | Expression]) -> Iterator[Found]:
    for part in parts:
        for value in part.options.url.children() if isinstance(part, ConnectedContentNode) else ():
            inner = value.left if isinstance(value, Filtered) else value
            calls = value.calls if isinstance(value, Filtered) else []
            is_safe = any(call.name in ESCAPES for call in calls)
            if isinstance(inner, Attribute) and inner.namespace in PERSONAL and not is_safe:
                yield Kind.NOT_ESCAPED, str(inner), inner.token.start_index
