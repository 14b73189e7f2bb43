"""RQ entry points of the audience."""

from django.utils import timezone

from audience import counting, dispatch
from workspace import queues
from workspace.worker import stopping


def react() -> int:
    """React to pending events (queue `events`)."""
    queues.woken("events")
    return dispatch.run(timezone.now, stopping)


def work() -> None:
    """Do what people asked for and wait for: exact counts (queue `default`)."""
    counting.count_waiting(timezone.now())


def tidy() -> None:
    """Record the daily sizes of segments (timetable)."""
    counting.record_sizes(timezone.now())
