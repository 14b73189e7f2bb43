"""When a schedule runs (campaigns specification, sections 6.1 and 6.2). Pure.

Days are counted from the start; the time is what the clock on the wall shows, so the distance to UTC changes with the
clocks. A time that a clock change skips becomes the first moment after the gap; one that comes twice is the first.
"""

import calendar
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from itertools import islice
from typing import assert_never
from zoneinfo import ZoneInfo

from outreach.delays import wall_clock

LATEST_TOLERANCE = timedelta(hours=1)
FIRST_ZONE = ZoneInfo("Pacific/Apia")  # where a day begins first, but for a few islands
_HORIZON = 400 * 31  # days without a run after which a schedule is taken never to run again


class Repeat(StrEnum):
    ONCE = ""
    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"


@dataclass(frozen=True, slots=True)
class Schedule:
    """`month_days` are 1 to 31 and -1 for the last day; a day that a month lacks is its last. `until` is included."""

    first_day: date
    at: time
    repeat: Repeat = Repeat.ONCE
    every: int = 1
    weekdays: frozenset[int] = frozenset()
    month_days: frozenset[int] = frozenset()
    until: date | None = None
    most: int | None = None


def days(schedule: Schedule) -> Iterator[date]:
    """Every day on which it runs, in order; endless where the schedule is."""
    found = _every_day(schedule) if schedule.every > 0 else iter(())
    for number, day in enumerate(found):
        is_over = schedule.until is not None and day > schedule.until
        if is_over or (schedule.most is not None and number >= schedule.most):
            return
        yield day


def runs_on(schedule: Schedule, day: date) -> bool:
    """Whether it runs on that day."""
    return next((found for found in days(schedule) if found >= day), None) == day


def _every_day(schedule: Schedule) -> Iterator[date]:
    match schedule.repeat:
        case Repeat.ONCE:
            yield schedule.first_day
        case Repeat.DAILY:
            yield from _steps(schedule.first_day, schedule.every)
        case Repeat.WEEKLY:
            yield from _weekly(schedule)
        case Repeat.MONTHLY:
            yield from _monthly(schedule)
        case _:
            assert_never(schedule.repeat)


def _steps(day: date, size: int) -> Iterator[date]:
    try:
        while True:
            yield day
            day += timedelta(days=size)
    except OverflowError:
        return


def _weekly(schedule: Schedule) -> Iterator[date]:
    monday = schedule.first_day - timedelta(days=schedule.first_day.weekday())
    for week in _steps(monday, 7 * schedule.every) if schedule.weekdays else ():
        for weekday in sorted(schedule.weekdays):
            day = week + timedelta(days=weekday)
            if day >= schedule.first_day:
                yield day


def _monthly(schedule: Schedule) -> Iterator[date]:
    month = schedule.first_day.year * 12 + schedule.first_day.month - 1
    while schedule.month_days and month // 12 < date.max.year:
        year, index = divmod(month, 12)
        last = calendar.monthrange(year, index + 1)[1]
        for number in sorted({last if n == -1 else min(n, last) for n in schedule.month_days}):
            day = date(year, index + 1, number)
            if day >= schedule.first_day:
                yield day
        month += schedule.every


def runs(schedule: Schedule, zone: ZoneInfo) -> Iterator[datetime]:
    """Every run as an aware UTC moment, by the clocks of the zone."""
    return (wall_clock(day, schedule.at, zone) for day in days(schedule))


def next_days(schedule: Schedule, after: datetime, zone: ZoneInfo, count: int) -> list[date]:
    """The next days on which it runs, the moment on the zone's clocks being later than `after`."""
    return list(islice((day for day in days(schedule) if wall_clock(day, schedule.at, zone) > after), count))


def next_day(schedule: Schedule, after: datetime, zone: ZoneInfo) -> date | None:
    """The first of them; None once it has ended."""
    return next(iter(next_days(schedule, after, zone, 1)), None)


def first_moment(day: date, at: time, has_earliest: bool) -> datetime:
    """When the first zone's clocks show that time; `has_earliest` says that somebody lives at UTC+14."""
    if has_earliest:
        return datetime.combine(day, at, tzinfo=UTC) - timedelta(hours=14)
    return wall_clock(day, at, FIRST_ZONE)


def local_due(day: date, at: time, zone: ZoneInfo, now: datetime) -> datetime | None:
    """When somebody in the zone is due: the time on their clock, at once if up to an hour ago, else None."""
    moment = wall_clock(day, at, zone)
    if now - moment > LATEST_TOLERANCE:
        return None
    return max(moment, now)


def gap_at(day: date, at: time, zone: ZoneInfo) -> datetime | None:
    """Where clocks skip this time of this day, the first moment after the gap; None where the time exists."""
    moment = wall_clock(day, at, zone)
    shown = moment.astimezone(zone)
    return None if (shown.date(), shown.time().replace(fold=0)) == (day, at) else moment
