"""The calendar: which scheduled campaigns and Canvases start on which day."""

import calendar
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from campaigns.models import Campaign, Delivery
from canvas.models import Canvas
from canvas.models.canvas import Entry
from outreach import counters, runs, zones
from outreach.models import Occurrence, Status
from workspace import teams

MOST = 300  # campaigns and Canvases looked at
MOST_RUNS = 42  # of one campaign on a page: six weeks, and daily is the most often that one repeats
SHOWN = (Status.ACTIVE, Status.PAUSED, Status.DRAFT)


@dataclass(frozen=True, slots=True)
class Start:
    """That something begins at a moment. `is_certain` is false for drafts and what is paused."""

    at: datetime
    name: str
    url: str
    kind: str
    status: str
    is_certain: bool


def between(user: Any, first: datetime, last: datetime, most_runs: int = MOST_RUNS) -> list[Start]:
    """What starts in this time, soonest first, of what the user may see."""
    found: list[Start] = []
    if user.has_perm("campaigns.view_campaign"):
        found += _campaigns(user, first, last, most_runs)
        found += _calls(user, first, last)
    if user.has_perm("canvas.view_canvas"):
        found += _canvases(user, first, last, most_runs)
    return sorted(found, key=lambda start: (start.at, start.name))


def upcoming(user: Any, now: datetime, count: int) -> list[Start]:
    """The next starts within a month that are certain."""
    return [start for start in between(user, now, now + timedelta(days=31), 1) if start.is_certain][:count]


def _campaigns(user: Any, first: datetime, last: datetime, most_runs: int) -> Iterator[Start]:
    rows = Campaign.objects.filter(delivery=Delivery.SCHEDULED, status__in=SHOWN)
    yield from _timed(
        teams.visible(rows, user), first, last, most_runs, "admin:campaigns_campaign_change", _("Campaign")
    )


def _canvases(user: Any, first: datetime, last: datetime, most_runs: int) -> Iterator[Start]:
    rows = Canvas.objects.filter(entry=Entry.SCHEDULED, status__in=SHOWN)
    yield from _timed(teams.visible(rows, user), first, last, most_runs, "admin:canvas_canvas_flow", _("Canvas"))


def _timed(
    rows: "QuerySet[Any]", first: datetime, last: datetime, most_runs: int, page: str, kind: str
) -> Iterator[Start]:
    """The runs of these schedules in this time; without a start and a repetition, one has none."""
    with_a_time = rows.exclude(start_at=None, recurrence="").exclude(recurrence="", start_at__lt=first)
    for outreach in with_a_time.exclude(start_at__gt=last).order_by("-updated_at")[:MOST]:
        for moment in runs.upcoming(outreach, first, most_runs):
            if moment > last:
                break
            yield _start(moment, outreach, reverse(page, args=[outreach.pk]), kind)


def _calls(user: Any, first: datetime, last: datetime) -> Iterator[Start]:
    """Sends that were scheduled through the API."""
    mine = teams.visible(Campaign.objects.filter(delivery=Delivery.API), user)
    rows = Occurrence.objects.filter(planned_at__range=(first, last), finished_at=None, outreach__in=mine.values("pk"))
    for row in rows.select_related("outreach").order_by("planned_at")[:MOST]:
        url = reverse("admin:campaigns_campaign_change", args=[row.outreach_id])
        yield _start(row.planned_at, row.outreach, url, _("API call"))


def _start(at: datetime, outreach: Any, url: str, kind: str) -> Start:
    is_certain = outreach.status == Status.ACTIVE
    return Start(at, outreach.name, url, kind, str(outreach.get_status_display()), is_certain)


# --- the page


def show(request: HttpRequest) -> HttpResponse:
    """A month, by the workspace's clock: `?month=2026-11`, else this one."""
    now, zone = timezone.now(), zones.company()
    today = counters.today(now)
    month = _month(request.GET.get("month", ""), today)
    weeks = calendar.Calendar(firstweekday=0).monthdatescalendar(month.year, month.month)
    first = datetime.combine(weeks[0][0], time(), zone)
    last = datetime.combine(weeks[-1][-1] + timedelta(days=1), time(), zone) - timedelta(microseconds=1)
    by_day: dict[date, list[Start]] = defaultdict(list)
    for start in between(request.user, max(first, now), last) if last > now else []:
        by_day[start.at.astimezone(zone).date()].append(start)
    context = {
        **admin.site.each_context(request),
        "title": _("Calendar"),
        "weeks": [[(day, by_day.get(day, [])) for day in week] for week in weeks],
        "agenda": sorted(by_day.items()),
        "month": month,
        "before": month - timedelta(days=1),
        "after": (month + timedelta(days=31)).replace(day=1),
        "today": today,
        "zone": zone.key,
    }
    with timezone.override(zone):
        return TemplateResponse(request, "home/calendar.html", context).render()


def _month(text: str, today: date) -> date:
    try:
        return date.fromisoformat(f"{text}-01")
    except ValueError:
        return today.replace(day=1)
