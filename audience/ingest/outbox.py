"""Puts what somebody listens to into the outbox, in the transaction that stores it."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from audience import reactions
from audience.models import PendingEvent
from workspace import queues

Kind = PendingEvent.Kind


def put(candidates: Sequence[PendingEvent]) -> None:
    """Store those of the candidates whose name somebody wants, and wake a dispatcher once all is committed."""
    occurred: dict[Kind, set[str]] = {}
    for event in candidates:
        occurred.setdefault(Kind(event.kind), set()).update(_names(event))
    wanted = reactions.wanted(occurred)
    kept = [event for event in candidates if _keep(event, wanted.get(Kind(event.kind), set()))]
    if kept:
        PendingEvent.objects.bulk_create(kept)
        queues.wake("events")


def changed(profile: int, kind: Kind, changes: Mapping[str, tuple[object, object]], now: datetime) -> PendingEvent:
    """A candidate for changed attributes or subscriptions: old and new value by name."""
    payload = {name: [before, after] for name, (before, after) in changes.items()}
    return PendingEvent(profile_id=profile, kind=kind, payload=payload, occurred_at=now, received_at=now, due_at=now)


def _names(event: PendingEvent) -> set[str]:
    return set(event.payload) if event.kind in _BY_CHANGE else {event.name}


def _keep(event: PendingEvent, wanted: set[str]) -> bool:
    """Whether somebody wants it; of changes only the wanted ones travel."""
    if event.kind in _BY_CHANGE:
        event.payload = {name: change for name, change in event.payload.items() if name in wanted}
        return bool(event.payload)
    return event.name in wanted


_BY_CHANGE = (Kind.ATTRIBUTES, Kind.SUBSCRIPTION)
