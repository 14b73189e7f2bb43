"""Pause, stop, finish, resume and archive a Canvas, and what each does to the journeys inside.

Paused: nobody enters, nothing is sent, timers stand still. Stopped: whose time passes meanwhile leaves. Finishing:
nobody enters, those inside go on. The engine reads the status; what is done here is only what it can't see.
"""

from datetime import datetime

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext as _

from canvas import live
from canvas.livetest import wipe
from canvas.models import Canvas, Journey, Kind
from canvas.states import MOVED_BY_A_PAUSE, Reason, State, Waiting
from outreach import lifecycle
from outreach.delays import Mode
from outreach.errors import WrongStatus
from outreach.models import Status
from workspace.queues import wake


def pause(canvas: Canvas, now: datetime) -> None:
    """Hold everything where it is."""
    with transaction.atomic():
        lifecycle.pause(canvas, now)
        _set(canvas, held_since=now)


def stop(canvas: Canvas, now: datetime) -> None:
    """End the sending. Those who wait for a later time stay; those whose message was cancelled just now leave."""
    was_paused = canvas.status == Status.PAUSED
    with transaction.atomic():
        if was_paused:
            _let_timers_run(canvas, now)
        lifecycle.stop(canvas, now)
        _set(canvas, held_since=now, is_finishing=False)
        _inside(canvas).filter(state=State.SENDING).update(wake_at=now)
        wake("canvas")


def finish(canvas: Canvas, now: datetime) -> None:
    """Let nobody in any more; the Canvas stops by itself when the last journey has ended."""
    if canvas.status != Status.ACTIVE:
        raise WrongStatus(_("Only an active Canvas can be finished."))
    _set(canvas, is_finishing=True)


def stop_finished(now: datetime) -> int:
    """Stop Canvases that were finishing and are empty (timetable)."""
    count = 0
    for canvas in Canvas.objects.filter(is_finishing=True, status=Status.ACTIVE):
        if not _inside(canvas).exists():
            stop(canvas, now)
            count += 1
    return count


def resume(canvas: Canvas, now: datetime) -> None:
    """Go on: after a pause with the time each had left, after a stop without those whose time has passed."""
    before = Canvas.with_tests.get(pk=canvas.pk)
    with transaction.atomic():
        lifecycle.resume(canvas, now)
        if before.status == Status.PAUSED:
            _let_timers_run(before, now)
        elif before.held_since:
            missed = _inside(canvas).filter(wake_at__gte=before.held_since, wake_at__lte=now, latched="")
            missed.update(latched=Reason.STOPPED)
        _set(canvas, held_since=None, is_finishing=False)
        _wake_the_noted(canvas, now)
        wake("canvas")


def archive(canvas: Canvas, now: datetime) -> None:
    """Retire it: every journey inside ends, and so does its live test."""
    wipe.everything(canvas, now)
    with transaction.atomic():
        lifecycle.archive(canvas, now)
        _inside(canvas).update(wake_at=now)
        wake("canvas")


def _set(canvas: Canvas, **values: object) -> None:
    Canvas.with_tests.filter(pk=canvas.pk).update(**values)
    for name, value in values.items():
        setattr(canvas, name, value)


def _inside(canvas: Canvas) -> "QuerySet[Journey]":
    return Journey.objects.filter(canvas=canvas, ended_at=None).exclude(state=State.CONTROL)


def _let_timers_run(canvas: Canvas, now: datetime) -> None:
    """Move durations on by the length of the pause; times on the wall stay, and a date that passed is over."""
    if canvas.held_since is None:
        return
    waiting = _inside(canvas).filter(wake_at__isnull=False)
    waiting.filter(waits_for__in=MOVED_BY_A_PAUSE, choice=None).update(wake_at=F("wake_at") + (now - canvas.held_since))
    here = live.of([canvas.pk]).get(canvas.pk)
    dates = (
        [node.id for node in here.graph.nodes_of(Kind.DELAY) if node.settings.get("mode") == Mode.DATE] if here else []
    )
    passed = waiting.filter(waits_for=Waiting.DATE, step_id__in=dates, wake_at__gte=canvas.held_since, wake_at__lte=now)
    passed.filter(latched="").update(latched=Reason.DATE_PASSED)


def _wake_the_noted(canvas: Canvas, now: datetime) -> None:
    """What events noted meanwhile takes effect: exits at once, unranked actions whose window is still open."""
    here = live.of([canvas.pk]).get(canvas.pk)
    if here is None:
        return
    ranked = [node.id for node in here.graph.nodes_of(Kind.ACTION_PATHS) if node.settings.get("ranked")]
    acted = Q(choice__isnull=False, waits_for=Waiting.ACTIONS) & ~Q(step_id__in=ranked)
    noted = ~Q(latched="") if here.graph.exits_at_once else Q(latched__in=[Reason.STOPPED, Reason.DATE_PASSED])
    _inside(canvas).filter(acted | noted, wake_at__gt=now).update(wake_at=now)
