"""Plans an occurrence: one message row for each profile and webhook, in chunks, resumable and repeatable.

The occurrence's row is locked for each chunk and carries the cursor, so a second planner leaves, and a crash repeats at
most one chunk, whose rows exist already and are not made twice.
"""

import heapq
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.utils import timezone

from outreach import arms, counters, reach
from outreach.counters import Key
from outreach.models import Dispatch, Metric, Occurrence, Outreach, Status, Variant, VariantContent
from webhooks.lanes import open_lanes
from workspace import bulk
from workspace.queues import wake

logger = logging.getLogger(__name__)

CHUNK = 10_000
Taker = Callable[[Occurrence, Sequence[int], datetime], int | None]
takers: list[Taker] = []
"""Higher apps that take a run's profiles over instead of sending to them: how many they took, None if not theirs."""
LATENESS_ALLOWED = timedelta(hours=1)  # campaigns specification, section 6.1


@dataclass(frozen=True)
class Chunk:
    """What one step of planning did: profiles looked at, messages made, and whether any profile may be left."""

    considered: int
    planned: int
    is_last: bool


def plan_due(now: datetime) -> int:
    """Plan every occurrence that is due, to its end; the number of messages made."""
    due = Occurrence.objects.filter(finished_at=None, planned_at__lte=now, outreach__status=Status.ACTIVE)
    return sum(chunk.planned for pk in due.values_list("pk", flat=True) for chunk in plan(pk, now))


def plan(occurrence_id: int, now: datetime) -> Iterator[Chunk]:
    """Plan chunk by chunk, each in its own transaction. Stops where another planner is at it."""
    while (chunk := plan_chunk(occurrence_id, now)) is not None:
        yield chunk
        if chunk.is_last:
            return


def plan_chunk(occurrence_id: int, now: datetime, size: int = CHUNK) -> Chunk | None:
    """Plan the next `size` profiles. None where the occurrence is finished, taken, or its outreach not active."""
    with transaction.atomic():
        free = (
            Occurrence.objects.select_for_update(skip_locked=True, of=("self",)) if _can_skip() else Occurrence.objects
        )
        occurrence = free.select_related("outreach__sender").filter(pk=occurrence_id, finished_at=None).first()
        if occurrence is None or occurrence.outreach.status != Status.ACTIVE:
            return None
        if occurrence.cursor == 0 and now - occurrence.planned_at > LATENESS_ALLOWED:
            _miss(occurrence, now)
            return None
        ids = _next_profiles(occurrence, now, size)
        planned = _write(occurrence, ids, now) if ids else 0
        _move_on(occurrence, ids, planned, size)
        wake("deliver")
    return Chunk(len(ids), planned, occurrence.finished_at is not None)


def _can_skip() -> bool:
    return connection.features.has_select_for_update_skip_locked


def _miss(occurrence: Occurrence, now: datetime) -> None:
    """Too late to send by itself: marked, logged, and left to a person."""
    occurrence.result, occurrence.finished_at = Occurrence.Result.MISSED, timezone.now()
    occurrence.save(update_fields=["result", "finished_at"])
    logger.warning("occurrence=%s outcome=missed late_by=%s", occurrence.pk, now - occurrence.planned_at)


def _next_profiles(occurrence: Occurrence, now: datetime, size: int) -> list[int]:
    people = reach.audience(occurrence.outreach, now)
    if occurrence.limit is not None:
        chosen = sample(people.values_list("pk", flat=True).iterator(), occurrence.pk, occurrence.limit)
        return [pk for pk in chosen if pk > occurrence.cursor][:size]
    return list(people.filter(pk__gt=occurrence.cursor).order_by("pk").values_list("pk", flat=True)[:size])


def sample(ids: Iterable[int], salt: int, limit: int) -> list[int]:
    """`limit` of the ids, random but always the same for a salt, in ascending order; not "lowest id first"."""
    return sorted(heapq.nsmallest(limit, ids, key=lambda pk: (arms.rank(pk, salt), pk)))


def _move_on(occurrence: Occurrence, ids: Sequence[int], planned: int, size: int) -> None:
    occurrence.considered_count += len(ids)
    occurrence.planned_count += planned
    if ids:
        occurrence.cursor = ids[-1]
    if len(ids) < size:
        occurrence.result, occurrence.finished_at = Occurrence.Result.PLANNED, timezone.now()
    occurrence.save(update_fields=["considered_count", "planned_count", "cursor", "result", "finished_at"])


