"""Which custom attributes, events and products are known by name, so that editors can offer them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from audience.ingest import values
from audience.ingest.people import Applied, Known
from audience.models import Attribute, EventName


def known_attributes(names: Iterable[str]) -> dict[str, Known]:
    """What is known of these attributes, in one query."""
    rows = Attribute.objects.filter(name__in={*names}).values_list("name", "type", "is_type_fixed", "is_blocked")
    return {name: Known(type_, is_fixed, is_blocked) for name, type_, is_fixed, is_blocked in rows}


def learn_attributes(applied: Sequence[Applied], known: Mapping[str, Known], standard: Iterable[str]) -> None:
    """Remember attributes that got their first value, with its type."""
    changes = ((name, after) for one in applied for name, (_before, after) in one.changes.items())
    new: dict[str, Attribute] = {}
    for name, value in changes:
        if value is not None and name not in known and name not in standard and name not in new:
            new[name] = Attribute(name=name, type=values.type_of(value))
    if new:
        Attribute.objects.bulk_create([new[name] for name in sorted(new)], ignore_conflicts=True)


def blocked(kind: str, names: Iterable[str], now: datetime) -> set[str]:
    """Which of the events or products are blocked; those not known yet become known. One query, two for new names."""
    wanted = {*names}
    if not wanted:
        return set()
    rows = dict(EventName.objects.filter(kind=kind, name__in=wanted).values_list("name", "is_blocked"))
    new = [EventName(kind=kind, name=name, created_at=now) for name in sorted(wanted - rows.keys())]
    if new:
        EventName.objects.bulk_create(new, ignore_conflicts=True)
    return {name for name, is_blocked in rows.items() if is_blocked}
