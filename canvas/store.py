"""Locks journeys, and writes what became of a batch: a handful of statements, whatever its size.

Everything happens in one transaction: a worker that dies has done nothing, and the journeys are due again.
"""

import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from django.db import connection

from canvas import counts, sending
from canvas.models import Canvas
from canvas.states import State
from canvas.travel import Batch, News, Traveller
from outreach import stream
from workspace import bulk

_FIELDS = (
    "id canvas_id profile_id variant_id state step_id visit_id wake_at waits_for token attempts "
    "latched choice began_at events_since source context event_properties version_id"
).split()
_STATES = {state.value: state for state in State}  # calling the class takes ten times as long
_JOURNEY = {
    "id": "bigint",
    "token": "integer",
    "state": "text",
    "step_id": "bigint",
    "step_entered_at": "timestamptz",
    "events_since": "timestamptz",
    "visit_id": "bigint",
    "wake_at": "timestamptz",
    "waits_for": "text",
    "attempts": "smallint",
    "latched": "text",
    "choice": "smallint",
    "ended_at": "timestamptz",
    "exit_reason": "text",
    "label": "text",
}
_VISIT = {
    "id": "bigint",
    "journey_id": "bigint",
    "step_id": "bigint",
    "version": "integer",
    "entered_at": "timestamptz",
    "left_at": "timestamptz",
    "outcome": "text",
    "reason": "text",
    "path": "smallint",
    "late_seconds": "integer",
    "note": "text",
}


def lock_due(
    step_id: int, due: datetime, most: int, *, since: datetime | None = None, state: str = ""
) -> list[Traveller]:
    """Lock the journeys of a step whose time has come, the oldest first; those another worker holds are left to it.

    With `since`, those overdue before then are left alone unless an exit is latched on them.
    """
    where, params = "j.step_id = %s AND j.wake_at <= %s", [step_id, bulk.time_param(due)]
    if since is not None:
        where += " AND (j.wake_at >= %s OR j.latched <> '')"
        params.append(bulk.time_param(since))
    if state:
        where += " AND j.state = %s"
        params.append(state)
    return _select(f"{where} ORDER BY j.wake_at LIMIT %s", [*params, most])


def lock_these(tokens: Mapping[int, int]) -> list[Traveller]:
    """Lock the journeys that still live and that nobody has moved since their tokens were read, in id order."""
    found = _select(f"{bulk.in_ids('j.id')} ORDER BY j.id", [bulk.ids_param(tokens)], waits=True)
    return [t for t in found if t.token == tokens[t.id]]


def lock_of_profiles(profiles: Collection[int], canvases: Collection[int]) -> list[Traveller]:
    """Lock the live journeys of these profiles in these Canvases, in id order."""
    where = (
        f"{bulk.in_ids('j.profile_id')} AND {bulk.in_ids('j.canvas_id')} "
        "AND j.state NOT IN ('control', 'failed') ORDER BY j.id"
    )
    return _select(where, [bulk.ids_param(profiles), bulk.ids_param(canvases)], waits=True)


def note(news: Sequence[News], now: datetime) -> None:
    """Write what events noted on locked journeys; those that are woken are due now."""
    rows = [
        {
            "id": each.traveller.id,
            "latched": each.latched,
            "choice": each.choice,
            "choice_at": each.choice_at,
            "wakes": int(each.wakes),
        }
        for each in news
        if each.is_new
    ]
    if not rows:
        return
    columns = {"id": "bigint", "latched": "text", "choice": "smallint", "choice_at": "timestamptz", "wakes": "integer"}
    bulk.execute(
        f"""
        UPDATE canvas_journey SET latched = u.latched, choice = u.choice,
            choice_at = COALESCE(u.choice_at, canvas_journey.choice_at),
            wake_at = CASE WHEN u.wakes = 1 THEN %s ELSE wake_at END
        FROM {bulk.rows_as_table(columns)} WHERE canvas_journey.id = u.id AND canvas_journey.ended_at IS NULL
        """,
        [bulk.time_param(now), bulk.as_json(rows)],
    )
    decided = [(each.traveller.id, each.properties) for each in news if each.properties is not None]
    _write_json("event_properties", decided)


def _select(where: str, params: Sequence[Any], *, waits: bool = False) -> list[Traveller]:
    lock = bulk.for_update("j", skip_locked=not waits)
    rows = bulk.fetch(
        f"""
        SELECT {columns("j")}, p.id, p.time_zone FROM canvas_journey AS j
        LEFT JOIN audience_profile AS p ON p.id = j.profile_id
        WHERE j.ended_at IS NULL AND {where} {lock}
        """,
        params,
    )
    return [traveller(row, is_gone=row[-2] is None, zone=row[-1] or "") for row in rows]


def columns(alias: str) -> str:
    """The columns of a journey that `traveller` reads."""
    return ", ".join(f"{alias}.{name}" for name in _FIELDS)


