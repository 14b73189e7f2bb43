"""The operators of each type of value: their inputs, their meaning, their words.

What a missing value answers follows one table: positive questions no, negative ones yes, "does not match" no, a
number counts as 0 where it is asked to be exactly 0 or below something.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext_lazy as _

from audience.filters import days, patterns
from audience.filters.conditions import (
    Compare,
    Condition,
    ContainsAny,
    Either,
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
from audience.filters.fields import Date, Days, Field, MonthDay, NumberField, Pattern, Scalars, Texts
from audience.filters.scope import Leaf, Scope


@dataclass(frozen=True)
class Op:
    """One operator. `words` is the predicate of the sentence, its `%(key)s` filled by the fields' words."""

    label: Any
    words: Any
    condition: Callable[[Leaf, Scope], Condition]
    fields: tuple[Field, ...] = ()

    def sentence(self, leaf: Leaf) -> str:
        return str(self.words) % {field.key: field.words(leaf.get(field.key)) for field in self.fields}


Ops = Mapping[str, Op]

_BLANK: Ops = {
    "blank": Op(_("is blank"), _("is blank"), lambda leaf, scope: Not(Filled())),
    "not_blank": Op(_("is not blank"), _("is not blank"), lambda leaf, scope: Filled()),
}
_NUMBER = (NumberField(),)
_DAYS = (Days(),)
_WHOLE_DAYS = (Days(is_whole=True, high=366),)
_DATE = (Date(),)


def _one_of(leaf: Leaf, scope: Scope) -> OneOf:
    return OneOf(tuple(leaf["values"]))


def _contains(leaf: Leaf, scope: Scope) -> ContainsAny:
    return ContainsAny(tuple(leaf["values"]))


def _matches(leaf: Leaf, scope: Scope) -> Matches:
    return Matches(patterns.portable(leaf["pattern"], scope.ignore_case))


TEXT: Ops = {
    "any_of": Op(_("is any of"), _("is %(values)s"), _one_of, (Texts(),)),
    "none_of": Op(_("is none of"), _("is not %(values)s"), lambda leaf, scope: Not(_one_of(leaf, scope)), (Texts(),)),
    "contains": Op(_("contains any of"), _("contains %(values)s"), _contains, (Texts(),)),
    "not_contains": Op(
        _("doesn't contain any of"),
        _("doesn't contain %(values)s"),
        lambda leaf, scope: Not(_contains(leaf, scope)),
        (Texts(),),
    ),
    "matches": Op(_("matches regex"), _("matches %(pattern)s"), _matches, (Pattern(),)),
    "not_matches": Op(
        _("does not match regex"),
        _("does not match %(pattern)s"),
        lambda leaf, scope: Every((HasKind(Kind.TEXT), Not(_matches(leaf, scope)))),
        (Pattern(),),
    ),
    **_BLANK,
}


def _compared(sign: Sign, missing_below: bool = False) -> Callable[[Leaf, Scope], Condition]:
    """A comparison; with `missing_below` a profile without the number counts as 0."""

    def condition(leaf: Leaf, scope: Scope) -> Condition:
        test = Compare(sign, leaf["value"])
        as_zero = leaf["value"] > 0 or (leaf["value"] == 0 and sign is Sign.AT_MOST)
        return Either((test, Not(Present()))) if missing_below and as_zero else test

    return condition


def _exactly(leaf: Leaf, scope: Scope) -> Condition:
    test = OneOf((leaf["value"],))
    return Either((test, Not(Present()))) if leaf["value"] == 0 else test


