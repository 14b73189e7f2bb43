"""Which custom attributes, events and products are known by name, so that editors can offer them."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from audience.ingest.people import Known
from audience.models import Attribute, EventName
from workspace import bulk


def known_attributes(names: Iterable[str]) -> dict[str, Known]:
    """What is known of these attributes, in one query."""
    rows = Attribute.objects.filter(name__in={*names}).values_list("name", "type", "is_blocked")
    return {name: Known(type_, is_blocked) for name, type_, is_blocked in rows}


def learn_attributes(known: Mapping[str, Known]) -> None:
    """Remember the attributes that just got their first value, with its type."""
    new = [Attribute(name=name, type=each.type) for name, each in sorted(known.items()) if each.is_new]
    if new:
        Attribute.objects.bulk_create(new, ignore_conflicts=True)


def blocked(kind: str, names: Iterable[str], now: datetime) -> set[str]:
    """Which of the events or products are blocked; those not known yet become known. One query, two for new names."""
    wanted = {*names}
    if not wanted:
        return set()
    sql = f"SELECT name, is_blocked FROM audience_eventname WHERE kind = %s AND {bulk.in_texts('name')}"
    rows = dict(bulk.fetch(sql, [kind, bulk.texts_param(wanted)]))  # plain: every request asks it
    new = [EventName(kind=kind, name=name, created_at=now) for name in sorted(wanted - rows.keys())]
    if new:
        EventName.objects.bulk_create(new, ignore_conflicts=True)
    return {name for name, is_blocked in rows.items() if is_blocked}