def _write(occurrence: Occurrence, ids: Sequence[int], now: datetime) -> int:
    for take in takers:
        if (taken := take(occurrence, ids, now)) is not None:
            return taken
    outreach = occurrence.outreach
    variants = list(outreach.variants.filter(is_removed=False))
    enrol(outreach, variants, ids, now)
    made = make_messages(outreach, variants, occurrence.dispatch_id or 0, ids, occurrence.planned_at)
    day = counters.today(now)
    counters.add({Key(outreach.pk, day, variant, 0, Metric.PLANNED): count for variant, count in made.items()})
    return sum(made.values())


def enrol(outreach: Outreach, variants: Sequence[Variant], ids: Sequence[int], now: datetime) -> None:
    """Give each profile its arm. The first assignment stays."""
    shares = [variant.share for variant in variants]
    rows = ({"id": pk, "variant": variants[arms.pick(pk, outreach.pk, shares)].pk} for pk in ids)
    bulk.execute(
        f"""
        INSERT INTO outreach_enrolment (outreach_id, profile_id, variant_id, enrolled_at)
        SELECT %s, id, variant, %s FROM {bulk.rows_as_table({"id": "bigint", "variant": "bigint"})} WHERE TRUE
        ON CONFLICT (outreach_id, profile_id) DO NOTHING
        """,
        [outreach.pk, now, bulk.as_json(rows)],
    )


def make_messages(
    outreach: Outreach, variants: Sequence[Variant], cause: int, ids: Sequence[int], due_at: datetime
) -> Counter[int]:
    """Insert a message for each enrolled profile and webhook of its arm; how many were new, by variant.

    Who received this outreach before, or still waits for a message of it, gets none (re-eligibility is off).
    """
    targets = list(VariantContent.objects.filter(variant__in=variants).select_related("content"))
    lanes = open_lanes(outreach.sender, [target.content for target in targets])
    rows = [
        {"variant": t.variant_id, "slot": t.slot, "content": t.content_id, "lane": lanes[t.content_id]} for t in targets
    ]
    slots = bulk.rows_as_table({"variant": "bigint", "slot": "smallint", "content": "bigint", "lane": "bigint"}, "t")
    sql = f"""
        INSERT INTO webhooks_message
            (sender_id, lane_id, content_id, profile_id, cause, slot, variant, due_at, attempts, lease, outcome, reason)
        SELECT %s, t.lane, t.content, e.profile_id, %s, t.slot, t.variant, %s, 0, 0, '', ''
        FROM outreach_enrolment AS e JOIN {slots} ON t.variant = e.variant_id
        WHERE e.outreach_id = %s AND e.profile_id IN (SELECT id FROM {bulk.ids_as_table()}) AND NOT EXISTS (
            SELECT 1 FROM webhooks_receipt AS r
            WHERE r.sender_id = %s AND r.profile_id = e.profile_id AND r.received_at IS NOT NULL
        ) AND NOT EXISTS (
            SELECT 1 FROM webhooks_message AS m
            WHERE m.profile_id = e.profile_id AND m.finished_at IS NULL AND m.sender_id = %s AND m.cause <> %s
        )
        ON CONFLICT (sender_id, cause, profile_id, slot) DO NOTHING
        RETURNING variant
    """
    sender = outreach.sender_id
    params = [sender, cause, due_at, bulk.as_json(rows), outreach.pk, bulk.as_json_ids(ids), sender, sender, cause]
    return Counter(variant for (variant,) in bulk.fetch(sql, params))


def occurrence_at(outreach: Outreach, planned_at: datetime, limit: int | None = None) -> Occurrence:
    """The occurrence of this instant, with its dispatch, made once however often it is asked for."""
    with transaction.atomic():
        dispatch, _ = Dispatch.objects.get_or_create(
            outreach=outreach, kind=Dispatch.Kind.OCCURRENCE, source=planned_at.isoformat()
        )
        occurrence, _ = Occurrence.objects.get_or_create(
            outreach=outreach, planned_at=planned_at, defaults={"dispatch": dispatch, "limit": limit}
        )
    return occurrence
