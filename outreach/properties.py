"""Conditions on the properties of one event, or on the values of one journey, judged in memory. Pure.

A condition is a leaf like those of the filter language: `{"name": path, "type": …, "op": …, …}` with the operators of
`audience.filters.kinds`; or it compares with a value from elsewhere: `{"name": path, "op": "same_as", "source":
"context" | "attribute" | "trigger", "other": path}`. Letter case counts, unlike in segments.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, assert_never
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from audience import times
from audience.filters import paths
from audience.filters.conditions import (
    Compare,
    Condition,
    ContainsAny,
    Either,
    ElementMeets,
    Every,
    Filled,
    HasKind,
    HoldsAny,
    IsBoolean,
    Kind,
    Matches,
    Not,
    OnDays,
    OneOf,
    Present,
    Sign,
)
from audience.filters.fields import as_number, text_fault
from audience.filters.kinds import BY_KIND, Op
from audience.filters.scope import Scope
from audience.sqlite import matches, month_day

Leaf = Mapping[str, Any]
Values = Mapping[str, Any]
MISSING = object()
COMPARISONS = {"same_as": True, "differs_from": False}
SOURCES = ("context", "attribute", "trigger")


def all_hold(leaves: Sequence[Leaf], values: Values, scope: Scope, others: Mapping[str, Values]) -> bool:
    """Whether every condition holds for the values. `others` are the values to compare with, by source."""
    return all(holds(leaf, values, scope, others) for leaf in leaves)


def any_holds(leaves: Sequence[Leaf], values: Values, scope: Scope, others: Mapping[str, Values]) -> bool:
    return any(holds(leaf, values, scope, others) for leaf in leaves)


def holds(leaf: Leaf, values: Values, scope: Scope, others: Mapping[str, Values]) -> bool:
    """Whether one condition holds. A comparison with a value that is missing, or of another type, never does."""
    path = paths.parse(leaf["name"])
    if leaf["op"] in COMPARISONS:
        other = next(_found(others.get(leaf["source"], {}), paths.parse(leaf["other"])), MISSING)
        alike = [_alike(value, other) for value in _found(values, path)]
        return (True in alike) if COMPARISONS[leaf["op"]] else bool(alike) and all(a is False for a in alike)
    return _test(_op(leaf).condition(leaf, scope), [*_found(values, path)])


def _op(leaf: Leaf) -> Op:
    return BY_KIND[leaf["type"]][leaf["op"]]


def _found(value: Any, path: paths.Path) -> Iterator[Any]:
    """The values at the path; several where it goes through any element of a list, MISSING where there is none."""
    for position, step in enumerate(path):
        if step is paths.Each.ELEMENT:
            for element in value if isinstance(value, list) else ():
                yield from _found(element, path[position + 1 :])
            return
        value = _get(value, step)
    yield MISSING if value is None else value


def value_at(values: Values, path: paths.Path) -> Any:
    """The first value at the path; None where there is none."""
    found = next(_found(values, path), MISSING)
    return None if found is MISSING else found


def _get(value: Any, step: Any) -> Any:
    if isinstance(step, int):
        return value[step] if isinstance(value, list) and step < len(value) else None
    return value.get(step) if isinstance(value, Mapping) else None


def _alike(value: Any, other: Any) -> bool | None:
    """Whether the two are the same; None where they can't be compared. Numbers in texts count as numbers."""
    if value is MISSING or other is MISSING:
        return None
    left, right = _numeric(value), _numeric(other)
    if isinstance(other, int | float) and not isinstance(other, bool):
        return left == right if left is not None else None
    if left is not None and right is not None:
        return left == right
    return bool(value == other) if isinstance(value, type(other)) else None


def _numeric(value: Any) -> int | float | None:
    if isinstance(value, bool):
        return None
    return value if isinstance(value, int | float) else as_number(value) if isinstance(value, str) else None


def _test(condition: Condition, found: Sequence[Any]) -> bool:
    match condition:
        case Not(inner):
            return not _test(inner, found)
        case Every(conditions):
            return all(_test(each, found) for each in conditions)
        case Either(conditions):
            return any(_test(each, found) for each in conditions)
        case _:
            return any(_piece(condition, value) for value in found)


