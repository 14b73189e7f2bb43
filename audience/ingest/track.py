"""The one way in for attributes, events and purchases: the API, CSV imports and the admin all end here."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from itertools import chain
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction

from audience.ingest import history, items, names, outbox, people, resolve, subscriptions
from audience.ingest.errors import ItemError, not_valid
from audience.ingest.items import AnyItem, AttributesItem, EventItem, Item, PurchaseItem
from audience.ingest.outbox import Happened
from audience.ingest.people import Applied
from audience.models import CustomEvent, EventName, PendingEvent, Profile, Purchase

Kind = PendingEvent.Kind
_CHANNELS = ("email_subscribe", "push_subscribe")


@dataclass(slots=True)
class Batch:
    """What was read from a request, and what came of it.

    `profiles` has, by list ("attributes", "events", "purchases") and index, the id of the profile that an object was
    applied to; objects about nobody are missing there, and are no errors.
    """

    attributes: list[AttributesItem] = field(default_factory=list)
    events: list[EventItem] = field(default_factory=list)
    purchases: list[PurchaseItem] = field(default_factory=list)
    errors: list[ItemError] = field(default_factory=list)
    profiles: dict[tuple[str, int], int] = field(default_factory=dict)
    created: set[int] = field(default_factory=set)

    @property
    def is_empty(self) -> bool:
        return not (self.attributes or self.events or self.purchases)


def read(attributes: Sequence[Any], events: Sequence[Any], purchases: Sequence[Any], now: datetime) -> Batch:
    """Read the three lists; what can't be used is in `errors`. Asks no database."""
    batch = Batch()
    batch.attributes, wrong = items.read_all(attributes, "attributes", items.read_attributes)
    batch.events, wrong_events = items.read_all(events, "events", partial(items.read_event, now=now))
    batch.purchases, wrong_purchases = items.read_all(purchases, "purchases", partial(items.read_purchase, now=now))
    batch.errors = [*wrong, *wrong_events, *wrong_purchases]
    return batch


def track(
    attributes: Sequence[Any] = (),
    events: Sequence[Any] = (),
    purchases: Sequence[Any] = (),
    *,
    now: datetime,
    may_trigger: bool = True,
) -> Batch:
    """Store all usable objects, attributes first, in one transaction; the others are named in `errors`.

    Costs the same few statements whatever the number of objects. With `may_trigger` what somebody listens to goes
    into the outbox. Used by `/users/track` (whose limits are its own), imports and the admin.
    """
    batch = read(attributes, events, purchases, now)
    if not batch.is_empty:
        store(batch, now, may_trigger)
    return batch


def check(
    attributes: Sequence[Any] = (), events: Sequence[Any] = (), purchases: Sequence[Any] = (), *, now: datetime
) -> Batch:
    """What `track` would answer, storing nothing: the work is done and taken back."""
    batch = read(attributes, events, purchases, now)
    if not batch.is_empty:
        with transaction.atomic():
            store(batch, now, may_trigger=False)
            transaction.set_rollback(True)
    return batch


def store(batch: Batch, now: datetime, may_trigger: bool = True) -> None:
    """Write what was read. If another batch makes the same profile at the same moment, it is tried once more."""
    refused = [*batch.errors]
    try:
        with transaction.atomic():
            _store(batch, now, may_trigger)
    except IntegrityError:
        batch.errors, batch.profiles, batch.created = refused, {}, set()
        with transaction.atomic():
            _store(batch, now, may_trigger)


def _store(batch: Batch, now: datetime, may_trigger: bool) -> None:
    found, batch.created = resolve.resolve([*batch.attributes, *batch.events, *batch.purchases], now)
    for array, some in _lists(batch):
        batch.profiles |= {(array, item.index): found[item.who] for item in some if item.who in found}
    candidates = [
        *_store_attributes(batch, now),
        *_store_events(batch, now),
        *_store_purchases(batch, now),
    ]
    if may_trigger:
        outbox.put(candidates)


def _lists(batch: Batch) -> Iterator[tuple[str, Sequence[Item]]]:
    yield "attributes", batch.attributes
    yield "events", batch.events
    yield "purchases", batch.purchases


