"""Asks conditions of what was worked out in SQL: a number that is never NULL, or a time that may be."""

from decimal import Decimal
from typing import Any

from django.db.models import Q
from django.db.models.lookups import (
    Exact,
    GreaterThan,
    GreaterThanOrEqual,
    IsNull,
    LessThan,
    LessThanOrEqual,
)

from audience.filters.columns import NOBODY, all_of, any_of
from audience.filters.conditions import Compare, Condition, Either, Every, Filled, Not, OneOf, Present, Sign

_LOOKUPS = {
    Sign.LESS: LessThan,
    Sign.AT_MOST: LessThanOrEqual,
    Sign.MORE: GreaterThan,
    Sign.AT_LEAST: GreaterThanOrEqual,
}
EVERYBODY = ~NOBODY


def test_number(number: Any, condition: Condition) -> Q:
    """The condition on an expression that always has a number."""
    match condition:
        case Not(inner):
            return ~test_number(number, inner)
        case Every(conditions):
            return all_of(test_number(number, each) for each in conditions)
        case Either(conditions):
            return any_of(test_number(number, each) for each in conditions)
        case OneOf(values):
            return any_of(Q(Exact(number, _as_written(value))) for value in values)
        case Compare(sign, value):
            return Q(_LOOKUPS[sign](number, _as_written(value)))
        case Present() | Filled():
            return EVERYBODY
    raise TypeError(f"{type(condition).__name__} can't be asked of a number")


def _as_written(value: Any) -> Any:
    """19.9 as people mean it: as a float it is a little less, and Django would pass that on to the last digit."""
    return Decimal(repr(value)) if isinstance(value, float) else value


def test_time(moment: Any, condition: Condition) -> Q:
    """The condition on an expression that is a time or NULL."""
    match condition:
        case Not(inner):
            return ~test_time(moment, inner)
        case Every(conditions):
            return all_of(test_time(moment, each) for each in conditions)
        case Compare(sign, value):
            return Q(IsNull(moment, False)) & Q(_LOOKUPS[sign](moment, value))
        case Present() | Filled():
            return Q(IsNull(moment, False))
    raise TypeError(f"{type(condition).__name__} can't be asked of a time")
