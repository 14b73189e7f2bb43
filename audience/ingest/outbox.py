"""Puts what somebody listens to into the outbox, in the transaction that stores it."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from audience import reactions
from audience.models import PendingEvent
from workspace import bulk, queues

Kind = PendingEvent.Kind


class Happened(NamedTuple):
    """What may go into the outbox. `payload`: an event's properties, or what changed as {name: [before, after]}."""

    profile_id: int
    kind: Kind
    name: str
    source_id: int | None
    payload: Mapping[str, Any]
    occurred_at: datetime
    received_at: datetime


def put(candidates: Collection[Happened]) -> None:
    """Store those of the candidates whose name somebody wants, and wake a dispatcher once all is committed."""
    occurred: dict[Kind, set[str]] = {}
    for each in candidates:
        occurred.setdefault(each.kind, set()).update(_names(each))
    wanted = reactions.wanted(occurred)
    kept = [_of_interest(each, wanted.get(each.kind, set())) for each in candidates]
    insert([each for each in kept if each is not None])


_COLUMNS = {
    "profile_id": "bigint",
    "kind": "text",
    "name": "text",
    "source_id": "bigint",
    "payload": "jsonb",
    "occurred_at": "timestamptz",
    "received_at": "timestamptz",
}


def insert(wanted: Sequence[Happened]) -> None:
    """Store what somebody is known to want: one statement."""
    if not wanted:
        return
    names = ", ".join(_COLUMNS)
    bulk.execute(
        f"""
        INSERT INTO audience_pendingevent ({names}, due_at, attempts, error)
        SELECT {names}, received_at, 0, '' FROM {bulk.rows_as_table(_COLUMNS)}
        """,
        [bulk.as_json(each._asdict() for each in wanted)],
    )
    queues.wake("events")


def changed(profile: int, kind: Kind, changes: Mapping[str, tuple[object, object]], now: datetime) -> Happened:
    """A candidate for changed attributes or subscriptions: old and new value by name."""
    payload = {name: [before, after] for name, (before, after) in changes.items()}
    return Happened(profile, kind, "", None, payload, now, now)


def _names(each: Happened) -> Collection[str]:
    return each.payload.keys() if each.kind in _BY_CHANGE else (each.name,)


def _of_interest(each: Happened, wanted: Collection[str]) -> Happened | None:
    """The same, if somebody wants it; of changes only the wanted ones travel."""
    if each.kind not in _BY_CHANGE:
        return each if each.name in wanted else None
    payload = {name: change for name, change in each.payload.items() if name in wanted}
    return each._replace(payload=payload) if payload else None


_BY_CHANGE = (Kind.ATTRIBUTES, Kind.SUBSCRIPTION)
