"""When a delay is over (Canvas specification, section 9; campaigns specification, section 6.3). Pure.

Durations are absolute: a day is 24 hours. Wall-clock settings follow the clock on the wall: a time that a clock change
skips becomes the first moment after the gap, a time that comes twice is the first of the two.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Any, assert_never
from zoneinfo import ZoneInfo

SECONDS = {"seconds": 1, "minutes": 60, "hours": 3_600, "days": 86_400, "weeks": 604_800}
MOST_DAYS = 730


class Mode(StrEnum):
    NONE = "none"
    AFTER = "after"  # n units, then perhaps the next time the clock shows `at`
    DAYS = "days"  # n calendar days, at a time
    DATE = "date"  # a date and time
    WEEKDAY = "weekday"  # a weekday and time, today if it is still ahead
    NEXT_WEEKDAY = "next_weekday"  # the same, never today


@dataclass(frozen=True, slots=True)
class Delay:
    """`weekday` counts from Monday as 0. `goes_on_today`: a weekday time that is over today means at once."""

    mode: Mode = Mode.NONE
    count: int = 0
    unit: str = "days"
    at: time | None = None
    day: date | None = None
    weekday: int = 0
    goes_on_today: bool = False
    is_local: bool = False

    @property
    def uses_profile_zone(self) -> bool:
        """Whether the profile's own time zone matters; calendar days without a time are the company's."""
        return self.is_local and self.at is not None

    @property
    def follows_the_clock(self) -> bool:
        """Whether the end is a time on the wall, which a pause doesn't move."""
        return self.mode in (Mode.DAYS, Mode.DATE, Mode.WEEKDAY, Mode.NEXT_WEEKDAY) or self.at is not None


def read(settings: Mapping[str, Any]) -> Delay:
    """The delay that settings without problems describe."""
    at, day = settings.get("at"), settings.get("date")
    return Delay(
        mode=Mode(settings.get("mode") or Mode.NONE),
        count=int(settings.get("count") or 0),
        unit=settings.get("unit") or "days",
        at=time.fromisoformat(at) if at else None,
        day=date.fromisoformat(day) if day else None,
        weekday=int(settings.get("weekday") or 0),
        goes_on_today=settings.get("if_passed") == "same_day",
        is_local=settings.get("zone") == "local",
    )


def due_at(delay: Delay, start: datetime, zone: ZoneInfo) -> datetime | None:
    """The aware UTC moment when a delay that began at `start` is over; None for a date that has passed.

    `zone` is the profile's if `delay.uses_profile_zone`, else the company's.
    """
    match delay.mode:
        case Mode.NONE:
            return start
        case Mode.AFTER:
            return _after(delay, start, zone)
        case Mode.DAYS:
            return wall_clock(_local_day(start, zone) + timedelta(days=delay.count), delay.at or time(), zone)
        case Mode.DATE:
            moment = wall_clock(delay.day or _local_day(start, zone), delay.at or time(), zone)
            return moment if moment > start else None
        case Mode.WEEKDAY | Mode.NEXT_WEEKDAY:
            return _weekday(delay, start, zone)
        case _:
            assert_never(delay.mode)


def duration(delay: Delay) -> timedelta:
    return timedelta(seconds=delay.count * SECONDS[delay.unit])


def _after(delay: Delay, start: datetime, zone: ZoneInfo) -> datetime:
    end = start + duration(delay)
    return end if delay.at is None else next_time(end, delay.at, zone)


def next_time(moment: datetime, at: time, zone: ZoneInfo) -> datetime:
    """The first moment, this one included, at which clocks in the zone show the time."""
    today = wall_clock(_local_day(moment, zone), at, zone)
    return today if today >= moment else wall_clock(_local_day(moment, zone) + timedelta(days=1), at, zone)


def _weekday(delay: Delay, start: datetime, zone: ZoneInfo) -> datetime:
    today = _local_day(start, zone)
    ahead = (delay.weekday - today.weekday()) % 7
    if ahead == 0 and delay.mode is Mode.NEXT_WEEKDAY:
        ahead = 7
    moment = wall_clock(today + timedelta(days=ahead), delay.at or time(), zone)
    if moment > start:
        return moment
    return start if delay.goes_on_today else wall_clock(today + timedelta(days=7), delay.at or time(), zone)


def longest(delay: Delay, now: datetime, zone: ZoneInfo) -> timedelta:
    """The longest that somebody who starts now or later can wait."""
    match delay.mode:
        case Mode.NONE:
            return timedelta()
        case Mode.AFTER:
            return duration(delay) + (timedelta(days=1) if delay.at else timedelta())
        case Mode.DAYS:
            return timedelta(days=delay.count + 1)
        case Mode.DATE:
            return max((due_at(delay, now, zone) or now) - now, timedelta())
        case Mode.WEEKDAY:
            return timedelta(days=7)
        case Mode.NEXT_WEEKDAY:
            return timedelta(days=8)  # early on that day, till that time a week later
        case _:
            assert_never(delay.mode)


def wall_clock(day: date, at: time, zone: ZoneInfo) -> datetime:
    """The UTC moment at which clocks in the zone show this time of this day."""
    local = datetime.combine(day, at, tzinfo=zone)
    moment = local.astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None) == local.replace(tzinfo=None):
        return moment
    return _end_of_gap(local.replace(fold=1).astimezone(UTC), moment, zone)


def _end_of_gap(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The moment between the two at which the zone's offset changes, to the second."""
    offset = after.astimezone(zone).utcoffset()
    low, high = int(before.timestamp()), int(after.timestamp())
    while high - low > 1:
        middle = (low + high) // 2
        changed = datetime.fromtimestamp(middle, zone).utcoffset() == offset
        low, high = (low, middle) if changed else (middle, high)
    return datetime.fromtimestamp(high, UTC)


def _local_day(moment: datetime, zone: ZoneInfo) -> date:
    return moment.astimezone(zone).date()
