"""Claims due messages for this worker, and gives back what it cannot send.

A claim is a lease with a fresh number. Every later write names that number, so a worker that lost its lease changes
nothing. All times are the database's, so workers on machines with different clocks agree.
"""

import json
import secrets
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone

from webhooks.models import Lane, Message
from webhooks.rates import Rate
from workspace import bulk
from workspace.remembered import Recent

_COLUMNS = (
    "id sender_id lane_id content_id profile_id cause slot variant due_at attempts first_attempt_at context".split()
)
_ROUNDS = 3
_LEAST_SHARE = 4


@dataclass(slots=True)
class Claimed:
    """A message this worker holds. `deadline` is the end of its lease on this process's monotonic clock, in seconds."""

    id: int
    sender_id: int
    lane_id: int
    content_id: int
    profile_id: int
    cause: int
    slot: int
    variant: int
    due_at: datetime
    attempts: int
    first_attempt_at: datetime | None
    context: dict[str, Any] | None
    lease: int = 0
    deadline: float = 0.0
    host: str = ""  # its lane's; empty where only rendering will show it
    is_limited: bool = False  # by a rate: it needs a place before it starts
    is_logged: bool = False  # whatever the answer


def database_now() -> datetime:
    """The database's clock, aware, asked for every few seconds. SQLite has none of its own: it is this machine's."""
    if connection.vendor != "postgresql":
        return timezone.now()
    asked_at, then = _clock.get(0) or (0.0, timezone.now())
    return then + timedelta(seconds=time.monotonic() - asked_at)


def _ask_clock(_keys: object) -> dict[int, tuple[float, datetime]]:
    now = bulk.fetch("SELECT clock_timestamp()", [])[0][0]
    return {0: (time.monotonic(), now)}


_clock = Recent(_ask_clock, seconds=5.0)


