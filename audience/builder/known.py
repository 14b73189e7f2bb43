"""The names that the builder offers, and what is odd about the names people typed."""

import difflib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from audience.filters import tree
from audience.models import Attribute, EventName

MOST_OFFERED = 1_000
_KINDS = {
    Attribute.Type.TEXT: "text",
    Attribute.Type.NUMBER: "number",
    Attribute.Type.BOOLEAN: "boolean",
    Attribute.Type.TIME: "time",
    Attribute.Type.LIST: "list",
}
_NEGATIVE = ("none_of", "not_equal", "not_contains", "not_matches", "not_all_of")


def suggestions() -> dict[str, list[str]]:
    """By list, the names to offer while somebody types. Blocked ones are not offered."""
    attributes = Attribute.objects.filter(is_blocked=False)
    names = EventName.objects.filter(is_blocked=False)
    return {
        "attributes": [*attributes.values_list("name", flat=True)[:MOST_OFFERED]],
        "events": [*names.filter(kind=EventName.Kind.EVENT).values_list("name", flat=True)[:MOST_OFFERED]],
        "products": [*names.filter(kind=EventName.Kind.PRODUCT).values_list("name", flat=True)[:MOST_OFFERED]],
    }


def type_of_attribute(name: str) -> str | None:
    """What the builder calls the type of a known attribute; None if it is unknown or holds objects."""
    found = Attribute.objects.filter(name=name).values_list("type", flat=True).first()
    return _KINDS.get(Attribute.Type(found)) if found else None


def oddities(filters: Any) -> list[str]:
    """What is allowed, but probably not meant: names nobody has, negations joined by OR."""
    leaves = [*tree.leaves(filters)]
    return [*_unknown(leaves), *dict.fromkeys(_matches_everybody(filters))]


def _unknown(leaves: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    attributes = {leaf.get("name") for leaf in leaves if str(leaf["filter"]).startswith("custom_attribute")}
    events = {leaf.get("name") for leaf in leaves if str(leaf["filter"]).startswith("custom_event")}
    known = suggestions() if attributes or events else {}
    for name in sorted(each for each in attributes - {*known.get("attributes", ())} if isinstance(each, str)):
        if name and not Attribute.objects.filter(name=name).exists():
            yield _("No profile has the attribute “%s” yet.") % name + _near(name, known["attributes"])
    for name in sorted(each for each in events - {*known.get("events", ())} if isinstance(each, str)):
        if name and not EventName.objects.filter(kind=EventName.Kind.EVENT, name=name).exists():
            yield _("The event “%s” has never happened.") % name + _near(name, known["events"])


def _near(name: str, names: Sequence[str]) -> str:
    found = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    return " " + _("Did you mean “%s”?") % found[0] if found else ""


def _matches_everybody(filters: Any) -> Iterator[str]:
    """Two negative filters on the same thing, joined by OR: whoever fails one passes the other."""
    if not isinstance(filters, Mapping):
        return
    for members in (filters.get("all"), filters.get("any"), [filters.get("not")]):
        for each in members if isinstance(members, list) else ():
            yield from _matches_everybody(each)
    joined = filters.get("any")
    for subject in _negative_twice(joined if isinstance(joined, list) else []):
        yield _("Negative filters on “%s” are joined by OR: together they match everybody.") % subject


def _negative_twice(members: Sequence[Any]) -> Iterator[str]:
    seen: set[tuple[Any, ...]] = set()
    for leaf in members:
        if isinstance(leaf, Mapping) and leaf.get("op") in _NEGATIVE:
            subject = (leaf.get("filter"), leaf.get("name"), leaf.get("path"))
            if subject in seen:
                yield str(leaf.get("name") or leaf.get("filter"))
            seen.add(subject)
