"""What is known of people, as `/users/export/ids` says it: by profile, only what has a value. A query a kind."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Count, Max, Min, Sum

from audience import money
from audience.models import Alias, CustomEvent, EventSummary, Profile, Purchase

RECENT = timedelta(days=90)
_COLUMNS = {
    "external_id": "external_id",
    "first_name": "first_name",
    "last_name": "last_name",
    "email": "email",
    "home_city": "home_city",
    "country": "country",
    "language": "language",
    "time_zone": "time_zone",
    "gender": "gender",
    "email_subscribe": "email_subscribe",
    "push_subscribe": "push_subscribe",
    "custom_attributes": "custom_attributes",
}


def people(profiles: Iterable[Profile], now: datetime, fields: Collection[str] | None = None) -> list[dict[str, Any]]:
    """One entry for each profile, in order; of `fields` alone if they are given. Asks only for what is wanted."""
    rows = list(profiles)
    ids = [row.pk for row in rows]
    found = {row.pk: _columns(row) for row in rows}
    for names, source in _SOURCES.items():
        if fields is None or not names.isdisjoint(fields):
            for pk, values in source(ids, now).items():
                found[pk].update(values)
    return [_cut(found[pk], fields) for pk in ids]


def _cut(entry: Mapping[str, Any], fields: Collection[str] | None) -> dict[str, Any]:
    wanted = entry.items() if fields is None else [(name, entry[name]) for name in entry if name in fields]
    return {name: value for name, value in wanted if value not in (None, "", [], {})}


def _columns(profile: Profile) -> dict[str, Any]:
    place = profile.other_attributes.get("current_location") or {}
    coordinates = [place.get("longitude"), place.get("latitude")] if isinstance(place, dict) else []
    birth = profile.date_of_birth
    return {
        "created_at": profile.created_at.isoformat(),
        "braze_id": str(profile.braze_id),
        "random_bucket": profile.random_bucket,
        "phone": profile.phone or profile.unformatted_phone,
        "dob": birth.isoformat() if birth else None,
        "last_coordinates": coordinates if None not in coordinates else None,
        **{name: getattr(profile, column) for name, column in _COLUMNS.items()},
    }


def _aliases(ids: Collection[int], now: datetime) -> dict[int, dict[str, Any]]:
    found: dict[int, dict[str, Any]] = {}
    for pk, label, name in Alias.objects.filter(profile__in=ids).order_by("pk").values_list(*_ALIAS):
        own = found.setdefault(pk, {"user_aliases": []})
        own["user_aliases"].append({"alias_name": name, "alias_label": label})
    return found


_ALIAS = ("profile_id", "label", "name")


def _revenue(ids: Collection[int], now: datetime) -> dict[int, dict[str, Any]]:
    """Money spent, in the workspace's currency; of currencies without a rate nothing is known."""
    rates = money.rates()
    rows = EventSummary.objects.filter(profile__in=ids, kind=EventSummary.Kind.CURRENCY, name__in=rates)
    totals: dict[int, Decimal] = {}
    for pk, code, amount in rows.values_list("profile_id", "name").annotate(Sum("amount")):
        totals[pk] = totals.get(pk, Decimal(0)) + amount * rates[code]
    return {pk: {"total_revenue": float(round(total, 4))} for pk, total in totals.items()}


def _events(ids: Collection[int], now: datetime) -> dict[int, dict[str, Any]]:
    rows = CustomEvent.objects.filter(profile__in=ids, occurred_at__gte=now - RECENT)
    spans = rows.values_list("profile_id", "name").annotate(Min("occurred_at"), Max("occurred_at"), Count("pk"))
    return _spans("custom_events", spans.order_by("profile_id", "name"))


def _purchases(ids: Collection[int], now: datetime) -> dict[int, dict[str, Any]]:
    rows = Purchase.objects.filter(profile__in=ids, occurred_at__gte=now - RECENT)
    spans = rows.values_list("profile_id", "product_id").annotate(
        Min("occurred_at"), Max("occurred_at"), Sum("quantity")
    )
    return _spans("purchases", spans.order_by("profile_id", "product_id"))


def _spans(name: str, rows: Iterable[tuple[int, str, datetime, datetime, int]]) -> dict[int, dict[str, Any]]:
    found: dict[int, dict[str, Any]] = {}
    for pk, what, first, last, count in rows:
        span = {"name": what, "first": first.isoformat(), "last": last.isoformat(), "count": count}
        found.setdefault(pk, {name: []})[name].append(span)
    return found


_SOURCES = {
    frozenset({"user_aliases"}): _aliases,
    frozenset({"total_revenue"}): _revenue,
    frozenset({"custom_events"}): _events,
    frozenset({"purchases"}): _purchases,
}
