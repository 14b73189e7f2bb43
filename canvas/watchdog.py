"""Looks for what must never be: journeys that nothing would wake, and totals that don't add up."""

from datetime import datetime

from workspace import bulk
from workspace.queues import wake

_CHUNK = 5_000


def wake_the_lost(now: datetime) -> int:
    """Wake journeys that are sending although every message of their step has ended, or has been tried; how many.

    It happens where messages end outside of delivery: a stop cancels them, a restore brings them back.
    """
    lost = bulk.fetch(
        f"""
        UPDATE canvas_journey SET wake_at = %s WHERE ended_at IS NULL AND wake_at IS NULL AND id IN (
            SELECT j.id FROM canvas_journey AS j
            JOIN canvas_stepvisit AS v ON v.journey_id = j.id AND v.step_id = j.step_id
            JOIN outreach_outreach AS o ON o.id = j.canvas_id
            WHERE j.ended_at IS NULL AND j.wake_at IS NULL AND j.state = 'sending' AND NOT EXISTS (
                SELECT 1 FROM webhooks_message AS m
                WHERE m.sender_id = o.sender_id AND m.cause = v.id AND m.finished_at IS NULL
            )
            LIMIT {_CHUNK} {bulk.for_update("j", skip_locked=True)}
        ) RETURNING id
        """,
        [bulk.time_param(now)],
    )
    if lost:
        wake("canvas")
    return len(lost)
