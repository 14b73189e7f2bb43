"""Segments as files, and filter trees by names: which ids of other rows they hold is said by their inputs."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audience import filters
from audience.filters.base import registry
from audience.filters.fields import Field, References, Text
from audience.filters.tree import GROUPS
from audience.models import EventName, Segment
from workspace.files import Document, Found, Kind, Links, Named
from workspace.files.document import at
from workspace.files.shapes import Head, shape_of
from workspace.models import Tag

UNFILLED = {"filter": "segment", "op": "in", "segments": []}
"""Stands for a segment that is not here: nothing is launched before it is filled in or taken out."""


def tree(given: Mapping[str, Any], links: Links, place: str) -> dict[str, Any]:
    """A filter tree with the rows it refers to as the links have them. What is wrong with it is told to them."""
    if filters.is_empty(given):
        return {}
    found: dict[str, Any] = _swapped(given, links, place)
    if isinstance(links, Found) and not links.problems:
        _check(found, links, place)
    return found


def _swapped(given: Any, links: Links, place: str) -> Any:
    if not isinstance(given, Mapping):
        return given
    found = dict(given)
    for key in GROUPS:
        if isinstance(given.get(key), list):
            inner = enumerate(given[key])
            found[key] = [_swapped(child, links, at(at(place, key), n)) for n, child in inner]
    if "not" in given:
        found["not"] = _swapped(given["not"], links, at(place, "not"))
    for field in _fields(given):
        value = given.get(field.key)
        if isinstance(field, References) and isinstance(value, list):
            found[field.key] = links(field.rows(), value, at(place, field.key))
        if isinstance(field, Text) and field.suggestions == "events" and isinstance(value, str):
            links.events.add(value)
    return found


def _fields(leaf: Mapping[str, Any]) -> Sequence[Field]:
    name = leaf.get("filter")
    known = registry.get(name) if isinstance(name, str) else None
    return known.fields(leaf) if known else ()


def _check(found: dict[str, Any], links: Found, place: str) -> None:
    """A fault of the tree itself is refused; one that comes of what is there or not is noted."""
    for problem in filters.validate(found):
        leaf = _leaf_at(found, problem.path)
        faulty = [field for field in _fields(leaf) if field.problem(leaf.get(field.key))]
        if all(isinstance(field, References) and leaf.get(field.key) == [] for field in faulty) and _fields(leaf):
            if not faulty:
                links.lack(problem.sentence)
            continue
        where = place
        for key in problem.path:
            where = at(where, key)
        links.refuse(where, problem.sentence)


def _leaf_at(node: Any, path: Sequence[str | int]) -> Mapping[str, Any]:
    for key in path:
        if isinstance(node, Mapping) and "filter" in node:
            break
        node = node[key]
    return node if isinstance(node, Mapping) else {}


def with_unfilled(given: Mapping[str, Any]) -> dict[str, Any]:
    """The tree, and a segment that is not here."""
    if isinstance(given.get("all"), list):
        return {**given, "all": [UNFILLED, *given["all"]]}
    return {"all": [UNFILLED, *([given] if given else [])]}


def note_unseen_events(links: Found) -> None:
    """Events come into being by being sent; those that never were may be misspelt."""
    kind = EventName.Kind.EVENT
    known = EventName.objects.filter(kind=kind, name__in=links.events).values_list("name", flat=True)
    for name in sorted(links.events - set(known)):
        links.lack(_("custom event “%s”: not seen here yet") % name)


# --- segments

_COLUMNS = ("filters", "tracks_size")


def _write(segment: Segment) -> Document:
    return {
        "name": segment.name,
        "description": segment.description,
        "teams": sorted(segment.teams.values_list("name", flat=True)),
        "tags": sorted(segment.tags.values_list("name", flat=True)),
        "filters": tree(segment.filters, Named(), "filters"),
        "tracks_size": segment.tracks_size,
    }


def _make(document: Document, links: Found) -> Segment | None:
    """A new segment. One of the same name and rules that is here already is taken as it is."""
    found = Segment.objects.filter(name=document["name"]).first()
    filters_here = tree(document.get("filters") or {}, links, "filters")
    if found and found.filters == filters_here:
        links.is_old = True
        return found
    if found:
        text = _("There is another segment of this name here. Rename one of the two.")
        links.refuse("name", text)
        return None
    columns = {name: document[name] for name in ("name", "description", "tracks_size") if name in document}
    segment = Segment.objects.create(**columns, filters=filters_here)
    segment.teams.set(links.teams(document.get("teams") or ()))
    segment.tags.set(tags(document, links))
    note_unseen_events(links)
    return segment


def tags(document: Document, links: Found) -> list[int]:
    """Of the document's tags those that are here."""
    return [key for name in document.get("tags") or () for key in links(Tag.objects.all(), [name], "tags")]


KIND = Kind(
    "segment",
    gettext_lazy("segment"),
    lambda: Segment.objects.filter(is_archived=False),
    shape_of(Segment, _COLUMNS, base=Head, filters=dict[str, Any]),
    _write,
    _make,
    lambda segment: [filters.sentence(segment.filters)],
)
