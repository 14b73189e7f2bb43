"""When delays are over, to the second (Canvas specification, scenarios 1 to 6 of section 22)."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from outreach import delays

SEOUL, NEW_YORK = ZoneInfo("Asia/Seoul"), ZoneInfo("America/New_York")
A_DAY_AT_TWO = {"mode": "after", "count": 1, "unit": "days", "at": "14:00"}
TOMORROW_AT_NINE = {"mode": "days", "count": 1, "at": "09:00"}
THURSDAY = {"mode": "weekday", "weekday": 3, "at": "16:00"}


@pytest.mark.parametrize(
    ("settings", "start", "end"),
    [
        ({"mode": "after", "count": 1, "unit": "days"}, "2026-04-13 14:01:30", "2026-04-14 14:01:30"),
        (A_DAY_AT_TWO, "2026-04-13 14:01:00", "2026-04-15 14:00:00"),
        (A_DAY_AT_TWO, "2026-04-13 13:59:00", "2026-04-14 14:00:00"),
        (A_DAY_AT_TWO, "2026-04-13 14:00:00", "2026-04-14 14:00:00"),
        (TOMORROW_AT_NINE, "2026-04-13 21:00:00", "2026-04-14 09:00:00"),
        (TOMORROW_AT_NINE, "2026-04-14 00:05:00", "2026-04-15 09:00:00"),
        (THURSDAY, "2026-04-16 15:00:00", "2026-04-16 16:00:00"),
        (THURSDAY, "2026-04-17 15:00:00", "2026-04-23 16:00:00"),
        (THURSDAY | {"if_passed": "next_week"}, "2026-04-16 17:00:00", "2026-04-23 16:00:00"),
        (THURSDAY | {"if_passed": "same_day"}, "2026-04-16 17:00:00", "2026-04-16 17:00:00"),
        (THURSDAY | {"mode": "next_weekday"}, "2026-04-16 15:00:00", "2026-04-23 16:00:00"),
        ({"mode": "date", "date": "2026-04-16", "at": "16:00"}, "2026-04-16 18:00:00", None),
        ({"mode": "date", "date": "2026-04-16", "at": "16:00"}, "2026-04-16 15:59:59", "2026-04-16 16:00:00"),
    ],
)
def test_it_is_over(settings, start, end):
    found = delays.due_at(delays.read(settings), _seoul(start), SEOUL)
    assert found == (_seoul(end) if end else None)


def test_a_date_on_the_profiles_clock_in_summer_time():
    delay = delays.read({"mode": "date", "date": "2026-06-17", "at": "13:00", "zone": "local"})
    assert delay.uses_profile_zone
    assert delays.due_at(delay, _seoul("2026-06-01 09:00:00"), NEW_YORK) == _seoul("2026-06-18 02:00:00")


@pytest.mark.parametrize(
    "settings", [A_DAY_AT_TWO, TOMORROW_AT_NINE, THURSDAY, THURSDAY | {"mode": "next_weekday"}], ids=str
)
def test_the_longest_wait_is_never_exceeded(settings):
    delay = delays.read(settings)
    for hours in range(0, 24 * 8, 5):
        start = _seoul("2026-04-13 00:05:00") + timedelta(hours=hours)
        assert delays.due_at(delay, start, SEOUL) - start <= delays.longest(delay, start, SEOUL)


def _seoul(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SEOUL)
