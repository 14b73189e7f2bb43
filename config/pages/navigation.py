"""The way around, in the words of those who work here: a few areas, each with the pages that belong to it.

The sidebar shows an area to whoever may see one of its pages, and leads to the first of those. Pages of one area are
tabs on each other. A new page is one line here.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True)
class Place:
    """One page: the name of its address, and the permission to see it (empty: everyone's)."""

    title: Any
    url: str
    permission: str = ""
    is_single: bool = False  # its list is one row, so that its address leads to that row's page

    @property
    def link(self) -> str:
        return reverse(self.url)

    @property
    def model(self) -> str | dict[str, Any]:
        """Where unfold shows the tabs: on this model's list, or on the page of its only row."""
        name = ".".join(self.url.removeprefix("admin:").split("_")[:2])
        return {"name": name, "detail": True} if self.is_single else name

    def may_be_seen(self, request: HttpRequest) -> bool:
        return not self.permission or bool(request.user.has_perm(self.permission))


@dataclass(frozen=True)
class Area:
    """A word of the sidebar. `starts` are names of further addresses that lie in it, without a tab of their own."""

    title: Any
    icon: str
    places: tuple[Place, ...]
    starts: tuple[str, ...] = ()

    def seen(self, request: HttpRequest) -> list[Place]:
        return [place for place in self.places if place.may_be_seen(request)]


def _list(title: Any, app: str, model: str) -> Place:
    return Place(title, f"admin:{app}_{model}_changelist", f"{app}.view_{model}")


HOME = "admin:index"
AREAS: tuple[Area, ...] = (
    Area(_("Home"), "home", (Place(_("Home"), HOME),)),
    Area(_("Campaigns"), "campaign", (_list(_("Campaigns"), "campaigns", "campaign"),)),
    Area(
        _("Canvas"),
        "route",
        (_list(_("Canvas"), "canvas", "canvas"), _list(_("Canvas templates"), "canvas", "canvastemplate")),
    ),
    Area(_("Calendar"), "calendar_month", (Place(_("Calendar"), "calendar"),)),
    Area(
        _("Audience"),
        "group",
        (
            _list(_("Profiles"), "audience", "profile"),
            _list(_("Imports"), "audience", "import"),
            _list(_("Custom attributes"), "audience", "attribute"),
            _list(_("Events and products"), "audience", "eventname"),
            _list(_("Subscription groups"), "audience", "subscriptiongroup"),
            _list(_("Suppression lists"), "audience", "suppressionlist"),
            _list(_("Global control group"), "audience", "globalcontrol"),
            _list(_("Currency rates"), "audience", "currencyrate"),
        ),
    ),
    Area(_("Segments"), "filter_alt", (_list(_("Segments"), "audience", "segment"),)),
    Area(
        _("Templates"),
        "webhook",
        (
            _list(_("Webhook templates"), "webhooks", "template"),
            Place(_("Gallery"), "gallery", "webhooks.view_template"),
            _list(_("Content Blocks"), "webhooks", "contentblock"),
            _list(_("Catalogs"), "webhooks", "catalog"),
            _list(_("Promotion codes"), "webhooks", "promotion"),
        ),
        starts=("admin:webhooks_catalogitem_changelist",),
    ),
    Area(
        _("Message Activity Log"),
        "receipt_long",
        (_list(_("Message Activity Log"), "webhooks", "messageactivitylog"),),
    ),
    Area(
        _("Reports"),
        "bar_chart",
        (Place(_("Compare campaigns"), "admin:campaigns_campaign_report", "campaigns.view_campaign"),),
    ),
    Area(
        _("Settings"),
        "settings",
        (
            Place(_("Workspace"), "admin:workspace_workspace_changelist", "workspace.view_workspace", is_single=True),
            _list(_("Senders"), "webhooks", "sender"),
            _list(_("Hosts"), "webhooks", "host"),
            _list(_("Frequency caps"), "outreach", "frequencyrule"),
            _list(_("Credentials"), "workspace", "credential"),
            _list(_("API keys"), "api", "apikey"),
            _list(_("Scheduled API calls"), "outreach", "scheduledcall"),
            _list(_("Webhooks sent by call"), "outreach", "directsend"),
            _list(_("Teams"), "workspace", "team"),
            _list(_("Tags"), "workspace", "tag"),
            _list(_("People"), "auth", "user"),
            _list(_("Roles"), "auth", "group"),
            Place(_("Audit trail"), "admin:admin_logentry_changelist", "admin.view_logentry"),
            Place(_("My emails"), "admin:workspace_notificationpreferences_changelist", is_single=True),
            _list(_("Pending events"), "audience", "pendingevent"),
            Place(_("Notifications"), "admin:workspace_notificationpreferences_changelist", is_single=True),
            Place(_("Audit trail"), "admin:admin_logentry_changelist", "admin.view_logentry", is_single=True),
            _list(_("Refused sign-ins"), "axes", "accessattempt"),
        ),
    ),
)


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    """The areas this person may see, as unfold wants them."""
    here = area_of(request)
    items = [
        {"title": area.title, "icon": area.icon, "link": seen[0].link, "active": area is here}
        for area in AREAS
        if (seen := area.seen(request))
    ]
    return [{"items": items}]


def tabs(request: HttpRequest) -> list[dict[str, Any]]:
    """For each area of several pages, those pages as tabs on all of their lists."""
    return list(_tabs(request))


def _tabs(request: HttpRequest) -> Iterator[dict[str, Any]]:
    for area in AREAS:
        seen = area.seen(request)
        if len(seen) < 2:
            continue
        here = _longest(request, [place.url for place in seen])
        yield {
            "page": area.icon,  # for tabs on pages that are no lists
            "models": [place.model for place in seen],
            "items": [{"title": p.title, "link": p.link, "active": p.url == here} for p in seen],
        }


def area_of(request: HttpRequest) -> Area | None:
    """The area of the page that was asked for."""
    owners = {name: area for area in AREAS for name in (*(place.url for place in area.places), *area.starts)}
    found = _longest(request, list(owners))
    return owners[found] if found else None


def _longest(request: HttpRequest, names: list[str]) -> str:
    """The address that the request lies under, the longest if there are several. Home is only itself."""
    links = {name: reverse(name) for name in names}
    within = [
        name
        for name, link in links.items()
        if (request.path == link if name == HOME else request.path.startswith(link))
    ]
    return max(within, key=lambda name: len(links[name]), default="")