def claim(room: int, host_room: Callable[[str], int], seconds: float) -> list[Claimed]:
    """Lease up to `room` due messages for `seconds`, a few from every open lane whose host has room, oldest first.

    All lanes to a host share its room. Lanes that gave all they were asked for are asked again for what room is left.
    Of a sender with a rate no more than its free places, retries first. One short transaction.
    """
    lease, deadline = secrets.randbits(62), time.monotonic() + seconds
    with transaction.atomic():
        rows = [_LaneRow(*row) for row in bulk.fetch(_LANES % _HASTE.get(connection.vendor, ""), [])]
        hosts = lanes = {row.lane: row.host for row in rows}
        left = {host: host_room(host) for host in set(lanes.values())}
        places, shared = _places(rows)
        taken = _claim_limited(lanes, left, places, min(room, shared), lease, seconds) if places else []
        for message in taken:
            message.is_limited = True
        lanes = {lane: host for lane, host in lanes.items() if lane not in places}
        for _ in range(_ROUNDS):
            lanes = {lane: host for lane, host in lanes.items() if left[host] > 0}
            if not lanes or len(taken) >= room:
                break
            share = max(_LEAST_SHARE, -(-(room - len(taken)) // len(lanes)))
            asked = [Ask(lane, min(share, left[host]), host, left[host]) for lane, host in lanes.items()]
            got = _take(asked, room - len(taken), lease, seconds)
            taken += got
            for message in got:
                left[lanes[message.lane_id]] -= 1
            full = Counter(message.lane_id for message in got)
            lanes = {ask.lane: ask.host for ask in asked if full.get(ask.lane) == ask.most}
    logged = {row.lane for row in rows if row.logged_until}
    for message in taken:
        message.lease, message.deadline, message.host = lease, deadline, hosts[message.lane_id]
        message.is_logged = message.lane_id in logged
    return taken


class _LaneRow(NamedTuple):
    """An open lane, the rates that limit it, and until when its sender logs everything."""

    lane: int
    host: str
    rate: int | None
    free_at: Any
    logged_until: Any
    shared_rate: int | None
    shared_free_at: Any


_LANES = """
    SELECT l.id, l.host, s.rate_per_minute, s.next_free_at, s.log_everything_until, w.rate_per_minute, w.next_free_at
    FROM webhooks_lane AS l JOIN webhooks_sender AS s ON s.id = l.sender_id
    LEFT JOIN workspace_workspace AS w ON w.id = 1 %s WHERE l.is_open AND s.is_open
"""
# A claim need not be on disk before requests start: a database that crashes forgets the lease, and the message is one
# of those that were in flight. It saves waiting for the disk once a batch.
_HASTE = {"postgresql": "CROSS JOIN (SELECT set_config('synchronous_commit', 'off', true)) AS haste"}
_UNLIMITED = 1_000_000


def _places(rows: Sequence[_LaneRow]) -> tuple[dict[int, int], int]:
    """Free places of the lanes that a rate limits, by lane, and those of all of them together."""
    shared = _rate(rows[0].shared_rate, rows[0].shared_free_at) if rows else None
    limited = {row.lane: _rate(row.rate, row.free_at) for row in rows if row.rate or shared}
    if not limited:
        return {}, _UNLIMITED
    now = database_now()
    found = {lane: own.room(now) if own else _UNLIMITED for lane, own in limited.items()}
    return found, shared.room(now) if shared else _UNLIMITED


def _rate(per_minute: int | None, free_at: Any) -> Rate | None:
    return Rate(per_minute, bulk.moment(free_at) if free_at else None) if per_minute else None


def _claim_limited(
    lanes: Mapping[int, str], left: dict[str, int], places: Mapping[int, int], room: int, lease: int, seconds: float
) -> list[Claimed]:
    """From lanes with a rate: first what is tried again, then what is fresh."""
    taken: list[Claimed] = []
    share = max(_LEAST_SHARE, -(-room // len(places)))
    for only_retries in (True, False):
        got = Counter(message.lane_id for message in taken)
        asked = []
        for lane, most in places.items():
            here = left[lanes[lane]]
            asked.append(Ask(lane, min(share, here, most - got[lane]), lanes[lane], here))
        asked = [ask for ask in asked if ask.most > 0]
        more = _take(asked, room - len(taken), lease, seconds, only_retries) if asked and room > len(taken) else []
        for message in more:
            left[lanes[message.lane_id]] -= 1
        taken += more
    return taken


class Ask(NamedTuple):
    """At most `most` messages of a lane, and at most `host_room` of all lanes to its host."""

    lane: int
    most: int
    host: str
    host_room: int


def release(messages: Iterable[Claimed]) -> None:
    """Give leases back: the messages are claimable at once. Those that another worker took meanwhile stay its own."""
    for lease, ids in _by_lease(messages).items():
        Message.objects.filter(id__in=ids, lease=lease, finished_at=None).update(leased_until=None)


def next_due() -> datetime | None:
    """When the next message of an open lane falls due, in the past if one is due now; None if nothing waits."""
    open_lanes = Lane.objects.filter(is_open=True, sender__is_open=True).values("id")
    waiting = Message.objects.filter(lane__in=open_lanes, finished_at=None).order_by("due_at")
    return waiting.values_list("due_at", flat=True).first()


def _take(asked: Sequence[Ask], room: int, lease: int, seconds: float, only_retries: bool = False) -> list[Claimed]:
    if connection.vendor == "postgresql":
        sql = _TAKE_POSTGRESQL % {"only": "AND attempts > 0" if only_retries else ""}
        rows = bulk.fetch(sql, [json.dumps(asked), room, lease, seconds])
        return [Claimed(*(*row[:-1], json.loads(row[-1]) if row[-1] else None)) for row in rows]
    return _take_sqlite(asked, room, lease, seconds, only_retries)


# MATERIALIZED: folded into the update, a rescan would lock again and pass by the rows this statement has just updated.
# The ids as an array: joined, statistics that are out of date made PostgreSQL read the whole table for each claim.
_TAKE_POSTGRESQL = f"""
WITH due AS MATERIALIZED (
    SELECT m.id, m.due_at, (ask->>3)::int AS host_room,
        row_number() OVER (PARTITION BY ask->>2 ORDER BY m.due_at) AS place
    FROM jsonb_array_elements(%%s::jsonb) AS ask
    CROSS JOIN LATERAL (
        SELECT id, due_at FROM webhooks_message
        WHERE lane_id = (ask->>0)::bigint AND finished_at IS NULL AND due_at <= clock_timestamp()
          AND (leased_until IS NULL OR leased_until <= clock_timestamp()) %(only)s
        ORDER BY due_at LIMIT (ask->>1)::int FOR UPDATE SKIP LOCKED
    ) AS m
), chosen AS MATERIALIZED (
    SELECT id FROM due WHERE place <= host_room ORDER BY due_at LIMIT %%s
)
UPDATE webhooks_message AS message
SET lease = %%s, leased_until = clock_timestamp() + %%s * interval '1 second'
WHERE message.id = ANY(ARRAY(SELECT id FROM chosen))
RETURNING {", ".join(f"message.{name}" for name in _COLUMNS)}
"""


def _take_sqlite(asked: Sequence[Ask], room: int, lease: int, seconds: float, only_retries: bool) -> list[Claimed]:
    """The transaction is IMMEDIATE, so no other worker is between these statements."""
    now = timezone.now()
    free = Message.objects.filter(Q(leased_until=None) | Q(leased_until__lte=now), finished_at=None, due_at__lte=now)
    free = free.filter(attempts__gt=0) if only_retries else free
    found: list[tuple[Claimed, Ask]] = []
    for ask in asked:
        rows = free.filter(lane=ask.lane).order_by("due_at").values_list(*_COLUMNS)[: ask.most]
        found += [(Claimed(*row), ask) for row in rows]
    chosen: list[Claimed] = []
    places: dict[str, int] = {}
    for message, ask in sorted(found, key=lambda pair: pair[0].due_at):
        places[ask.host] = places.get(ask.host, 0) + 1
        if places[ask.host] <= ask.host_room:
            chosen.append(message)
    chosen = chosen[:room]
    bulk.execute(
        f"UPDATE webhooks_message SET lease = %s, leased_until = %s WHERE id IN (SELECT id FROM {bulk.ids_as_table()})",
        [lease, bulk.stamp(now + timedelta(seconds=seconds)), bulk.as_json_ids(message.id for message in chosen)],
    )
    return chosen


def _by_lease(messages: Iterable[Claimed]) -> dict[int, list[int]]:
    ids: dict[int, list[int]] = {}
    for message in messages:
        ids.setdefault(message.lease, []).append(message.id)
    return ids


def move_lane(messages: Iterable[Claimed], lane_id: int) -> None:
    """Put held messages into another lane of the same sender, once rendering has shown their host."""
    for lease, ids in _by_lease(messages).items():
        Message.objects.filter(id__in=ids, lease=lease, finished_at=None).update(lane_id=lane_id)
