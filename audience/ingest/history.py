"""Stores events and purchases of a batch, and keeps the summaries of what each profile ever did."""

import json
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

from django.conf import settings
from django.db import connection
from django.db.models import QuerySet

from audience.ingest.items import EventItem, PurchaseItem
from audience.models import CustomEvent, EventSummary, Purchase
from workspace import bulk

Row = TypeVar("Row", CustomEvent, Purchase)
Kind = EventSummary.Kind
Totals = dict[tuple[int, str, str], tuple[int, Decimal, datetime, datetime]]


def store_events(items: Sequence[tuple[EventItem, int]], now: datetime) -> list[CustomEvent | None]:
    """Store each event for its profile; the rows in order, None for one that was stored before.

    A client that repeats a request within ten minutes (a setting) repeats equal events: those count once. Equal
    events within one batch are separate. An `event_id` makes this exact, for ever.
    """
    events = [_event(item, profile, now) for item, profile in items]
    unnamed = [event for event in events if event.event_id is None]
    repeated = _repeated(
        unnamed, _event_key, CustomEvent.objects.filter(name__in={event.name for event in unnamed}), now
    )
    known = _known_ids(events)
    fresh = [event for event in events if id(event) not in repeated and _is_first(event.event_id, known)]
    _insert(fresh)
    _add_up((event.profile_id, Kind.EVENT, event.name, 1, Decimal(0), event.occurred_at) for event in fresh)
    return [event if event.pk else None for event in events]


_EVENT = {
    "profile_id": "bigint",
    "name": "text",
    "occurred_at": "timestamptz",
    "received_at": "timestamptz",
    "properties": "jsonb",
    "event_id": "text",
    "app_id": "text",
}


def _insert(events: Sequence[CustomEvent]) -> None:
    """Insert them, and give them their ids. (`bulk_create` took three times as long: the driver is slow at arrays.)"""
    if not events:
        return
    names = ", ".join(_EVENT)
    inserted = bulk.fetch(
        f"INSERT INTO audience_customevent ({names}) SELECT {names} FROM {bulk.rows_as_table(_EVENT)} RETURNING id",
        [bulk.as_json({name: getattr(event, name) for name in _EVENT} for event in events)],
    )
    for event, (pk,) in zip(events, inserted, strict=True):
        event.pk = pk


def store_purchases(items: Sequence[tuple[PurchaseItem, int]], now: datetime) -> list[Purchase | None]:
    """Store each purchase for its profile; the rows in order, None for one that a repeated request repeats."""
    purchases = [_purchase(item, profile, now) for item, profile in items]
    stored = Purchase.objects.filter(product_id__in={purchase.product_id for purchase in purchases})
    repeated = _repeated(purchases, _purchase_key, stored, now)
    fresh = [purchase for purchase in purchases if id(purchase) not in repeated]
    Purchase.objects.bulk_create(fresh)
    _add_up(row for purchase in fresh for row in _purchase_totals(purchase))
    return [purchase if purchase.pk else None for purchase in purchases]


def _event(item: EventItem, profile: int, now: datetime) -> CustomEvent:
    return CustomEvent(
        profile_id=profile,
        name=item.name,
        occurred_at=item.occurred_at,
        received_at=now,
        properties=item.properties,
        event_id=item.event_id,
        app_id=item.app_id,
    )


def _purchase(item: PurchaseItem, profile: int, now: datetime) -> Purchase:
    return Purchase(
        profile_id=profile,
        product_id=item.product_id,
        currency=item.currency,
        price=item.price,
        quantity=item.quantity,
        occurred_at=item.occurred_at,
        received_at=now,
        properties=item.properties,
        app_id=item.app_id,
    )


def _event_key(event: CustomEvent) -> Hashable:
    return event.profile_id, event.name, event.occurred_at, _properties_key(event.properties)


