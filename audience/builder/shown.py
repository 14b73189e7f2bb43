"""What the builder's templates show of each node: its inputs, their choices, and what is wrong with them."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from audience.builder.nodes import Group, Node, Place, TreePath, tree_paths
from audience.filters.base import GROUPS, Filter, registry
from audience.filters.errors import Problem
from audience.filters.fields import Field
from audience.filters.tree import MAX_DEPTH

MANY = 8  # choices; fewer are shown as boxes to tick


@dataclass(frozen=True)
class Input:
    """One input. `kind` is the field's widget; `reshapes` says that other inputs depend on it."""

    name: str
    kind: str
    label: Any
    value: str = ""
    choices: Sequence[tuple[str, Any, bool]] = ()  # value, label, chosen
    suggestions: str = ""
    is_optional: bool = False
    reshapes: bool = False
    rows: "Sequence[Row]" = ()
    place: str = ""

    @property
    def is_boxes(self) -> bool:
        return len(self.choices) < MANY

    @property
    def lines(self) -> int:
        return min(max(self.value.count("\n") + 2, 2), 8)


@dataclass(frozen=True)
class Row:
    """One of a filter's conditions."""

    place: str
    inputs: Sequence[Input]


@dataclass(frozen=True)
class Shown:
    """A node. `members` are a group's, `inputs` a filter's; `kept` is the JSON of a filter we lack."""

    place: str
    prefix: str
    node: Node
    problems: Sequence[str] = ()
    members: "Sequence[Shown]" = ()
    inputs: Sequence[Input] = ()
    kept: str = ""
    can_nest: bool = False
    known: Filter | None = None
    is_group: bool = field(default=False)
    is_root: bool = field(default=False)


def show(root: Group, name: str, problems: Iterable[Problem] = ()) -> Shown:
    """The root as the templates need it."""
    return _show(root, (), name, _by_place(root, problems))


def _by_place(root: Group, problems: Iterable[Problem]) -> dict[Place, list[str]]:
    """Each problem beside the innermost node that has it."""
    paths = sorted(tree_paths(root).items(), key=lambda pair: (-len(pair[1]), -len(pair[0])))
    found: dict[Place, list[str]] = {}
    for problem in problems:
        place = next((place for place, path in paths if _is_inside(problem.path, path)), ())
        found.setdefault(place, []).append(problem.sentence)
    return found


def _is_inside(path: TreePath, outer: TreePath) -> bool:
    return path[: len(outer)] == outer


def _show(node: Node, place: Place, name: str, problems: Mapping[Place, list[str]]) -> Shown:
    text = ".".join(map(str, place))
    prefix = f"{name}[{text}]"
    wrong = problems.get(place, ())
    if isinstance(node, Group):
        members = [_show(member, (*place, n), name, problems) for n, member in enumerate(node.members)]
        can_nest = len(place) < MAX_DEPTH - 1
        return Shown(text, prefix, node, wrong, members, can_nest=can_nest, is_group=True, is_root=not place)
    known = registry.get(str(node.leaf.get("filter")))
    if known is None:
        return Shown(text, prefix, node, wrong, kept=json.dumps(node.leaf))
    return Shown(text, prefix, node, wrong, inputs=[*inputs(known, node.leaf, prefix, text)], known=known)


def inputs(known: Filter, leaf: Mapping[str, Any], prefix: str, place: str = "") -> Iterator[Input]:
    """The inputs of a filter, or of one of its conditions, as the leaf stands."""
    subjects = {each.key for each in known.subject_fields(leaf)}
    for each in known.fields(leaf):
        if each.widget == "conditions":
            yield _conditions(each, leaf.get(each.key), prefix, place)
        elif not (each.key == "op" and len(known.ops(leaf)) == 0):
            yield _input(each, leaf.get(each.key), prefix, reshapes=each.key == "op" or each.key in subjects)


def _input(each: Field, value: Any, prefix: str, *, reshapes: bool) -> Input:
    is_closed = each.widget in ("choice", "options")
    return Input(
        f"{prefix}{each.key}",
        each.widget,
        each.label,
        each.show(value),
        [*_choices(each, value)] if is_closed else (),
        getattr(each, "suggestions", ""),
        each.is_optional,
        reshapes and (is_closed or bool(getattr(each, "suggestions", ""))),
    )


def _choices(each: Any, value: Any) -> Iterator[tuple[str, Any, bool]]:
    """The choices, then whatever was chosen and is none of them any more."""
    chosen = value if isinstance(value, list) else [value]
    known = list(each.choices())
    for key, label in known:
        yield str(key), label, key in chosen
    for key in chosen:
        if key not in (None, "") and all(key != other for other, _label in known):
            yield str(key), key, True


def _conditions(each: Any, value: Any, prefix: str, place: str) -> Input:
    rows = [
        Row(f"{place}.{number}", [*inputs(each.row, row, f"{prefix}{each.key}.{number}.")])
        for number, row in enumerate(value if isinstance(value, list) else ())
        if isinstance(row, dict)
    ]
    return Input(f"{prefix}{each.key}", "conditions", each.label, rows=rows, place=place)


def offered() -> list[tuple[Any, list[tuple[str, Any]]]]:
    """All filters by group, as the builder offers them."""
    found = {str(group): (group, []) for group in GROUPS}  # type: ignore[var-annotated]
    for name, each in registry.items():
        found.setdefault(str(each.group), (each.group, []))[1].append((name, each.label))
    return [entry for entry in found.values() if entry[1]]
