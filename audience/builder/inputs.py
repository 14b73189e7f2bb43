"""Reads the builder's inputs into nodes.

The inputs of a node are named `<name>[<place>]<key>`, for example `filters[0.1]values`; those of a filter's conditions
`filters[0.1]conditions.0.value`.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from audience.builder.nodes import KINDS, Group, LeafNode, Node, Place
from audience.filters.base import Filter, registry
from audience.filters.fields import Field
from audience.filters.tree import MAX_LEAVES

Typed = dict[str, list[str]]
MAX_NESTING = 10
_INPUT = re.compile(r"\[((?:\d{1,4}(?:\.\d{1,4})*)?)\]([a-z_]+(?:\.\d{1,2}\.[a-z_]+)?)", re.ASCII)


def read(data: Mapping[str, Any], name: str) -> Group:
    """What the inputs of the builder called `name` say."""
    nodes = _by_place(data, name)
    root = _node((), nodes)
    return root if isinstance(root, Group) else Group()


def _by_place(data: Mapping[str, Any], name: str) -> dict[Place, Typed]:
    getlist = getattr(data, "getlist", lambda key: [data[key]])
    found: dict[Place, Typed] = {}
    for key in data:
        if key.startswith(name) and (match := _INPUT.fullmatch(key, len(name))):
            place = parse_place(match[1])
            if len(place) <= MAX_NESTING and (place in found or len(found) < 2 * MAX_LEAVES):
                found.setdefault(place, {})[match[2]] = getlist(key)
    return found


def parse_place(text: str) -> Place:
    return tuple(int(part) for part in text.split(".") if part.isdecimal())


def _node(place: Place, nodes: Mapping[Place, Typed]) -> Node:
    typed = nodes.get(place, {})
    is_negated = bool(_first(typed, "negated"))
    if "filter" in typed:
        return LeafNode(read_leaf(typed), is_negated)
    kind = _first(typed, "kind")
    below = sorted(other for other in nodes if len(other) == len(place) + 1 and other[: len(place)] == place)
    members = tuple(_node(other, nodes) for other in below)
    return Group(kind if kind in KINDS else "all", members, is_negated, _first(typed, "name")[:255])


def read_leaf(typed: Typed) -> dict[str, Any]:
    """The filter that was typed. What can't be read stays as it was typed, for the validator to name."""
    name = _first(typed, "filter")
    known = registry.get(name)
    if known is None:
        return _kept(typed, name)
    return read_fields({"filter": name}, known, typed)


def _kept(typed: Typed, name: str) -> dict[str, Any]:
    """A filter that this installation lacks is kept as it came."""
    try:
        kept = json.loads(_first(typed, "kept"))
    except ValueError:
        kept = None
    return {**kept, "filter": name} if isinstance(kept, dict) else {"filter": name}


def read_fields(leaf: dict[str, Any], known: Filter, typed: Typed) -> dict[str, Any]:
    """Fill the leaf from its inputs. Which ones there are depends on what was read before them, so look again."""
    while missing := [field for field in known.fields(leaf) if field.key not in leaf]:
        for field in missing:
            leaf[field.key] = _value(field, typed)
    optional = {field.key for field in known.fields(leaf) if field.is_optional}
    return {key: value for key, value in leaf.items() if key not in optional or value not in ("", [])}


def _value(field: Field, typed: Typed) -> Any:
    if field.widget == "conditions":
        return _conditions(field, typed)
    value = field.read(typed.get(field.key, []))
    if field.widget == "choice" and not field.is_optional:
        known = [key for key, _label in field.choices()]  # type: ignore[attr-defined]
        return value if value in known else (known[0] if known else "")
    return value


def _conditions(field: Any, typed: Typed) -> list[dict[str, Any]]:
    rows: dict[int, Typed] = {}
    for key, values in typed.items():
        head, _dot, rest = key.partition(".")
        if head == field.key and rest:
            number, _dot, inner = rest.partition(".")
            rows.setdefault(int(number), {})[inner] = values
    return [read_fields({}, field.row, rows[number]) for number in sorted(rows)]


def _first(typed: Mapping[str, Sequence[str]], key: str) -> str:
    values = typed.get(key)
    return values[0] if values else ""
