"""RQ entry points of planning."""

from django.utils import timezone

from outreach import lifecycle, plan
from outreach.models import Outreach, Status
from workspace import queues


def plan_due() -> int:
    """Plan every occurrence that is due (queue `plan`)."""
    queues.woken("plan")
    return plan.plan_due(timezone.now())


def tidy() -> None:
    """Cancel what was on the wire when its outreach was stopped and has come back since (timetable)."""
    stopped = Outreach.objects.filter(status__in=[Status.STOPPED, Status.ARCHIVED], sender__lanes__is_open=True)
    for outreach in stopped.distinct():
        lifecycle.cancel_waiting(outreach, timezone.now())
