"""Gives those who wait in a delay its new length: worked out again from when each came to it, never into the past."""

from collections.abc import Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

from canvas.graph import Node
from canvas.models import Canvas, Journey, Kind
from canvas.states import Waiting
from canvas.steps import delay
from canvas.travel import zone_named
from outreach import delays
from workspace import bulk
from workspace.models import Workspace

_CHUNK = 5_000
_WAITS = (Waiting.DELAY, Waiting.DATE)


def can_be(node: Node) -> bool:
    """Whether a new setting can be applied to those who wait: a personal delay was read when they came."""
    return node.kind is Kind.DELAY and node.settings.get("mode") not in (None, "", "none", delay.PERSONAL)


def apply(canvas: Canvas, node: Node, now: datetime) -> int:
    """How many got another time. A date that has passed lets them go on now: they waited in good faith."""
    wanted = delays.read(node.settings)
    company = ZoneInfo(Workspace.current().time_zone)
    waiting = Journey.objects.filter(canvas=canvas, step_id=node.id, ended_at=None, waits_for__in=_WAITS).order_by("pk")
    last, count = 0, 0
    while rows := list(waiting.filter(pk__gt=last).values_list("pk", "step_entered_at", "profile__time_zone")[:_CHUNK]):
        found = []
        for pk, since, zone in rows:
            own = zone_named(zone or "") or company
            end = delays.due_at(wanted, since or now, own if wanted.uses_profile_zone else company)
            found.append({"id": pk, "until": max(end or now, now)})
        _write(found, Waiting.DATE if wanted.follows_the_clock else Waiting.DELAY)
        last, count = rows[-1][0], count + len(rows)
    return count


def _write(rows: Iterable[dict[str, object]], why: Waiting) -> None:
    bulk.execute(
        f"""
        UPDATE canvas_journey SET wake_at = u.until, waits_for = %s
        FROM {bulk.rows_as_table({"id": "bigint", "until": "timestamptz"})}
        WHERE canvas_journey.id = u.id AND canvas_journey.ended_at IS NULL AND canvas_journey.state = 'waiting'
        """,
        [why.value, bulk.as_json(rows)],
    )
