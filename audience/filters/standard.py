"""Filters on the standard attributes of a profile."""

import calendar
import operator
import uuid
import zoneinfo
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache, reduce
from typing import Any
from zoneinfo import ZoneInfo

from babel import Locale
from django.db.models import Q, Value
from django.db.models.functions import StrIndex
from django.db.models.lookups import Exact
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from audience.filters.base import LISTS, Fault, Filter
from audience.filters.columns import Column
from audience.filters.conditions import Compare, Condition, Either, Every, Filled, Not, OneOf, Sign
from audience.filters.fields import Field, NumberField, Options, Texts
from audience.filters.kinds import NUMBER, TEXT, TIME, YEARLY, Op, Ops
from audience.filters.scope import Leaf, Scope

LAST_BUCKET = 9_999
_LIST_OPS = ("any_of", "none_of", "blank", "not_blank")


class Everyone(Filter):
    """All profiles, said out loud."""

    name = "everyone"
    label = _("all profiles")
    group = LISTS

    def ops(self, leaf: Leaf) -> Ops:
        return {}

    def fields(self, leaf: Leaf) -> list[Field]:
        return []

    def compile(self, leaf: Leaf, scope: Scope) -> Q:
        return Q(pk__isnull=False)

    def sentence(self, leaf: Leaf, scope: Scope) -> str:
        return str(self.label)


class ColumnFilter(Filter):
    """Any filter whose value stands in one column of the profile."""

    def __init__(self, name: str, label: Any, column: Column, ops: Ops) -> None:
        self.name, self.label, self.column, self._ops = name, label, column, ops

    def ops(self, leaf: Leaf) -> Ops:
        return self._ops

    def compile(self, leaf: Leaf, scope: Scope) -> Q:
        return self.column.test(self.op(leaf).condition(leaf, scope))


def _chosen(ops: Ops, choices: Any, *names: str) -> Ops:
    """Operators whose values come from a closed set."""
    options = (Options(choices=choices),)
    return {
        name: Op(op.label, op.words, op.condition, options if op.fields else ())
        for name, op in ops.items()
        if name in names
    }


def _countries() -> Sequence[tuple[str, str]]:
    return _countries_in(get_language() or "en")


@lru_cache(maxsize=8)
def _countries_in(language: str) -> Sequence[tuple[str, str]]:
    territories = Locale.parse(language, sep="-").territories
    return sorted(((code, name) for code, name in territories.items() if code.isalpha()), key=lambda pair: pair[1])


@lru_cache(maxsize=1)
def _zones() -> Sequence[tuple[str, str]]:
    return [(name, name) for name in sorted(zoneinfo.available_timezones())]


@dataclass(frozen=True)
class LanguageCodes(Texts):
    """Codes such as `pt` or `pt-BR`."""

    suggestions: str = "languages"

    def element_fault(self, value: Any) -> str | None:
        known = isinstance(value, str) and value.partition("-")[0] in Locale("en").languages
        return None if known else gettext("“%s” is not a language. Use a code such as en or pt-BR.") % (value,)


def _genders() -> list[tuple[str, Any]]:
    return [
        ("M", _("male")),
        ("F", _("female")),
        ("O", _("other")),
        ("N", _("not applicable")),
        ("P", _("undisclosed")),
    ]


class Language(ColumnFilter):
    """The full code, or the base of it: `pt` finds `pt-BR` too."""

    def compile(self, leaf: Leaf, scope: Scope) -> Q:
        exact = super().compile(leaf, scope)
        if leaf["op"] not in ("any_of", "none_of"):
            return exact
        bases = [f"{value}-" for value in leaf["values"] if "-" not in value]
        based = [Q(Exact(StrIndex("language", Value(base)), 1)) for base in bases]
        return ~reduce(operator.or_, based, ~exact) if leaf["op"] == "none_of" else reduce(operator.or_, based, exact)


def _languages() -> Ops:
    codes = (LanguageCodes(),)
    ops = {name: TEXT[name] for name in _LIST_OPS}
    return {name: Op(op.label, op.words, op.condition, codes if op.fields else ()) for name, op in ops.items()}


class Age(Filter):
    """Whole years on today's date in the company's zone. Asked as days of birth, so that an index could serve."""

    name = "age"
    label = _("age")

    def ops(self, leaf: Leaf) -> Ops:
        return {
            name: Op(op.label, op.words, op.condition, tuple(_whole_years(field) for field in op.fields))
            for name, op in NUMBER.items()
        }

    def compile(self, leaf: Leaf, scope: Scope) -> Q:
        return Column("date_of_birth", is_text=False).test(self._on_birth(self.op(leaf).condition(leaf, scope), scope))

    def _on_birth(self, condition: Condition, scope: Scope) -> Condition:
        match condition:
            case Not(inner):
                return Not(self._on_birth(inner, scope))
            case Every(conditions):
                return Every([self._on_birth(each, scope) for each in conditions])
            case Either(conditions):
                return Either([self._on_birth(each, scope) for each in conditions])
            case OneOf((int(years),)):
                return Every((_born(Sign.AT_MOST, years, scope), _born(Sign.MORE, years + 1, scope)))
            case Compare(Sign.AT_LEAST, int(years)):
                return _born(Sign.AT_MOST, years, scope)
            case Compare(Sign.MORE, int(years)):
                return _born(Sign.AT_MOST, years + 1, scope)
            case Compare(Sign.LESS, int(years)):
                return _born(Sign.MORE, years, scope)
            case Compare(Sign.AT_MOST, int(years)):
                return _born(Sign.MORE, years + 1, scope)
            case _:
                return condition