def _purchase_key(purchase: Purchase) -> Hashable:
    what = (purchase.product_id, purchase.currency, Decimal(purchase.price), purchase.quantity)
    return purchase.profile_id, *what, purchase.occurred_at, _properties_key(purchase.properties)


def _properties_key(properties: Any) -> str:
    return json.dumps(properties, sort_keys=True) if properties else ""


def _repeated(rows: Sequence[Row], key: Callable[[Row], Hashable], stored: "QuerySet[Row]", now: datetime) -> set[int]:
    """Python ids of the rows that an earlier batch brought already."""
    window = timedelta(minutes=settings.EVENT_REPEAT_MINUTES)
    if not rows or not window:
        return set()
    table = rows[0]._meta.db_table
    recent = stored.filter(
        bulk.is_one_of(f"{table}.profile_id", {row.profile_id for row in rows}),
        bulk.is_at_one_of(f"{table}.occurred_at", {row.occurred_at for row in rows}),
        received_at__gte=now - window,
    )
    left = Counter(map(key, recent))
    repeated = set()
    for row in rows if left else ():
        if left[key(row)] > 0:
            left[key(row)] -= 1
            repeated.add(id(row))
    return repeated


def _known_ids(events: Iterable[CustomEvent]) -> set[str]:
    ids = {event.event_id for event in events if event.event_id}
    stored = CustomEvent.objects.filter(event_id__in=ids).values_list("event_id", flat=True) if ids else ()
    return {event_id for event_id in stored if event_id}


def _is_first(event_id: str | None, known: set[str]) -> bool:
    if event_id is None:
        return True
    is_first = event_id not in known
    known.add(event_id)
    return is_first


def _purchase_totals(purchase: Purchase) -> Iterable[tuple[int, str, str, int, Decimal, datetime]]:
    amount = Decimal(purchase.price) * purchase.quantity
    for kind, name in (
        (Kind.PURCHASE, ""),
        (Kind.PRODUCT, purchase.product_id),
        (Kind.CURRENCY, purchase.currency),
    ):
        yield purchase.profile_id, kind, name, purchase.quantity, amount, purchase.occurred_at


def _add_up(occurrences: Iterable[tuple[int, str, str, int, Decimal, datetime]]) -> None:
    """Add the occurrences to the summaries, in one statement whose rows are in key order."""
    totals: Totals = {}
    for profile, kind, name, count, amount, moment in occurrences:
        key = (profile, kind, name)
        known, money, first, last = totals.get(key, (0, Decimal(0), moment, moment))
        totals[key] = (known + count, money + amount, min(first, moment), max(last, moment))
    if totals:
        bulk.execute(_upsert(), [bulk.as_json(_total_row(key, totals[key]) for key in sorted(totals))])


def _total_row(key: tuple[int, str, str], total: tuple[int, Decimal, datetime, datetime]) -> dict[str, Any]:
    profile, kind, name = key
    count, amount, first, last = total
    return {
        "profile_id": profile,
        "kind": kind,
        "name": name,
        "count": count,
        "amount": str(amount),
        "first_at": first,
        "last_at": last,
    }


def _upsert() -> str:
    least, greatest = ("LEAST", "GREATEST") if connection.vendor == "postgresql" else ("MIN", "MAX")
    columns = {
        "profile_id": "bigint",
        "kind": "text",
        "name": "text",
        "count": "bigint",
        "amount": "numeric",
        "first_at": "timestamptz",
        "last_at": "timestamptz",
    }
    names = ", ".join(columns)
    return (
        f"INSERT INTO audience_eventsummary AS s ({names}) SELECT {names} FROM {bulk.rows_as_table(columns)} "
        "WHERE true ON CONFLICT (profile_id, kind, name) DO UPDATE SET "
        "count = s.count + excluded.count, amount = s.amount + excluded.amount, "
        f"first_at = {least}(s.first_at, excluded.first_at), last_at = {greatest}(s.last_at, excluded.last_at)"
    )