def traveller(row: Sequence[Any], *, is_gone: bool = False, zone: str = "") -> Traveller:
    """A row that begins with `columns`."""
    values = dict(zip(_FIELDS, row, strict=False))
    if connection.vendor != "postgresql":
        for name in ("wake_at", "began_at", "events_since"):
            values[name] = as_time(values[name])
    for name in ("context", "event_properties"):
        if isinstance(values[name], str):
            values[name] = json.loads(values[name])
    values["state"] = _STATES[values["state"]]
    return Traveller(**values, is_gone=is_gone, zone=zone)


def as_time(value: Any) -> datetime | None:
    """A time as plain SQL gives it: SQLite's are in UTC, without saying so."""
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    if not isinstance(moment, datetime):
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def write(batch: Batch) -> None:
    """Write what a walk decided: visits, messages, journeys, then the counts."""
    _close_visits(batch)
    _insert_visits(batch)
    planned = sending.make_messages(batch)
    _update_journeys(batch)
    _update_values(batch)
    _tell_exits(batch)
    cancelled = sending.cancel(batch)
    counts.add(batch.graph.canvas_id, batch.counts, batch.now, Counter(planned) + Counter(cancelled))


def _tell_exits(batch: Batch) -> None:
    """Note who has left or completed, where other systems want to know."""
    if stream.is_on() and (ended := [t for t in batch.travellers if t.ended_at]):
        sender = Canvas.with_tests.values_list("sender_id", flat=True).get(pk=batch.graph.canvas_id)
        stream.put(
            stream.Event(
                stream.Kind.EXIT, f"journey:{t.id}", batch.now, sender, t.profile_id, t.variant_id, t.exit_reason
            )
            for t in ended
        )


def _insert_visits(batch: Batch) -> None:
    """Insert the new visits; they get their ids, and their journeys that of the last one."""
    rows = [_visit_row(batch, visit) for visit in batch.visits.values() if visit.is_new]
    if not rows:
        return
    names = ", ".join(name for name in _VISIT if name != "id")
    inserted = bulk.fetch(
        f"""
        INSERT INTO canvas_stepvisit ({names}) SELECT {names} FROM {bulk.rows_as_table(_VISIT)} WHERE TRUE
        RETURNING journey_id, step_id, id
        """,
        [bulk.as_json(rows)],
    )
    for journey, step, pk in inserted:
        batch.visits[journey, step].id = pk
    for (_journey, step), visit in batch.visits.items():
        if visit.traveller.step_id == step:
            visit.traveller.visit_id = visit.id


def _close_visits(batch: Batch) -> None:
    rows = [_visit_row(batch, visit) for visit in batch.visits.values() if visit.left_at and not visit.is_new]
    if rows:
        bulk.execute(
            f"""
            UPDATE canvas_stepvisit SET left_at = u.left_at, outcome = u.outcome, reason = u.reason, path = u.path,
                late_seconds = u.late_seconds, note = u.note
            FROM {bulk.rows_as_table(_VISIT)}
            WHERE canvas_stepvisit.id = u.id
            """,
            [bulk.as_json(rows)],
        )


def _visit_row(batch: Batch, visit: Any) -> dict[str, Any]:
    return {
        "id": visit.id,
        "journey_id": visit.traveller.id,
        "step_id": visit.step_id,
        "version": batch.graph.number,
        "entered_at": visit.entered_at,
        "left_at": visit.left_at,
        "outcome": visit.outcome,
        "reason": visit.reason,
        "path": visit.path,
        "late_seconds": visit.late_seconds,
        "note": visit.note[:255],
    }


def _update_journeys(batch: Batch) -> None:
    plain = [name for name in _JOURNEY if name not in ("id", "token", "step_entered_at")]
    assigned = ", ".join(f"{name} = u.{name}" for name in plain)
    rows = [{name: getattr(traveller, name) for name in _JOURNEY} for traveller in batch.travellers]
    bulk.execute(
        f"""
        UPDATE canvas_journey SET {assigned}, token = u.token + 1,
            step_entered_at = COALESCE(u.step_entered_at, canvas_journey.step_entered_at)
        FROM {bulk.rows_as_table(_JOURNEY)} WHERE canvas_journey.id = u.id
        """,
        [bulk.as_json(rows)],
    )


def _update_values(batch: Batch) -> None:
    """Context and event properties, only of those where they changed: they may be large."""
    _write_json("context", [(t.id, t.context) for t in batch.travellers if t.has_new_context])
    _write_json("event_properties", [(t.id, t.event_properties) for t in batch.travellers if t.has_new_event])


def _write_json(column: str, changed: Sequence[tuple[int, Mapping[str, Any] | None]]) -> None:
    if not changed:
        return
    value = "u.value::jsonb" if connection.vendor == "postgresql" else "u.value"
    rows = ({"id": pk, "value": None if new is None else json.dumps(new)} for pk, new in changed)
    bulk.execute(
        f"UPDATE canvas_journey SET {column} = {value} "
        f"FROM {bulk.rows_as_table({'id': 'bigint', 'value': 'text'})} WHERE canvas_journey.id = u.id",
        [bulk.as_json(rows)],
    )
