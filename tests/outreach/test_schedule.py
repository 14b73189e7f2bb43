"""Schedules over clock changes, month ends and leap days, in every zone there is."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outreach import schedule
from outreach.schedule import Repeat, Schedule
from outreach.windows import Window, overlap

ZONES = sorted(
    zone for zone in available_timezones() if not zone.startswith(("posix", "right")) and zone != "localtime"
)
NEW_YORK, SEOUL, APIA = ZoneInfo("America/New_York"), ZoneInfo("Asia/Seoul"), ZoneInfo("Pacific/Apia")
zones = st.sampled_from(ZONES).map(ZoneInfo)
times = st.times().map(lambda at: at.replace(second=0, microsecond=0, fold=0))
first_days = st.dates(date(2025, 1, 1), date(2026, 12, 31))


@st.composite
def schedules(draw) -> Schedule:
    return Schedule(
        draw(first_days),
        draw(times),
        draw(st.sampled_from(Repeat)),
        draw(st.integers(1, 5)),
        frozenset(draw(st.sets(st.integers(0, 6), min_size=1))),
        frozenset(draw(st.sets(st.sampled_from([*range(1, 32), -1]), min_size=1, max_size=4))),
        draw(st.none() | st.dates(date(2025, 6, 1), date(2028, 1, 1))),
        draw(st.none() | st.integers(1, 40)),
    )


@given(schedules(), zones)
@settings(max_examples=300, deadline=None)
def test_every_day_has_one_moment_and_the_clock_shows_the_time(plan, zone):
    days = list(islice(schedule.days(plan), 60))
    moments = list(islice(schedule.runs(plan, zone), 60))
    assert len(set(moments)) == len(set(days)) == len(days)
    assert all(one < other for one, other in pairwise(moments))
    for day, moment in zip(days, moments, strict=True):
        shown = moment.astimezone(zone).replace(tzinfo=None, fold=0)
        skipped = schedule.gap_at(day, plan.at, zone)
        assert shown == datetime.combine(day, plan.at) or (
            skipped == moment and timedelta() < shown - datetime.combine(day, plan.at) <= timedelta(days=1)
        )


@given(schedules())
@settings(deadline=None)
def test_a_schedule_keeps_its_bounds(plan):
    days = list(islice(schedule.days(plan), 60))
    assert all(day >= plan.first_day for day in days)
    assert all(plan.until is None or day <= plan.until for day in days)
    assert plan.most is None or len(days) <= plan.most
    if plan.repeat is Repeat.WEEKLY:
        assert {day.weekday() for day in days} <= plan.weekdays
    if plan.repeat is Repeat.DAILY:
        assert {(later - earlier).days for earlier, later in pairwise(days)} <= {plan.every}


@given(schedules(), zones, st.datetimes(datetime(2025, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)))
@settings(deadline=None)
def test_the_next_run_is_the_first_one_later(plan, zone, now):
    expected = next((m for m in islice(schedule.runs(plan, zone), 5000) if m > now), None)
    day = schedule.next_day(plan, now, zone)
    assert (day is None) == (expected is None)
    if day is not None:
        assert schedule.wall_clock(day, plan.at, zone) == expected


@pytest.mark.parametrize(
    ("days_of_month", "expected"),
    [
        ({31}, ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30"]),
        ({-1}, ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30"]),
        ({29, 30, 31}, ["2026-01-29", "2026-01-30", "2026-01-31", "2026-02-28"]),
        ({15, -1}, ["2026-01-15", "2026-01-31", "2026-02-15", "2026-02-28"]),
    ],
)
def test_a_day_that_a_month_lacks_is_its_last(days_of_month, expected):
    plan = Schedule(date(2026, 1, 15), time(9), Repeat.MONTHLY, month_days=frozenset(days_of_month))
    assert [f"{day}" for day in islice(schedule.days(plan), 4)] == expected


def test_the_29th_of_february():
    plan = Schedule(date(2028, 2, 29), time(9), Repeat.MONTHLY, 12, month_days=frozenset({29}))
    assert [f"{day}" for day in islice(schedule.days(plan), 3)] == ["2028-02-29", "2029-02-28", "2030-02-28"]


def test_every_second_week_counts_from_the_week_of_the_start():
    plan = Schedule(date(2026, 7, 1), time(9), Repeat.WEEKLY, 2, weekdays=frozenset({0, 3}))  # a Wednesday
    assert [day.day for day in islice(schedule.days(plan), 4)] == [2, 13, 16, 27]


def test_a_recurrence_without_days_never_fires():
    assert list(schedule.days(Schedule(date(2026, 1, 1), time(9), Repeat.WEEKLY))) == []
    assert list(schedule.days(Schedule(date(2026, 1, 1), time(9), Repeat.MONTHLY))) == []
    ended = Schedule(date(2026, 1, 2), time(9), Repeat.DAILY, until=date(2026, 1, 1))
    assert list(schedule.days(ended)) == []


def test_the_last_day_is_included():
    plan = Schedule(date(2026, 1, 1), time(9), Repeat.DAILY, until=date(2026, 1, 3))
    assert len(list(schedule.days(plan))) == 3


def test_a_skipped_hour_moves_on_and_a_doubled_one_sends_once():
    spring = Schedule(date(2026, 3, 7), time(2, 30), Repeat.DAILY, most=3)
    assert [m.astimezone(NEW_YORK).hour for m in schedule.runs(spring, NEW_YORK)] == [2, 3, 2]
    autumn = Schedule(date(2026, 10, 31), time(1, 30), Repeat.DAILY, most=3)
    gaps = [later - earlier for earlier, later in pairwise(schedule.runs(autumn, NEW_YORK))]
    assert gaps == [timedelta(hours=24), timedelta(hours=25)]


def test_samoa_is_asked_first():
    """2 pm on 7 August for New York is first checked at 9 pm on the 6th there."""
    first = schedule.first_moment(date(2026, 8, 7), time(14), has_earliest=False)
    assert first.astimezone(NEW_YORK).replace(tzinfo=None) == datetime(2026, 8, 6, 21)
    due = schedule.local_due(date(2026, 8, 7), time(14), NEW_YORK, first)
    assert due.astimezone(NEW_YORK).replace(tzinfo=None) == datetime(2026, 8, 7, 14)


def test_islands_further_ahead_are_not_late():
    first = schedule.first_moment(date(2026, 8, 7), time(14), has_earliest=True)
    assert schedule.local_due(date(2026, 8, 7), time(14), ZoneInfo("Pacific/Kiritimati"), first) == first


@pytest.mark.parametrize(("hours_ahead", "is_sent", "waits"), [(2, True, True), (0, True, False), (-1, True, False)])
def test_a_late_launch_in_local_time(hours_ahead, is_sent, waits):
    """Launched at 1 pm for 3 pm: where it is 3 to 4 pm they get it now, where it is 5 pm not at all."""
    now = datetime(2026, 8, 7, 13, tzinfo=UTC)
    zone = ZoneInfo(f"Etc/GMT{hours_ahead - 2:+d}")
    due = schedule.local_due(date(2026, 8, 7), time(15), zone, now)
    assert (due is not None, due is not None and due > now) == (is_sent, waits)


def test_an_hour_and_a_second_late_is_too_late():
    now = datetime(2026, 8, 7, 16, 0, 1, tzinfo=UTC)
    assert schedule.local_due(date(2026, 8, 7), time(15), ZoneInfo("UTC"), now) is None


# --- windows of the day


@given(times, times, zones, st.datetimes(datetime(2025, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)))
@settings(max_examples=300, deadline=None)
def test_a_window_closes_at_its_end_and_opens_at_its_start(start, end, zone, now):
    window = Window(start, end)
    closed = window.closes(now, zone)
    assert closed >= now
    assert not window.holds(closed, zone)
    assert closed - now <= timedelta(hours=50)
    if start != end:
        opened = window.opens(now, zone)
        assert opened >= now
        assert window.holds(opened, zone) or schedule.gap_at(opened.astimezone(zone).date(), start, zone) is not None


def test_it_is_quiet_at_the_start_and_not_at_the_end():
    night = Window(time(22), time(8))
    at = lambda hour, minute=0: datetime(2026, 5, 5, hour, minute, tzinfo=SEOUL)  # noqa: E731
    assert [night.holds(at(h), SEOUL) for h in (21, 22, 0, 7, 8)] == [False, True, True, True, False]
    assert night.closes(at(23), SEOUL) == datetime(2026, 5, 6, 8, tzinfo=SEOUL)


def test_a_night_before_a_clock_change_ends_by_the_new_clock():
    night = Window(time(22), time(8))
    saturday = datetime(2026, 3, 7, 23, tzinfo=NEW_YORK)
    assert night.closes(saturday, NEW_YORK).astimezone(NEW_YORK).hour == 8


def test_windows_that_never_overlap_are_seen():
    assert not overlap(Window(time(9), time(12)), Window(time(8), time(13)))
    assert overlap(Window(time(9), time(12)), Window(time(10), time(13)))
