"""The home page: what is sending now, how today goes, which hosts fail, what comes next, and what wants attention.

A page that is open all day: a dozen queries, each bounded, and the part that moves asks for itself again.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.db.models import Exists, OuterRef, QuerySet, Sum
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from audience.models import Import
from campaigns.admin.results import chart
from canvas import watchdog
from config.pages import calendar, first_steps
from outreach import counters, progress
from outreach.models import Approval, DailyCount, HourlyCount, Metric, Outreach, Status
from outreach.progress import Progress
from webhooks import health
from webhooks.models import Lane, LogKind, Message, MessageActivityLog
from workspace import notifications, teams

SHOWN = 8
DAYS = 14
HOURS = 24
LATE = timedelta(minutes=5)
HOUR = timedelta(hours=1)
LINES = (("received", gettext_lazy("received")), ("errors", gettext_lazy("errors")))


@dataclass(frozen=True)
class Sending:
    """An outreach with messages on their way."""

    name: str
    url: str
    log: str
    progress: Progress


@dataclass(frozen=True)
class Concern:
    """Something that waits for a person: one sentence and where to go."""

    text: str
    url: str
    is_urgent: bool = False


def context(request: HttpRequest, shown: dict[str, Any]) -> dict[str, Any]:
    """What unfold's index page shows (its DASHBOARD_CALLBACK)."""
    now = timezone.now()
    mine = teams.visible(Outreach.objects.all(), request.user)
    days = by_day(mine, now)
    return shown | {
        "title": _("Home"),
        "steps": first_steps.steps(request, mine),
        "sending": sending(mine, now),
        "today": days[-1],
        "hours": bars(by_hour(mine, now)),
        "chart": chart(days, LINES),
        "days": [day for day in days if day["received"] or day["errors"]],
        "hosts": failing_hosts(now) if request.user.has_perm("webhooks.view_messageactivitylog") else [],
        "upcoming": calendar.upcoming(request.user, now, SHOWN),
        "concerns": concerns(request, mine, now),
    }


def sending_view(request: HttpRequest) -> HttpResponse:
    """The part that moves, as a fragment."""
    mine = teams.visible(Outreach.objects.all(), request.user)
    return TemplateResponse(request, "home/sending.html", {"sending": sending(mine, timezone.now())})


def sending(mine: "QuerySet[Outreach]", now: datetime) -> list[Sending]:
    """The latest launched of those that have messages waiting and may send them. Two queries."""
    has_work = Exists(Lane.objects.filter(sender=OuterRef("sender"), is_open=True))
    active = mine.filter(has_work, status=Status.ACTIVE).select_related("campaign", "canvas")
    found = list(active.order_by("-launched_at")[:SHOWN])
    sums: dict[int, dict[str, int]] = {outreach.pk: {} for outreach in found}
    rows = DailyCount.objects.filter(outreach__in=found, metric__in=Metric.values)
    for pk, metric, count in rows.values_list("outreach", "metric").annotate(Sum("count")).order_by():
        sums[pk][metric] = count
    log = reverse("admin:webhooks_messageactivitylog_changelist")
    made = [
        Sending(
            outreach.name,
            url_of(outreach),
            f"{log}?sender__id__exact={outreach.sender_id}",
            progress.of(outreach.pk, sums[outreach.pk], now.timestamp()),
        )
        for outreach in found
    ]
    return [each for each in made if each.progress.pending]


def url_of(outreach: Outreach) -> str:
    """The page of a campaign or Canvas; its `campaign` or `canvas` is best selected with it."""
    if hasattr(outreach, "campaign"):
        return reverse("admin:campaigns_campaign_change", args=[outreach.pk])
    return reverse("admin:canvas_canvas_flow", args=[outreach.pk])


