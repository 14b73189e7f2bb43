"""The Results tab, "why did they get it, or why not?", and the report builder."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _

from audience import search
from campaigns import why
from campaigns.admin.pages import Site, campaign_of, page
from campaigns.models import Campaign
from outreach import counters, reasons, reports, results, runs
from outreach.models import Outreach, Recalculation
from workspace import teams
from workspace.models import Tag, Team

RANGE = timedelta(days=90)
INPUT = {"class": "hl-input hl-short"}


def _day(text: str, fallback: date) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return fallback


def _period(request: HttpRequest, length: timedelta = RANGE) -> tuple[date, date]:
    today = counters.today(timezone.now())
    last = _day(request.GET.get("last", ""), today)
    first = _day(request.GET.get("first", ""), last - length)
    return min(first, last), last


def show(site: Site, request: HttpRequest, pk: int) -> HttpResponse:
    """Per variant, per day, and what was left out, in a period (90 days unless chosen)."""
    campaign = campaign_of(site, request, pk)
    launched = counters.today(campaign.launched_at or timezone.now())
    first, last = _period(request, min(RANGE, counters.today(timezone.now()) - launched + timedelta(days=1)))
    zone = runs.zone_of(campaign)
    since = datetime.combine(first, time(), zone)
    until = datetime.combine(last + timedelta(days=1), time(), zone) - timedelta(microseconds=1)
    log = reverse("admin:webhooks_messageactivitylog_changelist") + f"?sender__id__exact={campaign.sender_id}"
    found = [
        row | {"words": reasons.in_words(row["reason"]) if row["reason"] else "–"}
        for row in results.reasons(campaign, since, until)
    ]
    days = results.by_day(campaign, first, last)
    context: dict[str, Any] = {
        "lines": results.table(campaign, since, until),
        "has_control": campaign.variants.filter(is_control=True, is_removed=False).exists(),
        "goals": list(campaign.conversion_events.all()),
        "currency": settings.CURRENCY,
        "reasons": found,
        "days": [day for day in days if any(value for key, value in day.items() if key != "day")],
        "chart": chart(days),
        "first": first,
        "last": last,
        "log": log,
        "recalculations": Recalculation.objects.filter(outreach=campaign)[:10],
    }
    return page(
        site, request, campaign, "campaigns/results.html", _("Results of “%s”") % campaign.name, "results", **context
    )


WIDTH, HEIGHT = 720, 160
LINES = (("received", _("received")), ("failed", _("failed")), ("converted", _("converted")))


def chart(days: list[dict[str, Any]], shown: Sequence[tuple[str, Any]] = LINES) -> dict[str, Any] | None:
    """Points of the lines of a chart, or None where there is nothing to show."""
    top = max((day[key] for day in days for key, _name in shown), default=0)
    if not top:
        return None
    step = WIDTH / max(1, len(days) - 1)
    lines = [
        (key, name, " ".join(f"{n * step:.1f},{HEIGHT - HEIGHT * day[key] / top:.1f}" for n, day in enumerate(days)))
        for key, name in shown
    ]
    return {
        "lines": lines,
        "top": top,
        "first": days[0]["day"],
        "last": days[-1]["day"],
        "width": WIDTH,
        "height": HEIGHT,
    }


def explain(site: Site, request: HttpRequest, pk: int) -> HttpResponse:
    """Why a profile got the campaign, or why not."""
    campaign = campaign_of(site, request, pk)
    asked = request.GET.get("profile", "").strip()
    profile = search.find(asked).first() if asked else None
    answer = why.explain(campaign, profile, timezone.now()) if profile else None
    return page(
        site,
        request,
        campaign,
        "campaigns/why.html",
        _("Why did they get it, or why not?"),
        "why",
        asked=asked,
        profile=profile,
        answer=answer,
    )


class ReportForm(forms.Form):
    """What to compare, in which period."""

    only = forms.ModelMultipleChoiceField(
        Outreach.objects.none(),
        label=_("Campaigns"),
        required=False,
        widget=forms.SelectMultiple(attrs=INPUT | {"size": 6}),
    )
    tags = forms.ModelMultipleChoiceField(
        Tag.objects.all(),
        label=_("or with one of these tags"),
        required=False,
        widget=forms.SelectMultiple(attrs=INPUT | {"size": 6}),
    )
    teams = forms.ModelMultipleChoiceField(
        Team.objects.all(),
        label=_("of these teams"),
        required=False,
        widget=forms.SelectMultiple(attrs=INPUT | {"size": 6}),
    )
    first = forms.DateField(label=_("from"), required=False, widget=forms.DateInput(attrs=INPUT | {"type": "date"}))
    last = forms.DateField(label=_("to"), required=False, widget=forms.DateInput(attrs=INPUT | {"type": "date"}))
    breakdown = forms.ChoiceField(
        label=_("break down by"), choices=reports.BREAKDOWNS, required=False, widget=forms.Select(attrs=INPUT)
    )

    def __init__(self, visible: Any, user: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["only"].queryset = visible  # type: ignore[attr-defined]
        if not user.is_superuser:
            self.fields["teams"].queryset = Team.objects.filter(members=user)  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        first, last = (cleaned or {}).get("first"), (cleaned or {}).get("last")
        if first and last and last < first:
            self.add_error("last", _("The period ends before it begins."))
        return cleaned


def report(site: Site, request: HttpRequest) -> HttpResponse:
    """Compare campaigns by tag, team and period; the same as CSV."""
    if not site.has_view_permission(request):
        raise PermissionDenied
    visible = teams.visible(Outreach.objects.filter(pk__in=Campaign.objects.values("pk")), request.user).order_by(
        "name"
    )
    first, last = _period(request, timedelta(days=30))
    asked = bool(request.GET)
    form = ReportForm(visible, request.user, request.GET if asked else None, initial={"first": first, "last": last})
    rows: list[reports.Row] = []
    if not asked or form.is_valid():
        data = form.cleaned_data if asked else {}
        chosen = reports.chosen(
            visible, data.get("tags") or (), data.get("teams") or (), [o.pk for o in data.get("only") or ()]
        )
        rows = reports.rows(chosen, data.get("first") or first, data.get("last") or last, data.get("breakdown") or "")
    if asked and request.GET.get("as") == "csv" and form.is_valid():
        answer = HttpResponse(reports.as_csv(rows), content_type="text/csv; charset=utf-8")
        answer["Content-Disposition"] = f'attachment; filename="{slugify("campaigns")}-{first}-{last}.csv"'
        return answer
    context = {
        **site.admin_site.each_context(request),
        "title": _("Compare campaigns"),
        "form": form,
        "rows": rows,
        "metrics": list(reports.METRICS.items()),
        "currency": settings.CURRENCY,
        "query": request.GET.urlencode(),
        "breakdown": request.GET.get("breakdown", ""),
        "most": max((row.counts["received"] for row in rows), default=0),
    }
    return TemplateResponse(request, "campaigns/report.html", context)
