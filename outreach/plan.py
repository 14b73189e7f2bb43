"""Plans an occurrence: its audience in chunks, handed to the app it belongs to, resumable and repeatable.

The occurrence's row is locked for each chunk and carries the cursor, so a second planner leaves, and a crash repeats at
most one chunk, whose rows exist already and are not made twice.
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from audience import segments
from audience.models import Profile
from outreach import reach
from outreach.models import Dispatch, Occurrence, Outreach, Status
from workspace.queues import wake

logger = logging.getLogger(__name__)

CHUNK = 10_000
Taker = Callable[[Occurrence, Sequence[int], datetime], int | None]
takers: list[Taker] = []
"""Higher apps that do what a run is for with a chunk of its audience: how many they took, None if it is not theirs."""
schedulers: list[Callable[[datetime], None]] = []
"""Higher apps that add the next runs of their schedules when asked."""
LATENESS_ALLOWED = timedelta(hours=1)  # campaigns specification, section 6.1


@dataclass(frozen=True)
class Chunk:
    """What one step of planning did: profiles looked at, messages made, and whether any profile may be left."""

    considered: int
    planned: int
    is_last: bool


def plan_due(now: datetime) -> int:
    """Plan every occurrence that is due, to its end; the number of messages made."""
    _add_runs(now)
    due = Occurrence.objects.filter(finished_at=None, planned_at__lte=now, outreach__status=Status.ACTIVE)
    keys = list(due.values_list("pk", flat=True))
    planned = sum(chunk.planned for pk in keys for chunk in plan(pk, now))
    if keys:
        _add_runs(now)  # what comes after those
    return planned


def _add_runs(now: datetime) -> None:
    for add_runs in schedulers:
        add_runs(now)


def cancel_runs(outreach: Outreach, now: datetime) -> int:
    """End the runs that have begun: a stop is for good, later runs stay. How many."""
    begun = Occurrence.objects.filter(Q(planned_at__lte=now) | Q(cursor__gt=0), outreach=outreach, finished_at=None)
    return begun.update(result=Occurrence.Result.CANCELLED, finished_at=now)


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
        occurrence = (
            free.select_related("outreach__sender", "dispatch").filter(pk=occurrence_id, finished_at=None).first()
        )
        if occurrence is None or occurrence.outreach.status != Status.ACTIVE:
            return None
        is_late = now - occurrence.planned_at > LATENESS_ALLOWED and occurrence.local_day is None
        if occurrence.cursor == 0 and is_late:
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
    people = audience_of(occurrence, now).filter(pk__gt=occurrence.cursor)
    return list(people.order_by("pk").values_list("pk", flat=True)[:size])


def audience_of(occurrence: Occurrence, now: datetime) -> "QuerySet[Profile]":
    """Whom a run is for: the audience of its outreach, narrowed where the call behind it says so."""
    people = reach.audience(occurrence.outreach, now)
    return narrowed(people, occurrence.dispatch.audience if occurrence.dispatch else None, now)


def narrowed(people: "QuerySet[Profile]", tree: Mapping[str, Any] | None, now: datetime) -> "QuerySet[Profile]":
    """Those who meet a filter tree as well, if there is one."""
    return people & segments.members((), tree, now) if tree else people


def add_run(outreach: Outreach, dispatch: Dispatch, at: datetime) -> Occurrence:
    """The run of a call, at that moment or the first one after it that no other run has."""
    while Occurrence.objects.filter(outreach=outreach, planned_at=at).exists():
        at += timedelta(microseconds=1)
    return Occurrence.objects.create(outreach=outreach, planned_at=at, dispatch=dispatch)


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
    raise LookupError(f"nobody plans occurrence {occurrence.pk}")


def occurrence_at(
    outreach: Outreach,
    planned_at: datetime,
    limit: int | None = None,
    *,
    local: datetime | None = None,
    phase: int = 0,
) -> Occurrence:
    """The occurrence of this instant, with its dispatch, made once however often it is asked for.

    `local` is the naive day and time that a run in local time asks each profile's clock for.
    """
    with transaction.atomic():
        dispatch, _ = Dispatch.objects.get_or_create(
            outreach=outreach, kind=Dispatch.Kind.OCCURRENCE, source=planned_at.isoformat()
        )
        values: dict[str, Any] = {"dispatch": dispatch, "limit": limit, "phase": phase}
        if local:
            values |= {"local_day": local.date(), "local_time": local.time()}
        occurrence, _ = Occurrence.objects.get_or_create(outreach=outreach, planned_at=planned_at, defaults=values)
    return occurrence
