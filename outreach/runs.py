"""The runs of schedules, for campaigns and Canvases alike: when they are, which comes next, and who is due when.

What is scheduled (`Timed`) is an outreach with the fields of `outreach.models.Scheduled`.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from audience.models import Profile
from outreach import plan, schedule, zones
from outreach.models import Occurrence
from outreach.schedule import Repeat, Schedule
from workspace.models import Workspace

Timed = Any
EARLIEST = ("Pacific/Kiritimati", "Etc/GMT-14")  # zones where a day begins before it does in Samoa
CATCH_UP = 400  # missed runs noted one by one after a long stop


def zone_of(timed: Timed) -> ZoneInfo:
    """The zone whose clocks its schedule follows: the company's when it was launched."""
    return zones.named(timed.zone, zones.company().key)


def keep_zone(timed: Timed) -> None:
    """At launch: the schedule goes on by the company's clocks of now."""
    timed.zone = timed.zone or Workspace.current().time_zone
    type(timed).objects.filter(pk=timed.pk).update(zone=timed.zone)


def schedule_of(timed: Timed, now: datetime) -> Schedule:
    """The schedule; one without a start starts now."""
    start = (timed.start_at or timed.launched_at or now).astimezone(zone_of(timed))
    return Schedule(
        start.date(),
        start.time().replace(fold=0),
        Repeat(timed.recurrence),
        timed.every,
        frozenset(timed.weekdays),
        frozenset(timed.month_days),
        timed.end_on,
        timed.run_count,
    )


def upcoming(timed: Timed, after: datetime, count: int = 5) -> list[datetime]:
    """The next runs as moments; in local time, as the clocks of its own zone show them."""
    zone, plan_of_days = zone_of(timed), schedule_of(timed, after)
    if not timed.recurrence and timed.start_at is None:
        return [after]
    found = schedule.next_days(plan_of_days, after - timedelta(seconds=1), zone, count)
    return [schedule.wall_clock(day, plan_of_days.at, zone) for day in found]


def first_run(timed: Timed, now: datetime, limit: int | None = None, phase: int = 0) -> Occurrence | None:
    """The occurrence that a launch brings about; None where the schedule has ended."""
    if not timed.start_at and not timed.recurrence:
        return plan.occurrence_at(timed, now, limit, phase=phase)
    return add_run(timed, now - _tolerance(timed), now, limit, phase)


def _tolerance(timed: Timed) -> timedelta:
    """How far back a launch looks: in local time the day may have begun elsewhere already."""
    return timedelta(hours=26) if timed.is_local else timedelta(seconds=1)


def catch_up(timed: Timed, now: datetime, phase: int = 0) -> None:
    """Add runs after the last one, up to the first that can still be sent; those gone by are noted as missed."""
    for _ in range(CATCH_UP):
        last = timed.occurrences.order_by("-planned_at").first()
        if last is None or (added := add_run(timed, nominal(timed, last), now, phase=phase)) is None:
            return
        if added.local_day or now - added.planned_at <= plan.LATENESS_ALLOWED:
            return
        Occurrence.objects.filter(pk=added.pk, cursor=0, finished_at=None).update(
            result=Occurrence.Result.MISSED, finished_at=now
        )


def nominal(timed: Timed, occurrence: Occurrence) -> datetime:
    """The moment of a run by the clocks of the schedule's own zone."""
    if occurrence.local_day is None or occurrence.local_time is None:
        return occurrence.planned_at
    return schedule.wall_clock(occurrence.local_day, occurrence.local_time, zone_of(timed))


def add_run(
    timed: Timed, after: datetime, now: datetime, limit: int | None = None, phase: int = 0
) -> Occurrence | None:
    """The occurrence of the first run later than that; None where there is none."""
    days = schedule_of(timed, now)
    day = schedule.next_day(days, after, zone_of(timed))
    if day is None:
        return None
    if not timed.is_local:
        moment = schedule.wall_clock(day, days.at, zone_of(timed))
        return plan.occurrence_at(timed, moment, limit, phase=phase)
    first = schedule.first_moment(day, days.at, Profile.objects.filter(time_zone__in=EARLIEST).exists())
    return plan.occurrence_at(timed, first, limit, local=datetime.combine(day, days.at), phase=phase)


def due_times(occurrence: Occurrence, ids: Sequence[int], now: datetime) -> Mapping[int, datetime]:
    """When each profile is due; none for those whose local time is more than an hour past."""
    if occurrence.local_day is None or occurrence.local_time is None:
        return dict.fromkeys(ids, occurrence.planned_at)
    places = zones.of_profiles(ids)
    by_zone = {
        zone: schedule.local_due(occurrence.local_day, occurrence.local_time, zone, now)
        for zone in set(places.values())
    }
    return {pk: due for pk, zone in places.items() if (due := by_zone[zone]) is not None}
