"""Made-up data for a template: a value for every name it reads, so that it can be tried without a profile.

The shape follows the use: a name with a path gets an object or a list, what a loop goes over gets a list of one.
"""

from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from liquid.ast import Node
from liquid.builtin.tags.assign_tag import AssignNode
from liquid.expression import Expression
from liquid.token import TOKEN_OUTPUT, Token

from .analysis import walk
from .compare import AnyOf, Comparison
from .context import STANDARD_ATTRIBUTES, RenderData
from .expressions import Attribute, Constant, Filtered, Loop, Namespace, Path, Variable
from .nodes import OutputNode
from .services import Services
from .template import Template

LONGEST_LIST = 100
USUAL = 7  # a number is fit for a JSON string, for a bare JSON value and for arithmetic
Place = tuple[str | int, ...]
"""Where a value is: namespace, name, and the way down from there."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Places that a template reads, the constants that it compares them with, and the outputs that print them."""

    places: tuple[Place, ...]
    compared: Mapping[Place, object] = field(default_factory=dict)
    outputs: Mapping[Place, tuple[Token, ...]] = field(default_factory=dict)

    def data(self, changes: Mapping[Place, object], *, now: datetime, services: Services | None = None) -> RenderData:
        """A message whose every value is the usual one, but for the changes."""
        tree: dict[str, Any] = {}
        for place in self.places:
            _put(tree, place, changes.get(place, USUAL))
        standard = {STANDARD_ATTRIBUTES.get(name, name): value for name, value in tree.pop("", {}).items()}
        subscribed = tree.pop("subscribed_state", {})
        wholes = {name: tree.get(name, {}) for name in WHOLES}
        states = {name: str(value) for name, value in subscribed.items()}
        return RenderData(
            {**standard, "custom_attributes": tree.get("custom_attribute", {})},
            now=now,
            services=replace(services or Services(), subscription=states.get),
            **wholes,
        )


WHOLES = ("event_properties", "api_trigger_properties", "canvas_entry_properties", "context", "campaign", "canvas")


def written(place: Place) -> str:
    """The place as an author writes it: `custom_attribute.${cars}[0].make`."""
    namespace, name, *path = place
    head = f"{namespace}.${{{name}}}" if namespace else f"${{{name}}}"
    return head + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)


def sample(template: Template) -> Sample:
    """What this template reads."""
    parts = list(walk(template.bound.nodes))
    sources = dict(_sources(parts))
    places = {place for part in parts if isinstance(part, Path) and (place := _place(part, sources))}
    compared = {place: constant for part in parts for place, constant in _compared(part, sources) if place in places}
    leaves = {place for place in places if not any(_is_above(place, other) for other in places)}
    return Sample(
        tuple(sorted(leaves, key=str)),
        {place: constant for place, constant in compared.items() if place in leaves},
        {place: tuple(_printing(parts, place, sources)) for place in leaves},
    )


def _printing(parts: Iterable[Node | Expression], place: Place, sources: Any) -> Iterator[Token]:
    for part in parts:
        if isinstance(part, OutputNode) and part.token.kind == TOKEN_OUTPUT:
            inside = [inner for inner in walk([part]) if isinstance(inner, Path)]
            if any(_place(path, sources) == place for path in inside):
                yield part.token


def _is_above(place: Place, other: Place) -> bool:
    return len(place) < len(other) and other[: len(place)] == place


def _sources(parts: Iterable[Node | Expression]) -> Iterator[tuple[str, tuple[Path, Place]]]:
    """Variable -> what it stands for, and the way into it: loops take the first item, `assign` the whole."""
    for part in parts:
        if isinstance(part, Loop) and isinstance(inner := _first(part.iterable), Path):
            yield str(part.identifier), (inner, (0,))
        elif isinstance(part, AssignNode) and isinstance(inner := _first(part.expression), Path):
            yield str(part.name), (inner, ())


def _first(expression: Expression) -> Expression:
    return _first(expression.left) if isinstance(expression, Filtered) else expression


def _place(part: Path, sources: Mapping[str, tuple[Path, Place]], depth: int = 0) -> Place | None:
    """Where the value of a path is in the message's data; None where it is not from there."""
    path = tuple(segment for segment in _down(part))
    if isinstance(part, Attribute):
        return (part.namespace, part.name, *path)
    if isinstance(part, Namespace):
        return (part.name, *path) if path else None
    if not isinstance(part, Variable) or part.name not in sources or depth > 5:
        return None
    origin, into = sources[part.name]
    above = _place(origin, sources, depth + 1)
    return (*above, *into, *path) if above else None


def _down(part: Path) -> Iterator[str | int]:
    """The constant keys of a path; words that lists answer to are no keys."""
    for segment in part.path:
        if isinstance(segment, Expression) or segment == "size":
            return
        yield {"first": 0, "last": 0}.get(segment, segment) if isinstance(segment, str) else max(segment, 0)


def _compared(part: Node | Expression, sources: Any) -> Iterator[tuple[Place, object]]:
    if isinstance(part, Comparison) and isinstance(part.left, Path) and isinstance(part.right, Constant):
        pairs = [(part.left, part.right)]
    elif isinstance(part, AnyOf) and isinstance(part.value, Path):
        pairs = [(part.value, choice) for choice in part.choices[:1] if isinstance(choice, Constant)]
    else:
        return
    for path, constant in pairs:
        if isinstance(constant.value, str | int | float) and (place := _place(path, sources)):
            yield place, constant.value


def _put(tree: dict[str, Any], place: Place, value: object) -> None:
    """Set a value in nested objects and lists, made as needed."""
    at: Any = tree
    for step, below in zip(place, (*place[1:], None), strict=True):
        key = _room(at, step)
        if below is None:
            at[key] = deepcopy(value)
        elif type(at[key]) is not (kind := list if isinstance(below, int) else dict):
            at[key] = kind()
        at = at[key]


def _room(at: Any, step: str | int) -> Any:
    """The key of a step, with something there."""
    if isinstance(at, dict):
        at.setdefault(str(step), USUAL)
        return str(step)
    place = min(int(step), LONGEST_LIST - 1)
    at.extend([USUAL] * (place + 1 - len(at)))
    return place
