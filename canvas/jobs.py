"""RQ entry points of Canvases."""

import logging

from django.utils import timezone

from canvas import engine, experiments, idle, lifecycle, watchdog
from workspace import queues
from workspace.worker import stopping

logger = logging.getLogger(__name__)


def move_due() -> int:
    """Move the journeys whose time has come (queue `canvas`)."""
    queues.woken("canvas")
    moved = engine.run(stopping=stopping)
    if moved and engine.due_steps(engine.database_now()):
        queues.wake("canvas")
    return moved


def tidy() -> None:
    """Stop Canvases that have finished, and wake journeys that nothing would wake (timetable)."""
    now = timezone.now()
    lifecycle.stop_finished(now)
    idle.check_due(now)
    experiments.decide_due(now)
    watchdog.wake_the_lost(now)
    for canvas, count in watchdog.overdue(now).items():
        logger.warning("canvas=%s overdue=%s", canvas, count)
