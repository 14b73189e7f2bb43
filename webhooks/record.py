"""Writes what became of a batch: one short transaction, a handful of statements, whatever the batch's size.

Each write names the lease. What it changed comes back as ids, and counters, receipts and log rows follow from those
alone; so a worker that lost its lease changes no total.
"""

import random
from collections.abc import Sequence
from datetime import datetime

from django.conf import settings
from django.db import DatabaseError, InterfaceError, OperationalError, transaction

from webhooks import activity, frozen, hooks, log
from webhooks.attempt import Attempt, Ruling, rule
from webhooks.claims import database_now
from webhooks.masking import shown_text
from webhooks.models import Outcome
from workspace import bulk

_COLUMNS = {
    "id": "bigint",
    "lease": "bigint",
    "attempts": "smallint",
    "due_at": "timestamptz",
    "first_attempt_at": "timestamptz",
    "finished_at": "timestamptz",
    "outcome": "text",
    "reason": "text",
    "last_status": "smallint",
}
_QUIET_SKIPS = {Outcome.SKIPPED, Outcome.CANCELLED}  # counted by reason, but no row in the log


def record(attempts: Sequence[Attempt]) -> int:
    """Write a batch's outcomes; the number of messages that are finished now.

    Raises OperationalError or InterfaceError where the database is away: nothing is written then, and the caller may
    try again. Any other database error is narrowed down to the attempt that causes it, which is stored without details.
    """
    try:
        return _record(attempts)
    except (OperationalError, InterfaceError):
        raise
    except DatabaseError:
        if len(attempts) == 1:
            return _record(attempts, with_details=False)
        middle = len(attempts) // 2
        return record(attempts[:middle]) + record(attempts[middle:])


def _record(attempts: Sequence[Attempt], *, with_details: bool = True) -> int:
    now, scale = database_now(), settings.RETRY_TIME_SCALE
    rulings = [rule(attempt, now, random.random(), scale) for attempt in attempts]  # noqa: S311
    pairs = list(zip(attempts, rulings, strict=True))
    with transaction.atomic():
        written = _write(pairs, now)
        changed = [pair for pair in pairs if pair[0].message.id in written]
        _write_receipts(changed, now)
        frozen.keep(changed)
        if with_details:
            log.write(
                activity.row(attempt, ruling, now) for attempt, ruling in pairs if _belongs_in_log(attempt, ruling)
            )
        recorded = [_recorded(attempt, ruling, now) for attempt, ruling in changed]
        for recorder in hooks.recorders:
            recorder(recorded)
    return sum(ruling.is_final for _, ruling in changed)


def _write(pairs: Sequence[tuple[Attempt, Ruling]], now: datetime) -> set[int]:
    """Update the messages this worker still holds. A late 2xx may finish a message that nobody has finished."""
    rows = [
        {
            "id": attempt.message.id,
            "lease": attempt.message.lease,
            "attempts": ruling.attempts,
            "due_at": ruling.due_at,
            "first_attempt_at": attempt.message.first_attempt_at or attempt.began_at,
            "finished_at": now if ruling.is_final else None,
            "outcome": ruling.outcome,
            "reason": ruling.reason[:64],
            "last_status": ruling.status,
        }
        for attempt, ruling in pairs
    ]
    sql = f"""
        UPDATE webhooks_message SET attempts = u.attempts, due_at = u.due_at, first_attempt_at = u.first_attempt_at,
            finished_at = u.finished_at, outcome = u.outcome, reason = u.reason, last_status = u.last_status,
            leased_until = NULL
        FROM {bulk.rows_as_table(_COLUMNS)}
        WHERE webhooks_message.id = u.id AND webhooks_message.finished_at IS NULL
          AND (webhooks_message.lease = u.lease OR u.outcome = 'received')
        RETURNING webhooks_message.id
    """
    return {id for (id,) in bulk.fetch(sql, [bulk.as_json(rows)])}


_RECEIPT_COLUMNS = {
    "sender_id": "bigint",
    "profile_id": "bigint",
    "cause": "bigint",
    "variant": "bigint",
    "content_id": "bigint",
    "at": "timestamptz",
}


def _write_receipts(changed: Sequence[tuple[Attempt, Ruling]], now: datetime) -> None:
    """One receipt for a reason to send, from its first 2xx; a place that a cap reserved is filled."""
    received = {
        (m.sender_id, m.cause, m.profile_id): {
            "sender_id": m.sender_id,
            "profile_id": m.profile_id,
            "cause": m.cause,
            "variant": m.variant,
            "content_id": m.content_id,
            "at": now,
        }
        for m in (attempt.message for attempt, ruling in changed if ruling.outcome == Outcome.RECEIVED)
    }
    if not received:
        return
    bulk.execute(
        f"""
        INSERT INTO webhooks_receipt
            (sender_id, profile_id, cause, variant, content_id, reserved_at, received_at, counts_for_caps)
        SELECT sender_id, profile_id, cause, variant, content_id, at, at, TRUE
        FROM {bulk.rows_as_table(_RECEIPT_COLUMNS)} WHERE TRUE
        ON CONFLICT (sender_id, cause, profile_id)
        DO UPDATE SET received_at = COALESCE(webhooks_receipt.received_at, excluded.received_at)
        """,
        [bulk.as_json(received[key] for key in sorted(received))],
    )


def _belongs_in_log(attempt: Attempt, ruling: Ruling) -> bool:
    if attempt.answer is not None:
        return not attempt.answer.is_received or attempt.message.is_logged
    return attempt.refusal is not None and ruling.outcome not in _QUIET_SKIPS


def _recorded(attempt: Attempt, ruling: Ruling, now: datetime) -> hooks.Recorded:
    was_error = attempt.answer is not None and not attempt.answer.is_received
    text, extras = ruling.text, attempt.extras
    if text or extras:
        secrets = activity.secrets_of(attempt)
        text = shown_text(text, secrets)
        extras = {shown_text(key, secrets): shown_text(value, secrets) for key, value in extras.items()}
    return hooks.Recorded(attempt.message, ruling.outcome, ruling.reason, was_error, now, ruling.status, text, extras)
