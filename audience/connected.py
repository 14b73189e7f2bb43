"""Reads a connected audience, the filters that come with an API call, into a filter tree."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from audience import times
from audience.filters.fields import MAX_DAYS

MOST_LEVELS = 10
MOST_FILTERS = 100
_DAY = 86_400
_TICK = 0.001 / _DAY  # a millisecond, as precise as attributes are
_STATES = ("opted_in", "subscribed", "unsubscribed")
_NUMBERS = {
    "greater_than": "more",
    "greater_than_or_equal_to": "at_least",
    "less_than": "less",
    "less_than_or_equal_to": "at_most",
}
_DAYS = {
    "less_than_x_days_ago": "less_than_days_ago",
    "greater_than_x_days_ago": "more_than_days_ago",
    "less_than_x_days_in_the_future": "in_less_than_days",
    "greater_than_x_days_in_the_future": "in_more_than_days",
}
Tree = dict[str, Any]


class BadAudience(ValueError):
    """The audience can't be used; the message says why."""


def tree(raw: Any, now: datetime) -> Tree:
    """The filter tree of a connected audience; times in it are told from `now`. Raises BadAudience."""
    return _Reader(now).node(raw, 1)


class _Reader:
    def __init__(self, now: datetime) -> None:
        self.now, self.count = now, 0

    def node(self, raw: Any, level: int) -> Tree:
        if not isinstance(raw, Mapping) or len(raw) != 1:
            raise BadAudience("'audience' must be one filter, or AND or OR with a list of them")
        if level > MOST_LEVELS:
            raise BadAudience(f"'audience' is nested more than {MOST_LEVELS} levels deep")
        ((name, inner),) = raw.items()
        if name in ("AND", "OR"):
            if not isinstance(inner, list) or not inner:
                raise BadAudience(f"'{name}' must be a list of filters")
            return {"all" if name == "AND" else "any": [self.node(each, level + 1) for each in inner]}
        self.count += 1
        if self.count > MOST_FILTERS:
            raise BadAudience(f"'audience' has more than {MOST_FILTERS} filters")
        return self.leaf(str(name), inner)

    def leaf(self, name: str, inner: Any) -> Tree:
        if not isinstance(inner, Mapping):
            raise BadAudience(f"'{name}' must be an object")
        comparison, value = inner.get("comparison"), inner.get("value")
        match name:
            case "custom_attribute":
                return self.attribute(inner.get("custom_attribute_name"), comparison, value)
            case "email_subscription_status" | "push_subscription_status":
                if value not in _STATES or comparison not in ("is", "is_not"):
                    raise BadAudience(f"'{name}' needs the comparison is or is_not and a subscription state")
                op = "any_of" if comparison == "is" else "none_of"
                return {"filter": f"{name.partition('_')[0]}_subscribe", "op": op, "values": [value]}
            case "last_used_app":
                return self.moment({"filter": "last_active"}, comparison, value)
        raise BadAudience(f"'{name[:100]}' is not a filter")

    def attribute(self, name: Any, comparison: Any, value: Any) -> Tree:
        if not isinstance(name, str) or not 1 <= len(name) <= 255:
            raise BadAudience("'custom_attribute_name' is not valid")

        def leaf(kind: str, op: str, **values: Any) -> Tree:
            return {"filter": "custom_attribute", "name": name, "type": kind, "op": op, **values}

        match comparison, value:
            case "exists" | "does_not_exist", _:
                return leaf("text", "not_blank" if comparison == "exists" else "blank")
            case (("not_equal" | "does_not_equal"), _):
                return {"not": self.attribute(name, "equals", value)}
            case "equals", bool():
                return leaf("boolean", "true" if value else "false")
            case "equals", int() | float():
                return {"all": [leaf("number", "exactly", value=value), leaf("number", "not_blank")]}
            case "equals", str():
                return leaf("text", "any_of", values=[value])
            case "matches_regex", str():
                return leaf("text", "matches", pattern=value)
            case "does_not_match_regex", str():
                return {"not": leaf("text", "matches", pattern=value)}
            case (("includes_value" | "does_not_include_value"), (str() | int() | float())):
                return leaf("list", "any_of" if comparison == "includes_value" else "none_of", values=[value])
            case str(), (int() | float()) if comparison in _NUMBERS and not isinstance(value, bool):
                return {"all": [leaf("number", _NUMBERS[comparison], value=value), leaf("number", "not_blank")]}
            case str(), (int() | float()) if comparison in _DAYS and not isinstance(value, bool):
                return leaf("time", _DAYS[comparison], days=value)
            case (("after" | "before"), _):
                return self.moment({"filter": "custom_attribute", "name": name, "type": "time"}, comparison, value)
        raise BadAudience(f"'{str(comparison)[:100]}' can't compare '{name}' with such a value")

    def moment(self, leaf: Tree, comparison: Any, value: Any) -> Tree:
        """Later or earlier than a time, to the second: filters count from now."""
        moment = times.parse(value) if isinstance(value, str) else None
        if moment is None or comparison not in ("after", "before"):
            raise BadAudience("'after' and 'before' need a time such as 2026-03-01T09:30:00Z")
        ago = (self.now - moment).total_seconds() / _DAY
        if abs(ago) > MAX_DAYS:
            raise BadAudience("'value' is a time too far away")
        parts = [leaf | part for part in (_before(ago) if comparison == "before" else _after(ago))]
        if leaf["filter"] == "last_active":  # nobody was active in the future
            parts = [part for part in parts if not part["op"].startswith("in_")]
        return {"any": parts} if parts else {"not": {"filter": "everyone"}}


def _before(ago: float) -> list[Tree]:
    """Earlier than a moment so many days ago; the filters' ends are closed where they count from the past."""
    if ago >= 0:
        return [{"op": "more_than_days_ago", "days": ago + _TICK}]
    return [{"op": "more_than_days_ago", "days": 0}, {"op": "in_less_than_days", "days": -ago}]


def _after(ago: float) -> list[Tree]:
    if ago <= 0:
        return [{"op": "in_more_than_days", "days": -ago + _TICK}]
    return [{"op": "less_than_days_ago", "days": ago}, {"op": "in_more_than_days", "days": 0}]
