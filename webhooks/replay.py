"""Sends failed messages again: from the log, or with `retry_failed`. The totals follow in the same transaction.

A message that is replayed is pending again under the same `webhook-id`, rendered anew, with all its attempts ahead.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from webhooks import hooks
from webhooks.models import Lane, Message, Outcome
from workspace.queues import wake

CHUNK = 1_000


@dataclass(frozen=True, slots=True)
class Filter:
    """Which failed messages: every field that is given must fit."""

    sender: int | None = None
    host: str = ""
    reason: str = ""
    status: int | None = None
    since: datetime | None = None


def failed(wanted: Filter) -> "QuerySet[Message]":
    """The failed messages that fit."""
    found = Message.objects.filter(outcome=Outcome.FAILED)
    if wanted.sender is not None:
        found = found.filter(sender=wanted.sender)
    if wanted.host:
        found = found.filter(lane__host=wanted.host)
    if wanted.reason:
        found = found.filter(reason=wanted.reason)
    if wanted.status is not None:
        found = found.filter(last_status=wanted.status)
    if wanted.since is not None:
        found = found.filter(finished_at__gte=wanted.since)
    return found


def again(message_ids: Iterable[int], now: datetime) -> int:
    """Make these messages pending again if they failed; how many were. Others are left alone: nothing is sent twice."""
    ids = sorted(set(message_ids))
    count = sum(_chunk(ids[at : at + CHUNK], now) for at in range(0, len(ids), CHUNK))
    if count:
        wake("deliver")
    return count


def _chunk(ids: Sequence[int], now: datetime) -> int:
    with transaction.atomic():
        rows = list(Message.objects.select_for_update().filter(pk__in=ids, outcome=Outcome.FAILED).order_by("pk"))
        Message.objects.filter(pk__in=[row.pk for row in rows]).update(
            finished_at=None,
            outcome="",
            reason="",
            attempts=0,
            first_attempt_at=None,
            last_status=None,
            leased_until=None,
            due_at=now,
        )
        Lane.objects.filter(pk__in={row.lane_id for row in rows}).update(is_open=True)
        for reopener in hooks.reopeners:
            reopener(rows, now)
    return len(rows)
