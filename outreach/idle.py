"""Outreach that is active and has nothing left to do: whoever made it is told, and after a while it is stopped."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from django.db.models import Max
from django.utils.translation import gettext as _

from outreach.models import Outreach
from webhooks.models import Message, Receipt
from workspace import notifications
from workspace.models import NotificationKind

ONCE = timedelta(days=3_650)  # nobody is told twice of the same


@dataclass(frozen=True, slots=True)
class Idle:
    """Since when it has had nothing to do, and when it stops by itself."""

    since: datetime
    stops_at: datetime


def run_out(outreach: Outreach) -> datetime | None:
    """When the last of its runs was finished; None where one is to come, or there was none."""
    runs = outreach.occurrences.all()
    if runs.filter(finished_at=None).exists():
        return None
    found: datetime | None = runs.aggregate(last=Max("finished_at"))["last"]
    return found


def is_sending(outreach: Outreach) -> bool:
    """Whether any message of it waits."""
    return Message.objects.filter(lane__sender=outreach.sender_id, finished_at=None).exists()


def last_sign(outreach: Outreach) -> datetime | None:
    """When it last sent something, was edited or launched, whichever is latest."""
    received = Receipt.objects.filter(sender=outreach.sender_id).aggregate(last=Max("received_at"))["last"]
    return max(filter(None, (received, outreach.launched_at, outreach.updated_at)), default=None)


def carry_out(outreach: Outreach, idle: Idle, now: datetime, stop: Callable[[], None]) -> bool:
    """Tell whoever made it, once; stop it where its time is over. Whether it was stopped."""
    if now >= idle.stops_at:
        stop()
        return True
    email = outreach.created_by.email if outreach.created_by and outreach.created_by.is_active else ""
    if email:
        about = f"idle {outreach.pk} {idle.since:%Y-%m-%d}"
        write = partial(_mail, outreach.name, idle)
        notifications.tell(NotificationKind.WEBHOOK_ERRORS, about, ONCE, now, write, [email])
    return False


def _mail(name: str, idle: Idle) -> tuple[str, str]:
    shown = {"name": name, "since": f"{idle.since:%Y-%m-%d}", "until": f"{idle.stops_at:%Y-%m-%d}"}
    subject = _("“%(name)s” has nothing left to send") % shown
    text = _("“%(name)s” is active, but has had nothing to do since %(since)s. It stops by itself on %(until)s.")
    return subject, f"{text % shown}\n"