def _piece(condition: Condition, value: Any) -> bool:
    """One question about one value: what `audience.filters` asks the database, asked of a Python value."""
    if value is MISSING:
        return False
    match condition:
        case Present():
            return True
        case Filled():
            return value not in ("", [])
        case HasKind(kind):
            return _is(value, kind)
        case OneOf(values):
            return any(value == each and _same_type(value, each) for each in values)
        case ContainsAny(parts):
            return isinstance(value, str) and any(part in value for part in parts)
        case Matches(pattern):
            return isinstance(value, str) and matches(pattern, value)
        case Compare(sign, limit):
            return _compare(value, sign, limit)
        case IsBoolean(wanted):
            return value is wanted
        case OnDays(ranges, zone):
            return _is(value, Kind.TIME) and any(low <= month_day(value, zone) <= high for low, high in ranges)
        case HoldsAny(element):
            return isinstance(value, list) and any(_piece(element, each) for each in value)
        case ElementMeets(demands):
            return isinstance(value, list) and any(_meets(element, demands) for element in value)
        case Not() | Every() | Either():
            return _test(condition, [value])
        case _:
            assert_never(condition)


def _meets(element: Any, demands: "Sequence[tuple[paths.Path, Condition]]") -> bool:
    return all(_test(condition, [*_found(element, path)]) for path, condition in demands)


def _is(value: Any, kind: Kind) -> bool:
    match kind:
        case Kind.TEXT:
            return isinstance(value, str)
        case Kind.NUMBER:
            return isinstance(value, int | float) and not isinstance(value, bool)
        case Kind.BOOLEAN:
            return isinstance(value, bool)
        case Kind.TIME:
            return isinstance(value, str) and times.is_canonical(value)
        case Kind.LIST:
            return isinstance(value, list)
        case _:
            assert_never(kind)


def _same_type(value: Any, other: Any) -> bool:
    return isinstance(value, str) == isinstance(other, str) and not isinstance(value, bool)


def _compare(value: Any, sign: Sign, limit: Any) -> bool:
    if isinstance(limit, datetime):
        if not _is(value, Kind.TIME):
            return False
        limit = times.canonical(limit)
    elif not _is(value, Kind.NUMBER):
        return False
    match sign:
        case Sign.LESS:
            return bool(value < limit)
        case Sign.AT_MOST:
            return bool(value <= limit)
        case Sign.MORE:
            return bool(value > limit)
        case Sign.AT_LEAST:
            return bool(value >= limit)
        case _:
            assert_never(sign)


def scope_at(now: datetime, zone: str) -> Scope:
    """What operators need besides the values."""
    ZoneInfo(zone)
    return Scope(times.in_milliseconds(now), zone, ignore_case=False)


def problems(leaf: Any) -> list[tuple[str, str]]:
    """What is wrong with a condition, as (key, sentence)."""
    if not isinstance(leaf, Mapping):
        return [("", _("A condition is missing its parts."))]
    if fault := _path_fault(leaf.get("name")):
        return [("name", fault)]
    if leaf.get("op") in COMPARISONS:
        if leaf.get("source") not in SOURCES:
            return [("source", _("Say what to compare with."))]
        fault = _path_fault(leaf.get("other"))
        return [("other", fault)] if fault else []
    ops = BY_KIND.get(str(leaf.get("type")))
    op = ops.get(str(leaf.get("op"))) if ops else None
    if op is None:
        return [("op", _("Choose a comparison for “%s”.") % leaf["name"])]
    return [(field.key, fault) for field in op.fields if (fault := field.problem(leaf.get(field.key)))]


def _path_fault(path: Any) -> str | None:
    if fault := text_fault(path, 255) if path else _("A condition has no property."):
        return fault
    try:
        paths.parse(path)
    except paths.InvalidPath as error:
        return _("This path can't be read: %s") % error
    return None


def sentence(leaf: Leaf) -> str:
    """A condition without problems in words."""
    if leaf["op"] in COMPARISONS:
        words = {
            ("same_as", "context"): _("%(name)s is the journey's %(other)s"),
            ("same_as", "trigger"): _("%(name)s is the trigger's %(other)s"),
            ("differs_from", "trigger"): _("%(name)s is not the trigger's %(other)s"),
            ("same_as", "attribute"): _("%(name)s is the profile's %(other)s"),
            ("differs_from", "context"): _("%(name)s is not the journey's %(other)s"),
            ("differs_from", "attribute"): _("%(name)s is not the profile's %(other)s"),
        }[leaf["op"], leaf["source"]]
        return words % {"name": leaf["name"], "other": leaf["other"]}
    return f"{leaf['name']} {_op(leaf).sentence(leaf)}"
