"""Filters over lists. Nil is an empty list; a value that is no list is a list of itself."""

from collections.abc import Callable
from datetime import date, datetime

from webhooks.liquid.compare import equal
from webhooks.liquid.errors import Fault
from webhooks.liquid.limits import LIMITS, too_long
from webhooks.liquid.times import as_time
from webhooks.liquid.values import is_number, items, member, text, to_json

from .registry import register


@register("join")
def join(value: object, glue: object = " ") -> str:
    between, parts = text(glue), items(value)
    if not all(type(part) is str for part in parts):
        parts = _texts(parts)
    if sum(map(len, parts)) + len(between) * len(parts) > LIMITS.value:  # type: ignore[arg-type]
        raise too_long("the text that 'join' makes", LIMITS.value)
    return between.join(parts)  # type: ignore[arg-type]


def _texts(parts: list[object]) -> list[object]:
    """Each part as text. Raises Fault as soon as they are too long together."""
    made, size = [], 0
    for part in parts:
        made.append(text(part))
        size += len(made[-1])
        if size > LIMITS.value:
            raise too_long("the text that 'join' makes", LIMITS.value)
    return list(made)


@register("first")
def first(value: object) -> object:
    return member(value, "first")


@register("last")
def last(value: object) -> object:
    return member(value, "last")


@register("concat")
def concat(value: object, other: object) -> list[object]:
    if other is not None and not isinstance(other, list | tuple | range):
        raise Fault(f"'concat' needs a list, not '{text(other)[:40]}'")
    return items(items(value) + items(other))


@register("compact")
def compact(value: object, key: object = None) -> list[object]:
    """Without what is nil, or has nil under the key."""
    return [item for item in items(value) if (item if key is None else member(item, key)) is not None]


@register("map")
def map_(value: object, key: object) -> list[object]:
    return [member(item, key) for item in items(value)]


@register("reverse")
def reverse(value: object) -> list[object]:
    return items(value)[::-1]


@register("uniq")
def uniq(value: object, key: object = None) -> list[object]:
    """The first of each that are equal, or have equal values under the key."""
    seen: dict[object, object] = {}
    for item in items(value):
        seen.setdefault(_identity(item if key is None else member(item, key)), item)
    return list(seen.values())


def _identity(value: object) -> object:
    if isinstance(value, list | dict | range):
        return type(value), to_json(value)
    return ("number", value) if is_number(value) else (type(value), value)


@register("where")
def where(value: object, key: object, wanted: object = None) -> list[object]:
    """Those whose value under the key equals `wanted`, or is true where nothing is wanted."""
    if wanted is None:
        return [item for item in items(value) if member(item, key) not in (None, False)]
    return [item for item in items(value) if equal(member(item, key), wanted)]


@register("sort")
def sort(value: object, key: object = None) -> list[object]:
    """In order, nil last. Raises Fault for mixed types."""
    return _sorted(items(value), key, _orderable("sort"))


@register("sort_natural")
def sort_natural(value: object, key: object = None) -> list[object]:
    """In order of their text, whatever its case; nil last."""
    return _sorted(items(value), key, lambda item: text(item).casefold())


def _sorted(parts: list[object], key: object, rank: Callable[[object], object]) -> list[object]:
    ranked = [(item if key is None else member(item, key), item) for item in parts]
    present = [(rank(by), item) for by, item in ranked if by is not None]
    present.sort(key=lambda pair: pair[0])  # type: ignore[arg-type,return-value]
    return [item for _, item in present] + [item for by, item in ranked if by is None]


def _orderable(name: str) -> Callable[[object], object]:
    """Ranks values of one kind: numbers, texts or times."""
    kinds: set[str] = set()

    def rank(value: object) -> object:
        if isinstance(value, datetime | date):
            kinds.add("times")
            ranked: object = as_time(value)
        else:
            kinds.add("numbers" if is_number(value) else "texts" if isinstance(value, str) else "others")
            ranked = value
        if len(kinds) > 1 or "others" in kinds:
            raise Fault(f"'{name}' needs values of one kind, all numbers, all texts or all times")
        return ranked

    return rank