def by_day(mine: "QuerySet[Outreach]", now: datetime) -> list[dict[str, Any]]:
    """Received, errors and failed of the last two weeks, today last, days without any included. One query."""
    today = counters.today(now)
    days = {today - timedelta(days=n): {"received": 0, "errors": 0, "failed": 0} for n in reversed(range(DAYS))}
    rows = DailyCount.objects.filter(day__gte=min(days), metric__in=("received", "errors", "failed"))
    rows = rows.filter(outreach__in=mine.values("pk")) if mine.query.where else rows
    for day, metric, count in rows.values_list("day", "metric").annotate(Sum("count")).order_by():
        if day in days:
            days[day][metric] = count
    return [{"day": day, **counts} for day, counts in days.items()]


@dataclass(frozen=True, slots=True)
class Hour:
    """What was answered 2xx in a clock hour, and what was not; `log` leads to what went wrong then."""

    begins: datetime
    received: int
    errors: int

    @property
    def log(self) -> str:
        ends = self.begins + HOUR
        period = urlencode({"at__gte": self.begins.isoformat(), "at__lt": ends.isoformat()})
        return f"{reverse('admin:webhooks_messageactivitylog_changelist')}?{period}"


def by_hour(mine: "QuerySet[Outreach]", now: datetime) -> list[Hour]:
    """The last 24 clock hours, the present one last. One query."""
    last = now.replace(minute=0, second=0, microsecond=0)
    first = last - (HOURS - 1) * HOUR
    rows = HourlyCount.objects.filter(hour__gte=first, hour__lte=last)
    rows = rows.filter(outreach__in=mine.values("pk")) if mine.query.where else rows
    sums = {(hour, metric): n for hour, metric, n in rows.values_list("hour", "metric").annotate(Sum("count"))}
    hours = [first + n * HOUR for n in range(HOURS)]
    return [Hour(at, sums.get((at, Metric.RECEIVED), 0), sums.get((at, Metric.ERRORS), 0)) for at in hours]


SLOT, BAR, TALL = 30, 12, 120  # pixels


def bars(hours: list[Hour]) -> dict[str, Any] | None:
    """Two bars for each hour, or None where nothing happened."""
    top = max((max(hour.received, hour.errors) for hour in hours), default=0)
    if not top:
        return None
    drawn = [
        {
            "hour": hour,
            "left": SLOT * n,
            "columns": [
                {"metric": metric, "x": SLOT * n + BAR * i + 2, "y": TALL - height, "height": height}
                for i, (metric, count) in enumerate((("received", hour.received), ("errors", hour.errors)))
                for height in [round(TALL * count / top) or (1 if count else 0)]
            ],
        }
        for n, hour in enumerate(hours)
    ]
    return {"bars": drawn, "top": top, "width": SLOT * len(hours), "height": TALL, "bar": BAR, "slot": SLOT}


def failing_hosts(now: datetime) -> list[dict[str, Any]]:
    """The hosts with most errors in the last hour, and every halted one. One query."""
    halted = set(health.halted())
    errors = MessageActivityLog.objects.filter(at__gte=now - HOUR, kind=LogKind.WEBHOOK_ERROR).exclude(host="")
    counts = dict(errors.values_list("host").annotate(n=Sum("covers")).order_by("-n")[:SHOWN])
    log = reverse("admin:webhooks_messageactivitylog_changelist")
    return [
        {"host": host, "errors": counts.get(host, 0), "is_halted": host in halted, "url": f"{log}?q={host}"}
        for host in sorted({*counts, *halted}, key=lambda host: (host not in halted, -counts.get(host, 0)))
    ]


def concerns(request: HttpRequest, mine: "QuerySet[Outreach]", now: datetime) -> list[Concern]:
    """What a person has to decide or mend, the urgent first."""
    found = [*_late(now), *_overdue(mine, now), *_mails(), *_failed(mine, now), *_paused(mine), *_denied(mine)]
    if request.user.has_perm("audience.view_import"):
        found += _imports(now)
    return sorted(found, key=lambda concern: not concern.is_urgent)


