"""Renders the fields of a webhook: what becomes of the text that each template gives.

URL: cleaned and percent-encoded. Header: trimmed, one line. JSON pairs: typed values in the author's order. A raw body
is the text itself, so it needs no function.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote

from .context import RenderData, Scope
from .errors import RenderProblem
from .template import Template
from .values import parse_json

Kind = Literal["text", "number", "boolean", "null", "json"]

_BREAKS = re.compile(r"[\r\n\t]")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_AUTHORITY = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*://[^/?#]*")
_STRAY_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_KEPT_IN_URL = "-._~:/?#[]@!$&'()*+,;=%"
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?")
_BOOLEANS = {"true": True, "false": False}


@dataclass(frozen=True, slots=True)
class Pair:
    """A row of a JSON body. `omits_blank`: the row is left out where its value renders to nothing but white space."""

    key: Template
    value: Template
    kind: Kind = "text"
    omits_blank: bool = False


def render_url(template: Template, data: RenderData) -> str:
    """The URL, without white space around it or line breaks in it; raises what rendering raises.

    What is illegal in a URL is percent-encoded, reserved characters and existing escapes stay. The host stays as it is:
    an international one is the transport's to convert.
    """
    url = _BREAKS.sub("", template.render(data).strip())
    found = _AUTHORITY.match(url)
    at = found.end() if found else 0
    return url[:at] + quote(_STRAY_PERCENT.sub("%25", url[at:]), safe=_KEPT_IN_URL)


def render_header(name: str, template: Template, data: RenderData) -> str:
    """The trimmed value. Raises RenderProblem where a line break or another control character is left in it."""
    value = template.render(data).strip()
    if _CONTROL.search(value):
        raise RenderProblem(f"the header '{name}' would contain a line break or another control character")
    return value


def render_pairs(pairs: Iterable[Pair], data: RenderData) -> dict[str, object]:
    """The JSON object that the rows make. Raises RenderProblem, with the key, for a value that is not of its kind.

    The rows share one scope, in order.
    """
    scope, body = Scope(), dict[str, object]()
    for pair in pairs:
        scope.is_serialised = True
        key = pair.key.render(data, scope=scope)
        scope.is_serialised = pair.kind == "text"
        text = pair.value.render(data, scope=scope)
        if pair.omits_blank and not text.strip():
            continue
        if key in body:
            raise RenderProblem(f"the key '{key}' would be in the body twice")
        body[key] = text if pair.kind == "text" else _typed(key, text.strip(), pair.kind)
    return body


def _typed(key: str, text: str, kind: Kind) -> object:
    """The value of this kind that a text stands for; blank is null."""
    if not text:
        return None
    try:
        return typed(text, kind)
    except ValueError as error:
        raise RenderProblem(f"the value of '{key}' is not a {kind} value: '{text[:40]}'") from error


def typed(text: str, kind: Kind) -> object:
    """The value of this kind that a text stands for. Raises ValueError where it stands for none."""
    if kind == "number":
        if not _NUMBER.fullmatch(text):
            raise ValueError("not a number")
        return int(text) if text.lstrip("+-").isdigit() else float(text)
    if kind == "boolean":
        if text.lower() not in _BOOLEANS:
            raise ValueError("neither true nor false")
        return _BOOLEANS[text.lower()]
    if kind == "null":
        if text != "null":
            raise ValueError("not null")
        return None
    return parse_json(text) if kind == "json" else text