NUMBER: Ops = {
    "exactly": Op(_("exactly"), _("is exactly %(value)s"), _exactly, _NUMBER),
    "not_equal": Op(
        _("does not equal"),
        _("is not %(value)s"),
        lambda leaf, scope: Not(OneOf((leaf["value"],))),
        _NUMBER,
    ),
    "more": Op(_("more than"), _("is more than %(value)s"), _compared(Sign.MORE), _NUMBER),
    "less": Op(_("less than"), _("is less than %(value)s"), _compared(Sign.LESS, missing_below=True), _NUMBER),
    "at_least": Op(_("at least"), _("is at least %(value)s"), _compared(Sign.AT_LEAST), _NUMBER),
    "at_most": Op(_("at most"), _("is at most %(value)s"), _compared(Sign.AT_MOST, missing_below=True), _NUMBER),
    "between": Op(
        _("between"),
        _("is between %(low)s and %(high)s"),
        lambda leaf, scope: Every((Compare(Sign.AT_LEAST, leaf["low"]), Compare(Sign.AT_MOST, leaf["high"]))),
        (NumberField("low", _("from")), NumberField("high", _("to"))),
    ),
    **_BLANK,
}

BOOLEAN: Ops = {
    "true": Op(_("is true"), _("is true"), lambda leaf, scope: IsBoolean(True)),
    "false": Op(_("is false"), _("is false"), lambda leaf, scope: IsBoolean(False)),
    "true_or_unset": Op(
        _("is true or not set"),
        _("is true or not set"),
        lambda leaf, scope: Either((IsBoolean(True), Not(Present()))),
    ),
    "false_or_unset": Op(
        _("is false or not set"),
        _("is false or not set"),
        lambda leaf, scope: Either((IsBoolean(False), Not(Present()))),
    ),
    **_BLANK,
}


def _span(after: tuple[Sign, datetime], before: tuple[Sign, datetime]) -> Every:
    return Every((Compare(*after), Compare(*before)))


# Open and closed ends are chosen so that "less than" and "more than" split the past without overlap.
TIME: Ops = {
    "before": Op(
        _("before date"),
        _("is before %(date)s"),
        lambda leaf, scope: Compare(Sign.LESS, scope.start_of_day(leaf["date"])),
        _DATE,
    ),
    "after": Op(
        _("after date"),
        _("is after %(date)s"),
        lambda leaf, scope: Compare(Sign.AT_LEAST, scope.start_of_day(leaf["date"], 1)),
        _DATE,
    ),
    "more_than_days_ago": Op(
        _("more than n days ago"),
        _("more than %(days)s ago"),
        lambda leaf, scope: Compare(Sign.AT_MOST, scope.ago(leaf["days"])),
        _DAYS,
    ),
    "less_than_days_ago": Op(
        _("less than n days ago"),
        _("less than %(days)s ago"),
        lambda leaf, scope: _span((Sign.MORE, scope.ago(leaf["days"])), (Sign.AT_MOST, scope.now)),
        _DAYS,
    ),
    "in_more_than_days": Op(
        _("in more than n days"),
        _("in more than %(days)s"),
        lambda leaf, scope: Compare(Sign.AT_LEAST, scope.ahead(leaf["days"])),
        _DAYS,
    ),
    "in_less_than_days": Op(
        _("in less than n days"),
        _("in less than %(days)s"),
        lambda leaf, scope: _span((Sign.AT_LEAST, scope.now), (Sign.LESS, scope.ahead(leaf["days"]))),
        _DAYS,
    ),
    **_BLANK,
}


def _on_days(first: Callable[[Leaf], int], last: Callable[[Leaf], int]) -> Callable[[Leaf, Scope], OnDays]:
    """The anniversary falls between two days, counted from today in the company's zone."""

    def condition(leaf: Leaf, scope: Scope) -> OnDays:
        today = scope.now.astimezone(ZoneInfo(scope.zone)).date()
        ends = (today + timedelta(days=end(leaf)) for end in (first, last))
        return OnDays(days.from_dates(*ends), scope.zone)

    return condition


def _between_days(first: str, last: str) -> Callable[[Leaf, Scope], OnDays]:
    def condition(leaf: Leaf, scope: Scope) -> OnDays:
        today = scope.now.astimezone(ZoneInfo(scope.zone)).date()
        return OnDays(days.between(leaf[first], leaf[last], today), scope.zone)

    return condition


