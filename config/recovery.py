"""What must be done to a database that was restored from a backup, before anything is sent from it.

The backup is older than the last thing the lost installation did. What was due in between was perhaps sent already:
such messages end as skipped, with that reason, and nothing goes out until a person resumes each campaign and Canvas.
Message ids go on far above: a `webhook-id` that the lost installation used is never given to another message.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction
from django.db.models import Q

from campaigns.models import Campaign
from canvas import lifecycle as canvas_lifecycle
from canvas.models import Canvas
from outreach import lifecycle
from outreach.models import Status
from webhooks import record
from webhooks.attempt import Attempt
from webhooks.claims import Claimed
from webhooks.models import Message, Outcome
from webhooks.request import Refusal
from workspace import bulk

REASON = "perhaps_sent"
ID_GAP = 1_000_000_000  # more messages than any backup is behind
_CHUNK = 1_000


@dataclass(frozen=True, slots=True)
class Held:
    """What was done, in numbers."""

    campaigns: int
    canvases: int
    skipped: int


def hold(sent_until: datetime, now: datetime) -> Held:
    """Pause everything, skip what was due by `sent_until`, and leave the used message ids behind. May run twice."""
    campaigns = list(Campaign.objects.filter(status=Status.ACTIVE))
    canvases = list(Canvas.with_tests.filter(status=Status.ACTIVE))
    for campaign in campaigns:
        lifecycle.pause(campaign, now)
    for canvas in canvases:
        canvas_lifecycle.pause(canvas, now)
    skipped = sum(_skip(chunk) for chunk in _perhaps_sent(sent_until))
    leave_ids_behind()
    return Held(len(campaigns), len(canvases), skipped)


def _perhaps_sent(sent_until: datetime) -> Iterator[list[Message]]:
    """Unfinished messages that were due by then, or were on the wire at the moment of the backup."""
    waiting = Message.objects.filter(Q(due_at__lte=sent_until) | Q(leased_until__isnull=False), finished_at=None)
    while chunk := list(waiting.order_by("pk")[:_CHUNK]):
        yield chunk


def _skip(messages: list[Message]) -> int:
    """End them as any refusal before sending does, so that totals, caps and journeys follow."""
    refusal = Refusal(Outcome.SKIPPED, REASON, "")
    return record.record([Attempt(_claimed(message), refusal=refusal) for message in messages])


def _claimed(message: Message) -> Claimed:
    return Claimed(
        id=message.pk,
        sender_id=message.sender_id,
        lane_id=message.lane_id,
        content_id=message.content_id,
        profile_id=message.profile_id,
        cause=message.cause,
        slot=message.slot,
        variant=message.variant,
        due_at=message.due_at,
        attempts=message.attempts,
        first_attempt_at=message.first_attempt_at,
        context=message.context,
        lease=message.lease,
    )


@transaction.atomic
def leave_ids_behind() -> None:
    """Let the next message's id be far above all before."""
    table = Message._meta.db_table
    if connection.vendor == "sqlite":
        bulk.execute("UPDATE sqlite_sequence SET seq = seq + %s WHERE name = %s", [ID_GAP, table])
    else:
        sequence = bulk.fetch("SELECT pg_get_serial_sequence(%s, 'id')", [table])[0][0]
        bulk.fetch("SELECT setval(%s::regclass, nextval(%s::regclass) + %s)", [sequence, sequence, ID_GAP])
