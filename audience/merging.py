"""Makes one profile of two. Higher apps add what they have to hand over."""

from collections.abc import Callable, Mapping
from datetime import datetime

from django.db import transaction
from django.db.models import F, Model

from audience.models import (
    Alias,
    CustomEvent,
    EventSummary,
    FormerId,
    ImportedProfile,
    PendingEvent,
    Profile,
    Purchase,
    SubscriptionState,
)

Merger = Callable[[int, int, datetime], None]
"""Hands what an app keeps about a profile over to another one: (gone, survivor, now), inside the transaction."""

_mergers: list[Merger] = []
_FIELDS = (
    *("first_name", "last_name", "email", "gender", "date_of_birth", "time_zone", "home_city", "country", "language"),
    *("phone", "unformatted_phone"),
)


def add_merger(merger: Merger) -> None:
    """Have an app's rows handed over when two profiles become one."""
    _mergers.append(merger)


def merge(gone: int, survivor: int, now: datetime) -> bool:
    """Hand everything of one profile to the other and delete it; whether both were there.

    What only the former has is taken over; counts add up, first dates are the earlier, last dates the later ones.
    """
    with transaction.atomic():
        rows = Profile.objects.filter(pk__in=[gone, survivor]).order_by("pk").select_for_update()
        both = {profile.pk: profile for profile in rows}
        if len(both) < 2:
            return False
        _merge_fields(both[gone], both[survivor], now)
        _add_summaries(gone, survivor)
        for table, key in _TABLES.items():
            _hand_over(table, key, gone, survivor)
        for merger in _mergers:
            merger(gone, survivor, now)
        Profile.objects.filter(pk=gone).delete()
        both[survivor].save()
    return True


def has_label_of(gone: int, survivor: int, label: str) -> bool:
    """Whether the survivor has a name of its own under the label that the other one is known by."""
    return Alias.objects.filter(profile=survivor, label=label).exclude(profile=gone).exists()


def move_aliases(gone: int, survivor: int) -> None:
    """Hand the names over whose labels the survivor lacks."""
    _hand_over(Alias, "label", gone, survivor)


def _merge_fields(gone: Profile, survivor: Profile, now: datetime) -> None:
    for name in _FIELDS:
        if not getattr(survivor, name):
            setattr(survivor, name, getattr(gone, name))
    survivor.custom_attributes = gone.custom_attributes | survivor.custom_attributes
    survivor.other_attributes = gone.other_attributes | survivor.other_attributes
    starts = [at for at in (gone.first_session_at, survivor.first_session_at) if at]
    ends = [at for at in (gone.last_session_at, survivor.last_session_at) if at]
    survivor.first_session_at, survivor.last_session_at = min(starts, default=None), max(ends, default=None)
    survivor.created_at, survivor.updated_at = min(gone.created_at, survivor.created_at), now


def _add_summaries(gone: int, survivor: int) -> None:
    """Add up what both did; what only the former did is handed over with the other tables."""
    known = {(row.kind, row.name): row for row in EventSummary.objects.filter(profile=survivor)}
    for row in EventSummary.objects.filter(profile=gone):
        if own := known.get((row.kind, row.name)):
            EventSummary.objects.filter(pk=own.pk).update(
                count=F("count") + row.count,
                amount=F("amount") + row.amount,
                first_at=min(own.first_at, row.first_at),
                last_at=max(own.last_at, row.last_at),
            )


_TABLES: Mapping[type[Model], str] = {
    CustomEvent: "",
    Purchase: "",
    PendingEvent: "",
    FormerId: "",
    EventSummary: "kind name",
    SubscriptionState: "group",
    ImportedProfile: "source",
    Alias: "label",
}
"""The tables of this app, with what a profile has only one row for."""


def _hand_over(table: type[Model], key: str, gone: int, survivor: int) -> None:
    """Give the rows to the survivor, apart from those of which it has one already: these go with the profile."""
    rows = table._default_manager.filter(profile=gone)
    if key:
        names = key.split()
        mine = set(table._default_manager.filter(profile=survivor).values_list(*names))
        rows = rows.filter(pk__in=[pk for pk, *values in rows.values_list("pk", *names) if tuple(values) not in mine])
    rows.update(profile=survivor)
