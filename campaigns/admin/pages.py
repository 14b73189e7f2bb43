"""What the campaign pages share: who may, and the frame around them."""

import time
from typing import Any, Protocol

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from campaigns import idle
from campaigns.models import Campaign
from outreach import counters, progress
from outreach.models import Metric, Outreach, Status
from workspace import teams

TABS = (
    ("compose", _("Compose")),
    ("delivery", _("Delivery")),
    ("audience", _("Audience")),
    ("conversions", _("Conversions")),
)


class Site(Protocol):
    """What the pages need of the admin class."""

    admin_site: Any
    opts: Any

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool: ...
    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool: ...
    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any: ...
    def message_user(self, request: HttpRequest, message: Any, *args: Any) -> None: ...


def campaign_of(site: Site, request: HttpRequest, pk: int) -> Campaign:
    """The campaign, if the user may see it: those of other teams are not found."""
    visible = teams.visible(Campaign.objects.select_related("sender"), request.user)
    campaign = get_object_or_404(visible, pk=pk)
    if not site.has_view_permission(request, campaign):
        raise PermissionDenied
    return campaign


def may_launch(request: HttpRequest) -> bool:
    return bool(request.user.has_perm("campaigns.launch_campaign"))


def may_approve(request: HttpRequest) -> bool:
    return bool(request.user.has_perm("campaigns.approve_campaign"))


def to(name: str, *args: Any) -> str:
    return reverse(f"admin:campaigns_campaign_{name}", args=args)


def goto(name: str, *args: Any) -> HttpResponseRedirect:
    return HttpResponseRedirect(to(name, *args))


def page_url(pk: int, tab: str = "") -> str:
    return to("change", pk) + (f"?tab={tab}" if tab and tab != "compose" else "")


def frame(site: Site, request: HttpRequest, campaign: Campaign, tab: str) -> dict[str, Any]:
    """What the head of every page of a campaign needs."""
    return {
        "opts": site.opts,
        "campaign": campaign,
        "tab": tab,
        "tabs": [(key, label, page_url(campaign.pk, key)) for key, label in TABS],
        "may_launch": may_launch(request),
        "may_change": site.has_change_permission(request, campaign),
        "idle": idle.of(campaign, timezone.now()),
        **counts(campaign),
    }


def page(
    site: Site, request: HttpRequest, campaign: Campaign, template: str, title: Any, tab: str, **context: Any
) -> HttpResponse:
    """A page inside the frame of a campaign."""
    shell = {**site.admin_site.each_context(request), **frame(site, request, campaign, tab), "title": title}
    return TemplateResponse(request, template, shell | context)


def counts(campaign: Outreach) -> dict[str, Any]:
    totals = counters.totals(campaign)
    order = ("planned", "received", "pending", "failed", "aborted", "skipped", "cancelled", "errors")
    names = dict(Metric.choices) | {"pending": _("waiting")}
    is_moving = campaign.status == Status.ACTIVE and bool(totals["pending"] or not totals["planned"])
    return {
        "figures": [(key, names[key], totals[key]) for key in order],
        "progress": progress.of(campaign.pk, totals, time.time() if is_moving else None),
        "totals": totals,
        "is_moving": is_moving,
    }
