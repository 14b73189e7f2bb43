"""Looks for what must never be: journeys that nothing would wake, and totals that don't add up."""

from collections import Counter
from datetime import datetime, timedelta

from django.db.models import Count

from canvas import counts, engine
from canvas.models import Journey
from canvas.states import State
from workspace import bulk
from workspace.queues import wake

OVERDUE = timedelta(hours=1)
_CHUNK = 5_000


def wake_the_lost(now: datetime) -> int:
    """Wake journeys that are sending although every message of their step has ended, or has been tried; how many.

    It happens where messages end outside of delivery: a stop cancels them, a restore brings them back.
    """
    lost = bulk.fetch(
        f"""
        {engine.PEOPLED}, lost AS MATERIALIZED (
            SELECT j.id FROM peopled AS p
            JOIN canvas_journey AS j ON j.step_id = p.step AND j.ended_at IS NULL AND j.wake_at IS NULL
            JOIN canvas_stepvisit AS v ON v.journey_id = j.id AND v.step_id = j.step_id
            JOIN outreach_outreach AS o ON o.id = j.canvas_id
            WHERE j.state = 'sending' AND NOT EXISTS (
                SELECT 1 FROM webhooks_message AS m
                WHERE m.sender_id = o.sender_id AND m.cause = v.id AND m.finished_at IS NULL
            )
            LIMIT {_CHUNK} {bulk.for_update("j", skip_locked=True)}
        )
        UPDATE canvas_journey SET wake_at = %s WHERE id IN (SELECT id FROM lost) RETURNING id
        """,
        [bulk.time_param(now)],
    )
    if lost:
        wake("canvas")
    return len(lost)


def overdue(now: datetime, longer_than: timedelta = OVERDUE) -> dict[int, int]:
    """How many journeys should have gone on longer ago than that and have not, by Canvas. Empty: all is well.

    Those that a pause or a stop holds are left out. For a health page: it reads what is due, nothing else.
    """
    rows = bulk.fetch(
        f"""
        {engine.PEOPLED}
        SELECT s.canvas_id, SUM((
            SELECT COUNT(*) FROM canvas_journey AS j
            WHERE j.step_id = p.step AND j.ended_at IS NULL AND j.wake_at < %s
        )) AS late
        FROM peopled AS p JOIN canvas_step AS s ON s.id = p.step JOIN outreach_outreach AS o ON o.id = s.canvas_id
        WHERE o.status = 'active' GROUP BY s.canvas_id
        """,
        [bulk.time_param(now - longer_than)],
    )
    return {canvas: int(count) for canvas, count in rows if count}


def miscounted(canvas_id: int) -> dict[int, tuple[int, int]]:
    """Steps (0: the Canvas) for which the totals say another number inside than there are: (by totals, in truth)."""
    inside: Counter[int] = Counter()
    live = Journey.objects.filter(canvas=canvas_id, ended_at=None).values_list("step_id", "state")
    for step, state, number in live.annotate(Count("pk")):
        if state != State.FAILED:
            inside[0] += number
        if state not in (State.FAILED, State.ENTERING, State.CONTROL):
            inside[step or 0] += number
    totals = counts.by_step(canvas_id)
    steps = {*totals, *inside}
    found = {step: (totals.get(step, counts.NOTHING)["waiting"], inside[step]) for step in steps}
    return {step: pair for step, pair in found.items() if pair[0] != pair[1]}
