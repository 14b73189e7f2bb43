"""The Review tab: what a launch would do, what blocks it, approvals; and pause, resume, stop, archive."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from campaigns import copies, forecast, history, launch, portable, words
from campaigns.admin.pages import Site, campaign_of, goto, may_approve, may_launch, page, page_url
from campaigns.forecast import Forecast
from campaigns.models import Campaign
from outreach import approvals, lifecycle, runs
from outreach.errors import NotLaunchable, OutreachError
from outreach.models import Approval, Status
from workspace.models import Workspace

ACTIONS: dict[str, Callable[..., None]] = {
    "pause": lifecycle.pause,
    "resume": lifecycle.resume,
    "stop": lifecycle.stop,
    "archive": lifecycle.archive,
    "unarchive": lifecycle.unarchive,
}
MOVED = 0.1  # the audience changed by more than this since the number was typed: ask again


def show(site: Site, request: HttpRequest, pk: int) -> HttpResponse:
    """What will happen, and what stands in the way. POST launches."""
    campaign = campaign_of(site, request, pk)
    if request.method == "POST":
        return _launch(site, request, campaign)
    now = timezone.now()
    seen = forecast.of(campaign, now)
    found = [*launch.problems(campaign, now), *launch.rate_problems(campaign, seen.audience)]
    warnings = launch.warnings(campaign, now, seen.audience, seen.everybody)
    length = forecast.duration(campaign, seen.reached)
    context: dict[str, Any] = {
        "problems": [(text, _link(campaign, text)) for text in found],
        "warnings": [(text, _link(campaign, text)) for text in warnings],
        "forecast": seen,
        "audience_size": seen.audience,
        "when": words.when(campaign, now),
        "next_runs": words.next_runs(campaign, now),
        "how_often": words.eligibility(campaign),
        "rate": campaign.sender.rate_per_minute,
        "send_time": launch.span(length) if length else "",
        "variants": campaign.variants.filter(is_removed=False).prefetch_related("contents"),
        "approvals": _approvals(campaign),
        "may_approve": may_approve(request),
        "asks_number": _asks_number(campaign, seen),
        "zone": runs.zone_of(campaign).key,
    }
    return page(site, request, campaign, "campaigns/launch.html", _("Review “%s”") % campaign.name, "review", **context)


def _link(campaign: Campaign, problem: str) -> str:
    section = getattr(problem, "section", "")
    return page_url(campaign.pk, section) if section in ("compose", "delivery", "audience", "conversions") else ""


def _approvals(campaign: Campaign) -> list[tuple[str, Any, Any]]:
    if not approvals.are_needed(campaign):
        return []
    states = approvals.states(campaign)
    return [(section, label, states[section]) for section, label in Approval.Section.choices]


def _asks_number(campaign: Campaign, seen: Forecast) -> bool:
    return campaign.status == Status.DRAFT and seen.audience > Workspace.current().confirm_above


def _launch(site: Site, request: HttpRequest, campaign: Campaign) -> HttpResponse:
    if not may_launch(request):
        raise PermissionDenied
    now = timezone.now()
    seen = forecast.of(campaign, now)
    if _asks_number(campaign, seen) and not _typed(request, seen.audience):
        text = _("Type the number of profiles, %d, to launch to so many.") % seen.audience
        site.message_user(request, text, messages.ERROR)
        return goto("launch", campaign.pk)
    try:
        if found := launch.rate_problems(campaign, seen.audience):
            raise NotLaunchable(found)
        launch.start(campaign, now)
    except NotLaunchable as error:
        for problem in error.problems:
            site.message_user(request, problem, messages.ERROR)
        return goto("launch", campaign.pk)
    except OutreachError as error:
        site.message_user(request, str(error), messages.WARNING)
    else:
        campaign.refresh_from_db()
        history.note(campaign, request.user, str(_("launched")), resets_approvals=False)
        site.log_change(request, campaign, str(_("Launched.")))
        site.message_user(request, _("“%s” was launched.") % campaign)
    return goto("change", campaign.pk)


def _typed(request: HttpRequest, size: int) -> bool:
    """Whether the number was typed and still fits: an audience that grew or shrank by a tenth is asked about again."""
    typed = request.POST.get("number", "").replace(",", "").replace(" ", "").strip()
    return typed.isdigit() and abs(int(typed) - size) <= MOVED * size


def approve(site: Site, request: HttpRequest, pk: int) -> HttpResponse:
    """Approve or deny a section; POST only."""
    campaign = campaign_of(site, request, pk)
    section = request.POST.get("section", "")
    if request.method != "POST" or not may_approve(request) or section not in Approval.Section.values:
        raise PermissionDenied
    state = "approved" if request.POST.get("state") == "approved" else "denied"
    newest = campaign.history.exclude(history_user=None).order_by("-history_id").first()
    editor = newest.history_user if newest else campaign.created_by
    try:
        row = approvals.decide(campaign, section, state, request.user, request.POST.get("comment", ""), editor)
    except OutreachError as error:
        site.message_user(request, str(error), messages.ERROR)
    else:
        words_ = f"{row}: {row.comment}" if row.comment else str(row)
        history.note(campaign, None, words_, resets_approvals=False)
        site.log_change(request, campaign, words_)
    return goto("launch", pk)


def act(site: Site, request: HttpRequest, pk: int, action: str) -> HttpResponse:
    """Pause, resume, stop, archive or unarchive; GET asks first, with the number of waiting messages."""
    campaign = campaign_of(site, request, pk)
    if action not in ACTIONS or not may_launch(request):
        raise PermissionDenied
    if request.method != "POST":
        title = _("“%s”: please confirm") % campaign.name
        return page(site, request, campaign, "campaigns/confirm.html", title, "", action=action)
    try:
        ACTIONS[action](campaign, timezone.now())
    except OutreachError as error:
        site.message_user(request, str(error), messages.WARNING)
    else:
        campaign.refresh_from_db()
        status = note_status(site, request, campaign)
        site.message_user(request, _("“%(name)s” is %(status)s.") % {"name": campaign, "status": status})
    return goto("change", pk)


def note_status(site: Site, request: HttpRequest, campaign: Campaign) -> str:
    """Write the new status into the history; it in words."""
    status = str(campaign.get_status_display())
    history.note(campaign, request.user, status, resets_approvals=False)
    site.log_change(request, campaign, status)
    return status


def duplicate(site: Site, request: HttpRequest, pk: int) -> HttpResponse:
    """Make a draft like it; POST only."""
    campaign = campaign_of(site, request, pk)
    if request.method != "POST" or not request.user.has_perm("campaigns.add_campaign"):
        raise PermissionDenied
    without = bool(request.POST.get("without_recipients"))
    twin = copies.duplicate(campaign, timezone.now(), request.user, without_recipients=without)
    cleared = [name for name in portable.DATES if getattr(campaign, name) and not getattr(twin, name)]
    site.message_user(request, _("“%s” is a draft.") % twin)
    if cleared:
        site.message_user(request, _("Dates that have passed were cleared."), messages.WARNING)
    return goto("change", twin.pk)


def changes(site: Site, request: HttpRequest, pk: int) -> HttpResponse:
    """Every version: who, when, what, before and after."""
    campaign = campaign_of(site, request, pk)
    title = _("Changes of “%s”") % campaign.name
    return page(site, request, campaign, "campaigns/changes.html", title, "changes", entries=history.entries(campaign))