def _store_attributes(batch: Batch, now: datetime) -> list[Happened]:
    """Apply the attribute objects in order to their profiles, which stay locked until the end."""
    ids = {pk for (array, _index), pk in batch.profiles.items() if array == "attributes"}
    if not ids:
        return []
    locked = Profile.objects.filter(pk__in=ids).order_by("pk").select_for_update(no_key=True)
    profiles = {profile.pk: profile for profile in locked}
    known = names.known_attributes(name for item in batch.attributes for name in item.custom)
    applied: list[tuple[AttributesItem, Profile, Applied]] = []
    for item in batch.attributes:
        profile = profiles.get(batch.profiles.get(("attributes", item.index), 0))
        if profile:
            applied.append((item, profile, people.apply(item, profile, known, now)))
    people.save({profile.pk: profile for _item, profile, one in applied if one.is_dirty}.values(), now)
    names.learn_attributes(known)
    batch.errors += [ItemError(text, "attributes", item.index) for item, _, one in applied for text in one.warnings]
    pending = [_changed(profile.pk, one.changes, now) for _item, profile, one in applied if one.changes]
    return [*chain.from_iterable(pending), *_store_groups(batch, applied, now)]


def _changed(profile: int, changes: Mapping[str, tuple[Any, Any]], now: datetime) -> Iterator[Happened]:
    yield outbox.changed(profile, Kind.ATTRIBUTES, changes, now)
    channels = {name.removesuffix("_subscribe"): changes[name] for name in _CHANNELS if name in changes}
    if channels:
        yield outbox.changed(profile, Kind.SUBSCRIPTION, channels, now)


def _store_groups(
    batch: Batch, applied: Sequence[tuple[AttributesItem, Profile, Applied]], now: datetime
) -> list[Happened]:
    asked = [(item, profile, *entry) for item, profile, _one in applied for entry in item.groups]
    if not asked:
        return []
    known = subscriptions.groups(key for _item, _profile, key, _state in asked)
    wishes = []
    for item, profile, key, state in asked:
        if key in known:
            wishes.append(subscriptions.Wish(profile.pk, known[key].pk, state))
        else:
            batch.errors.append(ItemError(not_valid("subscription_groups"), "attributes", item.index))
    changes = subscriptions.apply(wishes, {group.pk: group for group in known.values()}, now)
    return [
        outbox.changed(
            change.profile, Kind.SUBSCRIPTION, {change.group_key: (change.before or None, change.after)}, now
        )
        for change in changes
    ]


def _store_events(batch: Batch, now: datetime) -> list[Happened]:
    some = _addressed(batch, "events", batch.events)
    blocked = names.blocked(EventName.Kind.EVENT, (item.name for item, _pk in some), now)
    some = _without_blocked(batch, "events", some, lambda item: item.name in blocked)
    stored = [event for event in history.store_events(some, now) if event]
    sessions = [event for event in stored if event.name == settings.SESSION_EVENT]
    people.record_sessions((event.profile_id, event.occurred_at) for event in sessions)
    starts = [_pending(Kind.SESSION_START, "", event) for event in sessions]
    return [*(_pending(Kind.CUSTOM_EVENT, event.name, event) for event in stored), *starts]


def _store_purchases(batch: Batch, now: datetime) -> list[Happened]:
    some = _addressed(batch, "purchases", batch.purchases)
    blocked = names.blocked(EventName.Kind.PRODUCT, (item.product_id for item, _pk in some), now)
    some = _without_blocked(batch, "purchases", some, lambda item: item.product_id in blocked)
    stored = history.store_purchases(some, now)
    return [_pending(Kind.PURCHASE, purchase.product_id, purchase) for purchase in stored if purchase]


def _addressed(batch: Batch, array: str, some: Sequence[AnyItem]) -> list[tuple[AnyItem, int]]:
    """The items that are about somebody, with the profile's id."""
    targets = ((item, batch.profiles.get((array, item.index))) for item in some)
    return [(item, pk) for item, pk in targets if pk is not None]


def _without_blocked(
    batch: Batch, array: str, some: list[tuple[AnyItem, int]], is_blocked: Callable[[AnyItem], bool]
) -> list[tuple[AnyItem, int]]:
    refused = [item for item, _pk in some if is_blocked(item)]
    field_name = "name" if array == "events" else "product_id"
    batch.errors += [ItemError(f"'{field_name}' is blocked", array, item.index) for item in refused]
    return [(item, pk) for item, pk in some if not is_blocked(item)]


def _pending(kind: Kind, name: str, row: CustomEvent | Purchase) -> Happened:
    return Happened(row.profile_id, kind, name, row.pk, row.properties, row.occurred_at, row.received_at)
