"""What is known of one person: for the profile page, and as JSON to hand out.

Higher apps add what they know with `add_section`: messages received, Canvases somebody is in.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from audience import filters, times
from audience.models import EventSummary, Profile, Segment


@dataclass(frozen=True, slots=True)
class Cell:
    """A text, and the page it leads to."""

    text: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """A table about a profile, newest row first. `note` says what is missing from it."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    note: str = ""


Source = Callable[[Profile], Section | None]
_sources: dict[str, Source] = {}
EVENTS_SHOWN = 50


def add_section(name: str, source: Source) -> None:
    """Have the source asked what it knows of a profile. `name` is its key in the JSON. A few queries at most."""
    _sources[name] = source


def sections(profile: Profile) -> list[Section]:
    """What higher apps know, in the order in which they registered."""
    return [section for source in _sources.values() if (section := source(profile))]


@dataclass(frozen=True, slots=True)
class Happened:
    """A line of the timeline."""

    at: datetime
    kind: str
    name: str
    properties: Any


def timeline(profile: Profile, count: int = EVENTS_SHOWN) -> list[Happened]:
    """The latest events and purchases, newest first."""
    events = [
        Happened(row.occurred_at, _("event"), row.name, row.properties)
        for row in profile.events.order_by("-occurred_at", "-pk")[:count]
    ]
    purchases = [
        Happened(row.occurred_at, _("purchase"), f"{row.quantity} × {row.product_id}", _bought(row))
        for row in profile.purchases.order_by("-occurred_at", "-pk")[:count]
    ]
    return sorted([*events, *purchases], key=lambda each: each.at, reverse=True)[:count]


def _bought(row: Any) -> dict[str, Any]:
    return {"price": f"{row.price.normalize():f} {row.currency}", **(row.properties or {})}


def segments_of(profile: Profile, chosen: Sequence[Segment], now: datetime) -> list[Segment]:
    """Which of the segments the profile is in at the moment. One that can't be used holds nobody."""
    return [segment for segment in chosen if is_in(profile, segment.filters, now)]


def is_in(profile: Profile, tree: Any, now: datetime) -> bool:
    """Whether a filter tree selects the profile."""
    try:
        return Profile.objects.filter(filters.compile_tree(tree, now), pk=profile.pk).exists()
    except filters.InvalidFilter:
        return False


def facts(profile: Profile) -> dict[str, Any]:
    """Everything that is kept about the profile, as JSON holds it."""
    standard = {field.name: _plain(getattr(profile, field.name)) for field in profile._meta.concrete_fields}
    standard.pop("id")
    return standard | {
        "user_aliases": [{"alias_label": row.label, "alias_name": row.name} for row in profile.aliases.all()],
        "former_external_ids": [*profile.former_ids.values_list("external_id", flat=True)],
        "subscription_groups": [
            {"name": row.group.name, "state": row.state, "changed_at": _plain(row.changed_at)}
            for row in profile.subscription_states.select_related("group")
        ],
        "custom_events": _summaries(profile, EventSummary.Kind.EVENT),
        "purchases": _summaries(profile, EventSummary.Kind.PRODUCT),
        "history": [
            {"time": _plain(each.at), "kind": each.kind, "name": each.name, "properties": each.properties}
            for each in timeline(profile, 100_000)
        ],
        "imports": [*profile.imports.values_list("source__name", flat=True)],
        **{name: _rows(source(profile)) for name, source in _sources.items()},
    }


def _summaries(profile: Profile, kind: str) -> list[dict[str, Any]]:
    rows = profile.summaries.filter(kind=kind).order_by("name")
    return [
        {"name": row.name, "count": row.count, "first": _plain(row.first_at), "last": _plain(row.last_at)}
        for row in rows
    ]


def _rows(section: Section | None) -> list[dict[str, str]]:
    rows = section.rows if section else ()
    columns = section.columns if section else ()
    return [dict(zip(map(str, columns), (cell.text for cell in row), strict=True)) for row in rows]


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return times.canonical(value)
    return value if isinstance(value, str | int | float | dict | list | None) else str(value)
