"""RQ entry points of the audience."""

from django.utils import timezone

from audience import dispatch
from workspace import queues
from workspace.worker import stopping


def react() -> int:
    """React to pending events (queue `events`)."""
    queues.woken("events")
    return dispatch.run(timezone.now, stopping)
