"""Canvases with nothing left to do (Canvas specification, section 13). Never while anybody is inside."""

import time
from datetime import datetime, timedelta
from functools import partial

from django.db.models import Max

from canvas import conversions, lifecycle
from canvas.models import Canvas, Entry, Journey
from canvas.states import State
from outreach import idle, runs
from outreach.idle import Idle
from outreach.models import Status

GRACE = timedelta(days=7)
ELEVEN_MONTHS, A_MONTH = timedelta(days=335), timedelta(days=30)
AFTER_THE_WINDOW = timedelta(days=1)
CHECK_EVERY = 3_600.0  # seconds, in each process
_next_check = 0.0


def of(canvas: Canvas, now: datetime) -> Idle | None:
    """Since when it has nothing to do, if that is so."""
    journeys = Journey.objects.filter(canvas=canvas)
    if canvas.status != Status.ACTIVE or journeys.filter(ended_at=None).exclude(state=State.CONTROL).exists():
        return None
    since, grace = _since(canvas, journeys.aggregate(last=Max("entered_at"))["last"], now)
    if since is None or since > now:
        return None
    return Idle(since, max(since + grace, _converted(canvas)))


def _since(canvas: Canvas, entered: datetime | None, now: datetime) -> tuple[datetime | None, timedelta]:
    if canvas.end_at and canvas.end_at <= now:
        return canvas.end_at, GRACE
    if canvas.entry == Entry.SCHEDULED:
        is_to_come = bool(canvas.recurrence and runs.upcoming(canvas, now, 1))
        return (None if is_to_come else idle.run_out(canvas)), GRACE
    last = max(filter(None, (entered, idle.last_sign(canvas))), default=None)
    return (last + ELEVEN_MONTHS if last else None), A_MONTH


def _converted(canvas: Canvas) -> datetime:
    """A day after the last journey can still convert."""
    window = max((conversions.window(each) for each in canvas.conversions), default=timedelta())
    last = Journey.objects.filter(canvas=canvas).aggregate(last=Max("entered_at"))["last"] or canvas.updated_at
    end: datetime = last + window + AFTER_THE_WINDOW
    return end


def check_due(now: datetime) -> None:
    """Tell and stop, now and then; it may be called as often as one likes."""
    global _next_check
    if time.monotonic() >= _next_check:
        _next_check = time.monotonic() + CHECK_EVERY
        stop_due(now)


def stop_due(now: datetime) -> int:
    """Tell those who made idle Canvases, and stop what has been idle long enough; how many were stopped."""
    count = 0
    for canvas in Canvas.objects.filter(status=Status.ACTIVE).select_related("sender", "created_by"):
        if found := of(canvas, now):
            count += idle.carry_out(canvas, found, now, partial(lifecycle.stop, canvas, now))
    return count
