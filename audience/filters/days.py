"""Days of the year without a year: birthdays, anniversaries, and the 29th of February."""

import calendar
from collections.abc import Iterable
from datetime import date, timedelta

YEAR = tuple(f"{date(2000, 1, 1) + timedelta(days=n):%m-%d}" for n in range(366))
_PLACES = {day: place for place, day in enumerate(YEAR)}
_LEAP_DAY, _DAY_AFTER = "02-29", "03-01"

Ranges = tuple[tuple[str, str], ...]


def between(first: str, last: str, today: date) -> Ranges:
    """The days from `first` to `last`, both included, over the new year if need be, as they fall in today's year."""
    start, end = _PLACES[first], _PLACES[last]
    chosen = YEAR[start : end + 1] if start <= end else YEAR[start:] + YEAR[: end + 1]
    return _ranges(_with_leap_day(set(chosen), today.year))


def from_dates(first: date, last: date) -> Ranges:
    """The days on which anniversaries fall from one date to another, both included."""
    chosen: set[str] = set()
    for offset in range(min((last - first).days, 366) + 1):
        day = first + timedelta(days=offset)
        chosen |= _with_leap_day({f"{day:%m-%d}"}, day.year)
    return _ranges(chosen)


def _with_leap_day(chosen: set[str], year: int) -> set[str]:
    """In a year without a 29th of February what belongs to it counts on the 1st of March."""
    if calendar.isleap(year):
        return chosen
    return chosen | {_LEAP_DAY} if _DAY_AFTER in chosen else chosen - {_LEAP_DAY}


def _ranges(chosen: Iterable[str]) -> Ranges:
    found: list[tuple[str, str]] = []
    for day in sorted(chosen):
        if found and _PLACES[found[-1][1]] + 1 == _PLACES[day]:
            found[-1] = (found[-1][0], day)
        else:
            found.append((day, day))
    return tuple(found)