def _late(now: datetime) -> list[Concern]:
    """Messages that could have gone minutes ago: nobody works, or a host is too slow."""
    halted = health.halted()
    open_lanes = Lane.objects.filter(is_open=True, sender__is_open=True, sender__rate_per_minute=None)
    waiting = Message.objects.filter(lane=OuterRef("pk"), finished_at=None, due_at__lte=now - LATE, leased_until=None)
    lanes = open_lanes.exclude(host__in=halted).filter(Exists(waiting))
    if not lanes.exists():
        return []
    text = _("Messages are more than five minutes late. Are the workers running?")
    return [Concern(text, reverse("admin:webhooks_sender_changelist"), is_urgent=True)]


def _overdue(mine: "QuerySet[Outreach]", now: datetime) -> list[Concern]:
    """Journeys that should have gone on an hour ago."""
    late = watchdog.overdue(now)
    text = _("“%(name)s”: %(n)s journeys are more than an hour late. Are the workers running?")
    return [
        Concern(text % {"name": canvas.name, "n": f"{late[canvas.pk]:,}"}, url_of(canvas), is_urgent=True)
        for canvas in mine.filter(pk__in=late).select_related("campaign", "canvas")[:3]
    ]


def _mails() -> list[Concern]:
    """An alert that could not be sent."""
    text = _("An email could not be sent: %s. Is EMAIL_URL right?")
    url = reverse("admin:webhooks_messageactivitylog_changelist")
    return [Concern(text % error, url, is_urgent=True) for error in notifications.unsent()[:1]]


def _failed(mine: "QuerySet[Outreach]", now: datetime) -> list[Concern]:
    counts = DailyCount.objects.filter(day=counters.today(now), metric=Metric.FAILED, outreach__in=mine.values("pk"))
    rows = counts.values_list("outreach__name", "outreach__sender").annotate(n=Sum("count")).filter(n__gt=0)
    log = reverse("admin:webhooks_messageactivitylog_changelist")
    return [
        Concern(
            ngettext(
                "“%(name)s”: %(n)s message failed for good today. See why, then send it again.",
                "“%(name)s”: %(n)s messages failed for good today. See why, then send them again.",
                n,
            )
            % {"name": name, "n": f"{n:,}"},
            f"{log}?sender__id__exact={sender}&is_final__exact=1",
            is_urgent=True,
        )
        for name, sender, n in rows.order_by("-n")[:3]
    ]


def _paused(mine: "QuerySet[Outreach]") -> list[Concern]:
    rows = mine.filter(status=Status.PAUSED).select_related("campaign", "canvas").order_by("-updated_at")[:3]
    text = _("“%s” is paused: what waits goes out when you resume it.")
    return [Concern(text % outreach.name, url_of(outreach)) for outreach in rows]


def _denied(mine: "QuerySet[Outreach]") -> list[Concern]:
    rows = Approval.objects.filter(state=Approval.State.DENIED, outreach__status=Status.DRAFT, outreach__in=mine)
    text = _("“%(name)s”: %(section)s was not approved. %(comment)s")
    return [
        Concern(
            text % {"name": row.outreach.name, "section": row.get_section_display(), "comment": row.comment},
            url_of(row.outreach),
        )
        for row in rows.select_related("outreach__campaign", "outreach__canvas").order_by("-at")[:3]
    ]


def _imports(now: datetime) -> list[Concern]:
    recent = Import.objects.filter(created_at__gte=now - timedelta(days=7))
    rows = recent.filter(status__in=(Import.Status.FAILED, Import.Status.PARTIAL)).order_by("-created_at")[:3]
    return [
        Concern(
            _("Import “%(name)s”: %(status)s.") % {"name": row.name, "status": row.get_status_display()},
            reverse("admin:audience_import_change", args=[row.pk]),
            is_urgent=row.status == Import.Status.FAILED,
        )
        for row in rows
    ]
