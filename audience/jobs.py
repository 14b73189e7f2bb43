"""RQ entry points of the audience."""

from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from audience import counting, dispatch
from audience.imports import runs, setup
from workspace import queues
from workspace.worker import stopping


def react() -> int:
    """React to pending events (queue `events`)."""
    queues.woken("events")
    count = dispatch.run(timezone.now, stopping)
    if count and dispatch.is_due(timezone.now()):
        queues.wake("events")
    return count


def work() -> None:
    """Do what people asked for and wait for: exact counts, imports (queue `default`)."""
    counting.count_waiting(timezone.now())
    runs.run_waiting(stopping)


def tidy() -> None:
    """Record the daily sizes of segments, delete old files (timetable)."""
    counting.record_sizes(timezone.now())
    setup.prune(timezone.now() - timedelta(days=settings.IMPORT_DAYS_KEPT))
