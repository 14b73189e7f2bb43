"""RQ entry points of planning."""

from django.utils import timezone

from outreach import counters, direct, experiments, late, lifecycle, plan, shipping
from outreach.models import Outreach, Status
from workspace import queues


def plan_due() -> int:
    """Plan every occurrence that is due (queue `plan`)."""
    queues.woken("plan")
    return plan.plan_due(timezone.now())


def tidy() -> None:
    """Cancel what was on the wire when its outreach was stopped and has come back since; move the shares of
    intelligent selections; tell people of messages that were dropped, and other systems what happened (timetable).
    """
    stopped = Outreach.with_tests.filter(status__in=[Status.STOPPED, Status.ARCHIVED], sender__lanes__is_open=True)
    for outreach in stopped.distinct():
        lifecycle.cancel_waiting(outreach, timezone.now())
    late.tell(timezone.now())
    experiments.recalculate_due(timezone.now())
    shipping.ship(timezone.now())
    shipping.prune(timezone.now())
    direct.prune(timezone.now())
    counters.prune_hours(timezone.now())
