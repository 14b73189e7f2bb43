"""The runs of scheduled Canvases (Canvas specification, section 3.1).

In local time there is a run for every moment at which some zone's clocks show the time: each lets in those whose
clocks do, and asks the audience then, not before.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from audience.models import Profile
from canvas import entry
from canvas.entry import ADMITTED, Candidate
from canvas.models import Cadence, Canvas, Entry
from outreach import plan, runs, schedule, zones
from outreach.models import Occurrence, Status


def first_run(canvas: Canvas, now: datetime) -> Occurrence | None:
    """The first occurrence of those that a launch brings about; None where the schedule has ended."""
    if not canvas.start_at and not canvas.recurrence:
        return plan.occurrence_at(canvas, now, _limit(canvas))
    if canvas.is_local:
        return _add_day(canvas, now - timedelta(hours=26), now)
    return runs.first_run(canvas, now, _limit(canvas))


def _limit(canvas: Canvas) -> int | None:
    return canvas.entry_limit if canvas.entry_cadence == Cadence.RUN else None


def add_runs(now: datetime) -> None:
    """Give every recurring Canvas its next run (`plan.schedulers`); in local time a day before the last zone's."""
    recurring = Canvas.objects.filter(status=Status.ACTIVE, entry=Entry.SCHEDULED, is_finishing=False)
    for canvas in recurring.exclude(recurrence="").select_related("sender"):
        if canvas.is_local:
            _add_next_day(canvas, now)
        elif not canvas.occurrences.filter(finished_at=None).exists():
            runs.catch_up(canvas, now)


def _add_next_day(canvas: Canvas, now: datetime) -> None:
    last = canvas.occurrences.exclude(local_day=None).order_by("-local_day").first()
    if last and canvas.occurrences.filter(local_day=last.local_day, planned_at__lte=now).exists():
        _add_day(canvas, runs.nominal(canvas, last), now)


def _add_day(canvas: Canvas, after: datetime, now: datetime) -> Occurrence | None:
    """The runs of the first day after that, for every zone that profiles live in; the earliest of them."""
    days = runs.schedule_of(canvas, now)
    day = schedule.next_day(days, after, runs.zone_of(canvas))
    while day and (moments := _moments(day, days, now)) == []:
        day = schedule.next_day(days, schedule.wall_clock(day, days.at, runs.zone_of(canvas)), runs.zone_of(canvas))
    if day is None:
        return None
    local = datetime.combine(day, days.at)
    made = [plan.occurrence_at(canvas, moment, _limit(canvas), local=local) for moment in moments]
    return made[0]


def _moments(day: date, days: schedule.Schedule, now: datetime) -> list[datetime]:
    """When clocks show the time that day, in order, without what is more than an hour ago."""
    names = Profile.objects.values_list("time_zone", flat=True).distinct()
    company = zones.company()
    places = {company, *(zones.named(name, company.key) for name in names)}
    found = {schedule.wall_clock(day, days.at, zone) for zone in places}
    return sorted(moment for moment in found if now - moment <= plan.LATENESS_ALLOWED)


def take_run(occurrence: Occurrence, profiles: Sequence[int], now: datetime) -> int | None:
    """Let a chunk of a run in; None where the run is not a Canvas's (see `outreach.plan.takers`)."""
    canvas = Canvas.objects.filter(pk=occurrence.outreach_id).first()
    if canvas is None:
        return None
    groups = _by_day(canvas, occurrence, profiles, now) if occurrence.local_day else {str(occurrence.pk): profiles}
    properties = occurrence.dispatch.context if occurrence.dispatch else None  # those of an API call
    entered = 0
    for name, people in groups.items():
        candidates = [Candidate(pk, f"run:{name}", properties) for pk in people]
        entered += entry.enter(canvas.pk, candidates, now)[ADMITTED]
    return entered


def _by_day(canvas: Canvas, occurrence: Occurrence, profiles: Sequence[int], now: datetime) -> dict[str, list[int]]:
    """Those whose clocks show the run's time at its moment, by their date: it can be two dates on two islands.

    Where the run is late by more than an hour, nobody.
    """
    moment, found = occurrence.planned_at, dict[str, list[int]]()
    if occurrence.local_time is None or now - moment > plan.LATENESS_ALLOWED:
        return found
    days = runs.schedule_of(canvas, now)
    places = zones.of_profiles(profiles)
    here: dict[ZoneInfo, date | None] = {}
    for zone in set(places.values()):
        day = moment.astimezone(zone).date()
        is_time = schedule.wall_clock(day, occurrence.local_time, zone) == moment
        here[zone] = day if is_time and schedule.runs_on(days, day) else None
    for pk in profiles:
        if shown := here[places[pk]]:
            found.setdefault(shown.isoformat(), []).append(pk)
    return found
