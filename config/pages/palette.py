"""Search over everything, for unfold's command palette: what things are called, and people by what names them."""

from collections.abc import Callable, Iterator
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from unfold.dataclasses import SearchResult

from audience import search as people
from audience.models import Attribute, Import, Profile, Segment
from campaigns.models import Campaign
from canvas.models import Canvas
from config.pages import navigation
from webhooks.models import Catalog, ContentBlock, Promotion, Template
from workspace import teams

MOST = 6  # of each kind
LEAST = 2  # letters
Find = Callable[[HttpRequest, str], "QuerySet[Any]"]


def _named(model: Any, *, of_teams: bool) -> Find:
    def find(request: HttpRequest, text: str) -> "QuerySet[Any]":
        rows = model._default_manager.filter(name__icontains=text).order_by("-pk")
        return teams.visible(rows, request.user) if of_teams else rows

    return find


def _profiles(request: HttpRequest, text: str) -> "QuerySet[Profile]":
    return people.find(text)


KINDS: tuple[tuple[Any, str, str, str, Find], ...] = (
    (
        _("Campaign"),
        "campaign",
        "campaigns.view_campaign",
        "campaigns_campaign_change",
        _named(Campaign, of_teams=True),
    ),
    (_("Canvas"), "route", "canvas.view_canvas", "canvas_canvas_flow", _named(Canvas, of_teams=True)),
    (_("Segment"), "filter_alt", "audience.view_segment", "audience_segment_change", _named(Segment, of_teams=True)),
    (_("Template"), "webhook", "webhooks.view_template", "webhooks_template_change", _named(Template, of_teams=True)),
    (
        _("Content Block"),
        "extension",
        "webhooks.view_contentblock",
        "webhooks_contentblock_change",
        _named(ContentBlock, of_teams=True),
    ),
    (_("Catalog"), "inventory_2", "webhooks.view_catalog", "webhooks_catalog_change", _named(Catalog, of_teams=False)),
    (
        _("Promotion codes"),
        "confirmation_number",
        "webhooks.view_promotion",
        "webhooks_promotion_change",
        _named(Promotion, of_teams=False),
    ),
    (
        _("Custom attribute"),
        "data_object",
        "audience.view_attribute",
        "audience_attribute_change",
        _named(Attribute, of_teams=False),
    ),
    (_("Import"), "upload", "audience.view_import", "audience_import_change", _named(Import, of_teams=False)),
    (_("Profile"), "person", "audience.view_profile", "audience_profile_change", _profiles),
)


def search(request: HttpRequest, text: str) -> list[SearchResult]:
    """Pages of that name, then up to six of each kind that the user may see."""
    asked = request.GET.get("s", text).strip()  # unfold hands it over in small letters; external IDs are case-sensitive
    return [*_pages(request, asked.lower()), *_things(request, asked)] if len(asked) >= LEAST else []


def _pages(request: HttpRequest, text: str) -> Iterator[SearchResult]:
    for area in navigation.AREAS:
        for place in area.seen(request):
            if text in str(place.title).lower():
                yield SearchResult(str(place.title), str(area.title), place.link, area.icon)


def _things(request: HttpRequest, text: str) -> Iterator[SearchResult]:
    for title, icon, permission, url, find in KINDS:
        if request.user.has_perm(permission):
            for row in find(request, text)[:MOST]:
                yield SearchResult(str(row), str(title), reverse(f"admin:{url}", args=[row.pk]), icon)
