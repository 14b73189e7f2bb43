"""Tells whoever made a campaign or Canvas that its messages waited too long for their turn and were dropped."""

from datetime import datetime, timedelta
from functools import partial

from django.db.models import Sum
from django.utils.translation import gettext as _

from outreach import counters
from outreach.models import DailyCount, Metric, Outreach
from workspace import notifications
from workspace.models import NotificationKind

REASONS = ("rate_limited", "late_72h")
DAY = timedelta(days=1)


def tell(now: datetime) -> None:
    """One mail a day for each outreach with such messages (timetable)."""
    today = counters.today(now)
    rows = DailyCount.objects.filter(day=today, metric=Metric.ABORTED, reason__in=REASONS, count__gt=0)
    dropped = dict(rows.values_list("outreach").annotate(Sum("count")))
    for outreach in Outreach.objects.filter(pk__in=dropped).select_related("created_by"):
        email = outreach.created_by.email if outreach.created_by and outreach.created_by.is_active else ""
        write = partial(_mail, outreach.name, dropped[outreach.pk])
        about = f"late {outreach.pk}"
        notifications.tell(NotificationKind.WEBHOOK_ERRORS, about, DAY, now, write, [email] if email else [])


def _mail(name: str, count: int) -> tuple[str, str]:
    shown = {"name": name, "count": f"{count:,}"}
    subject = _("“%(name)s”: messages were dropped after 72 hours") % shown
    text = _(
        "%(count)s messages of “%(name)s” waited 72 hours for their turn and were dropped today. Its speed limit is "
        "too low for its audience, or it was held up."
    )
    return subject, text % shown
