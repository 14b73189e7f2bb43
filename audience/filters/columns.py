"""Turns a condition on a value into a condition on a column of the profile. What it gives is never NULL."""

import operator
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import BooleanField, F, Func, Q, Value
from django.db.models.functions import Coalesce, ExtractDay, ExtractMonth, Lower, StrIndex
from django.db.models.lookups import GreaterThan, In, Range
from django.db.models.sql.compiler import SQLCompiler

from audience.filters.conditions import (
    Compare,
    Condition,
    ContainsAny,
    Either,
    Every,
    Filled,
    HasKind,
    Matches,
    Not,
    OnDays,
    OneOf,
    Present,
    Sign,
)

_LOOKUPS = {Sign.LESS: "lt", Sign.AT_MOST: "lte", Sign.MORE: "gt", Sign.AT_LEAST: "gte"}
NOBODY = Q(pk__in=())


def any_of(conditions: Iterable[Q]) -> Q:
    """One of the conditions holds; of none given, nobody."""
    return reduce(operator.or_, conditions, NOBODY)


def all_of(conditions: Iterable[Q]) -> Q:
    """All of the conditions hold."""
    return reduce(operator.and_, conditions)


@dataclass(frozen=True)
class Column:
    """Where a value is stored. Texts are blank where there is none; with `is_folded` letter case counts for nothing."""

    name: str
    is_text: bool = True
    is_folded: bool = False

    def test(self, condition: Condition) -> Q:
        """The condition on this column."""
        match condition:
            case Not(inner):
                return ~self.test(inner)
            case Every(conditions):
                return all_of(map(self.test, conditions))
            case Either(conditions):
                return any_of(map(self.test, conditions))
            case Present() | Filled() | HasKind():
                return Q(**{f"{self.name}__isnull": False}) & (~Q(**{self.name: ""}) if self.is_text else Q())
            case OneOf(values):
                return self._one_of(values)
            case ContainsAny(parts):
                return any_of(Q(GreaterThan(StrIndex(self._text(), Value(self._folded(part))), 0)) for part in parts)
            case Matches(pattern):  # a blank is no value, so not even ^$ matches it
                return self.test(Present()) & Q(Found(self._text(), Value(pattern)))
            case Compare(sign, value):
                return Q(**{f"{self.name}__{_LOOKUPS[sign]}": value})
            case OnDays(ranges, _zone):
                return self._on_days(ranges)
            case _:
                raise TypeError(f"{type(condition).__name__} can't be asked of a column")

    def _one_of(self, values: Sequence[Any]) -> Q:
        if self.is_folded:
            return Q(In(Lower(self.name), [self._folded(value) for value in values]))
        return Q(**{f"{self.name}__in": values})

    def _folded(self, text: Any) -> Any:
        return text.lower() if self.is_folded else text

    def _text(self) -> Any:
        text = Coalesce(F(self.name), Value(""))
        return Lower(text) if self.is_folded else text

    def _on_days(self, ranges: Sequence[tuple[str, str]]) -> Q:
        day = ExtractMonth(self.name) * 100 + ExtractDay(self.name)
        within = [Q(Range(day, [int(end.replace("-", "")) for end in each])) for each in ranges]
        return Q(**{f"{self.name}__isnull": False}) & any_of(within)


class Found(Func):
    """Whether a text holds a match of a regular expression that `patterns.portable` wrote."""

    output_field = BooleanField()
    arity = 2
    template = "%(expressions)s"
    arg_joiner = " ~ "

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **extra: Any) -> tuple[str, Any]:
        text, pattern = self.get_source_expressions()
        turned = Func(pattern, text, function="hookline_matches", output_field=BooleanField())
        return turned.as_sql(compiler, connection)