YEARLY: Ops = {
    "day_is": Op(_("day of year is"), _("falls on %(day)s"), _between_days("day", "day"), (MonthDay("day"),)),
    "day_between": Op(
        _("day of year is between"),
        _("falls between %(first)s and %(last)s"),
        _between_days("first", "last"),
        (MonthDay("first", _("from")), MonthDay("last", _("to"))),
    ),
    "day_in_exactly": Op(
        _("recurs in exactly n days"),
        _("falls in exactly %(days)s"),
        _on_days(lambda leaf: leaf["days"], lambda leaf: leaf["days"]),
        _WHOLE_DAYS,
    ),
    "day_in_less_than": Op(
        _("recurs in less than n days (today included)"),
        _("falls in less than %(days)s, today included"),
        _on_days(lambda leaf: 0, lambda leaf: max(leaf["days"] - 1, 0)),
        _WHOLE_DAYS,
    ),
    "day_less_than_ago": Op(
        _("recurred less than n days ago (today included)"),
        _("fell less than %(days)s ago, today included"),
        _on_days(lambda leaf: -max(leaf["days"] - 1, 0), lambda leaf: 0),
        _WHOLE_DAYS,
    ),
}

LIST: Ops = {
    "any_of": Op(
        _("includes any of"), _("includes %(values)s"), lambda leaf, scope: HoldsAny(_one_of(leaf, scope)), (Scalars(),)
    ),
    "none_of": Op(
        _("includes none of"),
        _("doesn't include %(values)s"),
        lambda leaf, scope: Not(HoldsAny(_one_of(leaf, scope))),
        (Scalars(),),
    ),
    "all_of": Op(
        _("is all of"),
        _("includes %(values)s"),
        lambda leaf, scope: Every([HoldsAny(OneOf((value,))) for value in leaf["values"]]),
        (Scalars(conjunction=_("and")),),
    ),
    "not_all_of": Op(
        _("isn't all of"),
        _("doesn't include all of %(values)s"),
        lambda leaf, scope: Not(Every([HoldsAny(OneOf((value,))) for value in leaf["values"]])),
        (Scalars(conjunction=_("and")),),
    ),
    "contains": Op(
        _("values contain any of"),
        _("has a value that contains %(values)s"),
        lambda leaf, scope: HoldsAny(_contains(leaf, scope)),
        (Texts(),),
    ),
    "not_contains": Op(
        _("values don't contain any of"),
        _("has no value that contains %(values)s"),
        lambda leaf, scope: Not(HoldsAny(_contains(leaf, scope))),
        (Texts(),),
    ),
    "matches": Op(
        _("matches regex"),
        _("has a value that matches %(pattern)s"),
        lambda leaf, scope: HoldsAny(_matches(leaf, scope)),
        (Pattern(),),
    ),
    "blank": Op(_("is empty"), _("is empty"), lambda leaf, scope: Not(Filled())),
    "not_blank": Op(_("has a value"), _("has a value"), lambda leaf, scope: Filled()),
}

BY_KIND: Mapping[str, Ops] = {
    Kind.TEXT.value: TEXT,
    Kind.NUMBER.value: NUMBER,
    Kind.BOOLEAN.value: BOOLEAN,
    Kind.TIME.value: {**TIME, **YEARLY},
    Kind.LIST.value: LIST,
}
KIND_LABELS = (
    (Kind.TEXT.value, _("text")),
    (Kind.NUMBER.value, _("number")),
    (Kind.BOOLEAN.value, _("true or false")),
    (Kind.TIME.value, _("time")),
    (Kind.LIST.value, _("list")),
)


def yes_or_no(yes: tuple[str, Any], no: tuple[str, Any], *fields: Field) -> Ops:
    """Two operators that are each other's opposite; their filter says itself what they select."""
    return {name: Op(label, label, lambda leaf, scope: Present(), fields) for name, label in (yes, no)}
