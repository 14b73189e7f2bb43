"""What a client can do to one custom attribute, read from its JSON form and applied to the value there was."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from audience.ingest import values
from audience.ingest.errors import NotStored

Change = Callable[[Any], Any]
"""From the value there was (None: none) to the value there is now (None: removed). Raises NotStored."""

_LIST_OPERATORS = {"add", "remove"}
_OBJECT_OPERATORS = {"$add", "$remove", "$update"}


def read(value: Any, merge: bool) -> Change:
    """The change that `{name: value}` asks for. An object is an operator only if all its keys are of one family."""
    keys = value.keys() if isinstance(value, dict) else set()
    if value is None:
        return lambda before: None
    if keys == {"inc"}:
        return _increment(value["inc"])
    if keys and keys <= _LIST_OPERATORS:
        return _list_change(value)
    if keys and keys <= _OBJECT_OPERATORS:
        return _objects_change(value, merge)
    if keys == {"$time"}:
        return _set(values.nested(value))
    return _merged(values.nested(value)) if merge and isinstance(value, dict) else _set(values.top_level(value))


def _set(value: Any) -> Change:
    return lambda before: value


def _increment(by: Any) -> Change:
    if isinstance(by, bool) or not isinstance(by, int):
        raise NotStored("is not valid")

    def change(before: Any) -> Any:
        if before is not None and (isinstance(before, bool) or not isinstance(before, int | float)):
            raise NotStored("is not a number, so it can't be increased")
        return values.scalar((before or 0) + by)

    return change


def _list_change(operators: Mapping[str, Any]) -> Change:
    added, removed = (values.scalars(_a_list(operators.get(name, []))) for name in ("add", "remove"))

    def change(before: Any) -> Any:
        if before is not None and (not isinstance(before, list) or any(isinstance(each, dict) for each in before)):
            raise NotStored("is not a list of values")
        moved = [each for each in before or [] if not _is_in(each, added)] + added
        return [each for each in moved if not _is_in(each, removed)][-values.MAX_LIST :]

    return change


def _a_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _is_in(value: Any, others: list[Any]) -> bool:
    return any(_same(value, other) for other in others)


def _same(value: Any, other: Any) -> bool:
    """Equal by JSON type and value: 1 is neither "1" nor true."""
    return isinstance(value, bool) == isinstance(other, bool) and bool(value == other)


def _merged(new: Mapping[str, Any]) -> Change:
    return lambda before: deep_merge(before, new) if isinstance(before, Mapping) else new


def deep_merge(before: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """The old object with the new one's keys, level by level; lists are replaced."""
    merged = dict(before)
    for key, value in new.items():
        old = merged.get(key)
        merged[key] = deep_merge(old, value) if isinstance(old, Mapping) and isinstance(value, Mapping) else value
    return merged


@dataclass(frozen=True)
class _Update:
    key: str
    value: Any
    new: Mapping[str, Any]

    def names(self, item: Any) -> bool:
        return isinstance(item, Mapping) and self.key in item and _same(item[self.key], self.value)


def _objects_change(operators: Mapping[str, Any], merge: bool) -> Change:
    """Always in the order add, remove, update, whatever the order in the request."""
    added = values.objects([_an_object(each) for each in _a_list(operators.get("$add", []))])
    removed = [_naming(each) for each in _a_list(operators.get("$remove", []))]
    updated = [_naming(each, with_new=True) for each in _a_list(operators.get("$update", []))]

    def change(before: Any) -> Any:
        if before is not None and (not isinstance(before, list) or not all(isinstance(each, dict) for each in before)):
            raise NotStored("is not a list of objects")
        items = [*(before or []), *added]
        items = [item for item in items if not any(each.names(item) for each in removed)]
        for update in updated:
            items = [_updated(item, update, merge) if update.names(item) else item for item in items]
        return items

    return change


def _an_object(value: Any) -> Any:
    if not isinstance(value, dict):
        raise NotStored("is not valid")
    return value


def _naming(raw: Any, with_new: bool = False) -> _Update:
    match raw:
        case {"$identifier_key": str(key), "$identifier_value": value, **others}:
            new = _an_object(others.get("$new_object")) if with_new else {}
            return _Update(key, values.nested(value), values.nested(new))
    raise NotStored("is not valid")


def _updated(item: Mapping[str, Any], update: _Update, merge: bool) -> Mapping[str, Any]:
    return deep_merge(item, update.new) if merge else update.new