def _born(sign: Sign, years: int, scope: Scope) -> Compare:
    """Born so relative to the day that lies so many years before today; on 29 February read 28 February."""
    today = scope.now.astimezone(ZoneInfo(scope.zone)).date()
    year = today.year - years
    day = min(today.day, calendar.monthrange(year, today.month)[1])
    return Compare(sign, date(year, today.month, day))


def _whole_years(field: Field) -> Field:
    return NumberField(field.key, field.label, low=0, high=150, is_whole=True)


class Birthday(ColumnFilter):
    """Month and day of the date of birth."""

    def __init__(self) -> None:
        column = Column("date_of_birth", is_text=False)
        super().__init__("birthday", _("birthday"), column, {**YEARLY, **_pick(TIME, "blank", "not_blank")})


class RandomBucket(ColumnFilter):
    """The bucket, 0 to 9999, that a profile drew when it was created."""

    def __init__(self) -> None:
        super().__init__("random_bucket", _("random bucket"), Column("random_bucket", is_text=False), _buckets())


def _buckets() -> Ops:
    def whole(field: Field) -> Field:
        return NumberField(field.key, field.label, low=0, high=LAST_BUCKET, is_whole=True)

    return {
        name: Op(op.label, op.words, op.condition, tuple(map(whole, op.fields)))
        for name, op in NUMBER.items()
        if op.fields
    }


class SubscriptionState(ColumnFilter):
    """One of the three states, or not."""

    def __init__(self, name: str, label: Any) -> None:
        states = [("opted_in", _("opted in")), ("subscribed", _("subscribed")), ("unsubscribed", _("unsubscribed"))]
        super().__init__(name, label, Column(name), _chosen(TEXT, lambda: states, "any_of", "none_of"))


class SubscriptionDate(Filter):
    """When a profile went into the state it is in."""

    def __init__(self, name: str, label: Any, channel: str, state: str) -> None:
        self.name, self.label, self.channel, self.state = name, label, channel, state

    def ops(self, leaf: Leaf) -> Ops:
        return TIME

    def compile(self, leaf: Leaf, scope: Scope) -> Q:
        column = Column(f"{self.channel}_subscribe_at", is_text=False)
        in_state = Q(**{f"{self.channel}_subscribe": self.state})
        if leaf["op"] == "blank":
            return ~(in_state & column.test(Filled()))
        return in_state & column.test(self.op(leaf).condition(leaf, scope))


class InternalId(ColumnFilter):
    """The ID that the server gave; anything that is no UUID is nobody's."""

    def __init__(self) -> None:
        super().__init__("internal_id", _("internal ID"), Column("braze_id"), _pick(TEXT, "any_of", "none_of"))

    def extra_problems(self, leaf: Leaf, scope: Scope) -> Iterator[Fault]:
        for value in leaf["values"]:
            try:
                uuid.UUID(value)
            except ValueError:
                yield ("values",), gettext("“%s” is not an internal ID.") % value


def _pick(ops: Ops, *names: str) -> Ops:
    return {name: ops[name] for name in names}


def _text(name: str, label: Any, **column: Any) -> ColumnFilter:
    return ColumnFilter(name, label, Column(column.pop("column", name), **column), TEXT)


def _time(name: str, label: Any, column: str) -> ColumnFilter:
    return ColumnFilter(name, label, Column(column, is_text=False), TIME)


STANDARD: tuple[Filter, ...] = (
    Everyone(),
    _text("external_id", _("external ID")),
    InternalId(),
    _text("email", _("email"), is_folded=True),
    _text("phone", _("phone")),
    _text("unformatted_phone", _("unformatted phone")),
    _text("first_name", _("first name")),
    _text("last_name", _("last name")),
    ColumnFilter("gender", _("gender"), Column("gender"), _chosen(TEXT, _genders, *_LIST_OPS)),
    _text("home_city", _("home city")),
    ColumnFilter("country", _("country"), Column("country"), _chosen(TEXT, _countries, *_LIST_OPS)),
    Language("language", _("language"), Column("language"), _languages()),
    Age(),
    Birthday(),
    ColumnFilter("time_zone", _("time zone"), Column("time_zone"), _chosen(TEXT, _zones, *_LIST_OPS)),
    _time("created", _("created"), "created_at"),
    RandomBucket(),
    SubscriptionState("email_subscribe", _("email subscription")),
    SubscriptionState("push_subscribe", _("push subscription")),
    SubscriptionDate("email_opted_in_at", _("opted in to email"), "email", "opted_in"),
    SubscriptionDate("email_unsubscribed_at", _("unsubscribed from email"), "email", "unsubscribed"),
    SubscriptionDate("push_opted_in_at", _("opted in to push"), "push", "opted_in"),
    SubscriptionDate("push_unsubscribed_at", _("unsubscribed from push"), "push", "unsubscribed"),
)
