"""What delivery asks and tells a Canvas, a batch at a time: may it still go, what Liquid knows, what became of it.

An outcome only wakes its journey; the engine reads how the messages stand and decides: one place moves journeys.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from canvas import audiences, counts, live, rendering, store
from canvas.counts import StepMetric
from canvas.live import Live
from canvas.models import Canvas, StepVisit
from canvas.states import Reason, State
from canvas.travel import Count, Traveller
from webhooks.claims import Claimed
from webhooks.hooks import Recorded, Verdict
from webhooks.models import Outcome
from webhooks.request import Refusal
from workspace import bulk
from workspace.queues import wake
from workspace.remembered import Remembered

CHECK_POSITION = 40  # where campaigns judge exception events and the audience again (campaigns specification, 8.2)


@dataclass(frozen=True, slots=True)
class Cause:
    """The visit behind a message, and its journey as it is now."""

    visit_id: int
    step_id: int
    traveller: Traveller
    has_ended: bool

    @property
    def is_here(self) -> bool:
        return self.traveller.step_id == self.step_id and self.traveller.state is State.SENDING


def _canvas_senders(senders: set[int]) -> dict[int, bool]:
    found = set(Canvas.with_tests.filter(sender_id__in=senders).values_list("sender_id", flat=True))
    return {sender: sender in found for sender in senders}


_is_canvas = Remembered(_canvas_senders)


def _of_canvases(messages: Iterable[Claimed]) -> list[Claimed]:
    batch = list(messages)
    ours = _is_canvas.of(message.sender_id for message in batch)
    return [message for message in batch if ours[message.sender_id]]


def causes_of(messages: Iterable[Claimed]) -> dict[int, Cause]:
    """By message id, for those messages that a Canvas caused. Two queries, each by primary key; none without any."""
    batch = _of_canvases(messages)
    if not batch:
        return {}
    visits = StepVisit.objects.filter(pk__in={m.cause for m in batch}).values_list("pk", "journey_id", "step_id")
    stays = {visit: (journey, step) for visit, journey, step in visits}
    rows = bulk.fetch(
        f"""
        SELECT o.sender_id, j.ended_at, {store.columns("j")}
        FROM canvas_journey AS j JOIN outreach_outreach AS o ON o.id = j.canvas_id
        WHERE {bulk.in_ids("j.id")}
        """,
        [bulk.ids_param({journey for journey, _step in stays.values()})],
    )
    journeys = {(row[0], row[2]): (store.traveller(row[2:]), row[1] is not None) for row in rows}
    found: dict[int, Cause] = {}
    for message in batch:
        journey, step = stays.get(message.cause, (0, 0))
        if known := journeys.get((message.sender_id, journey)):
            found[message.id] = Cause(message.cause, step, *known)
    return found


# --- before sending


def check(batch: Sequence[Claimed], now: datetime) -> Mapping[int, Verdict]:
    """Which of the messages must not go: their journey has left, or would leave before this step is done.

    The step's audience is asked again, because reaching the step and sending can lie hours apart.
    """
    causes = causes_of(batch)
    if not causes:
        return {}
    verdicts: dict[int, Verdict] = {
        message: _cancelled("journey_ended")
        for message, cause in causes.items()
        if cause.traveller.state is State.EXITED
    }
    first = {m.id: causes[m.id] for m in batch if m.id in causes and m.id not in verdicts and not m.attempts}
    here = {message: cause for message, cause in first.items() if cause.is_here}
    for message, cause in here.items():
        if cause.traveller.latched:
            verdicts[message] = _cancelled(cause.traveller.latched)
    for canvas in live.of({cause.traveller.canvas_id for cause in here.values()}).values():
        left = {m: c for m, c in here.items() if m not in verdicts and c.traveller.canvas_id == canvas.canvas_id}
        verdicts |= _judged(canvas, left, now)
    return verdicts


def loud(batch: Sequence[Claimed]) -> set[int]:
    """The messages of steps that send in quiet hours too (registered with `outreach.checks.quiet_spared`)."""
    causes = causes_of(batch)
    graphs = live.of({cause.traveller.canvas_id for cause in causes.values()})
    found: set[int] = set()
    for message, cause in causes.items():
        canvas = graphs.get(cause.traveller.canvas_id)
        node = canvas.graph.nodes.get(cause.step_id) if canvas else None
        if node and node.settings.get("ignores_quiet"):
            found.add(message)
    return found


def _judged(canvas: Live, causes: Mapping[int, Cause], now: datetime) -> dict[int, Verdict]:
    """By the exit audience, then by the audience of each step. At most a query for each of them."""
    found: dict[int, Verdict] = {}
    if not audiences.is_empty(canvas.graph.exit_audience):
        gone = _fitting(canvas.graph.exit_audience, causes, now)
        found |= {message: _cancelled(Reason.EXIT_AUDIENCE) for message in gone}
    for step in {cause.step_id for cause in causes.values()}:
        node = canvas.graph.nodes.get(step)
        audience = (node.settings.get("audience") or {}) if node else {}
        here = {m: c for m, c in causes.items() if c.step_id == step and m not in found}
        if here and not audiences.is_empty(audience):
            fitting = _fitting(audience, here, now)
            found |= {m: Refusal(Outcome.SKIPPED, Reason.VALIDATION, "") for m in here if m not in fitting}
    return found


def _fitting(audience: Mapping[str, Any], causes: Mapping[int, Cause], now: datetime) -> set[int]:
    journeys = audiences.matching(audience, [cause.traveller for cause in causes.values()], now)
    return {message for message, cause in causes.items() if cause.traveller.id in journeys}


def _cancelled(reason: str) -> Refusal:
    return Refusal(Outcome.CANCELLED, reason, "")


# --- while rendering


def context_of(batch: Sequence[Claimed]) -> Mapping[int, Mapping[str, Any]]:
    """By message id, keyword arguments for RenderData. One query, and one for each Canvas."""
    causes = causes_of(batch)
    if not causes:
        return {}
    canvases = {cause.traveller.canvas_id for cause in causes.values()}
    names = {canvas: rendering.names_by_variant(canvas) for canvas in canvases}
    return {message: _names(cause.traveller, names) for message, cause in causes.items()}


def _names(traveller: Traveller, names: Mapping[int, Mapping[int, Any]]) -> dict[str, Any]:
    canvas = names[traveller.canvas_id].get(traveller.variant_id, {})
    return rendering.names(traveller.context, traveller.event_properties, canvas)


# --- afterwards


class Place(NamedTuple):
    """Where a message belongs."""

    canvas: int
    variant: int
    step: int
    journey: int


def places_of(messages: Iterable[Claimed]) -> dict[int, Place]:
    """By message id, for those messages that a Canvas caused. One query, by primary key; none without any."""
    batch = _of_canvases(messages)
    if not batch:
        return {}
    rows = bulk.fetch(
        f"""
        SELECT v.id, o.sender_id, j.canvas_id, j.variant_id, v.step_id, j.id
        FROM canvas_stepvisit AS v JOIN canvas_journey AS j ON j.id = v.journey_id
        JOIN outreach_outreach AS o ON o.id = j.canvas_id
        WHERE {bulk.in_ids("v.id")}
        """,
        [bulk.ids_param({message.cause for message in batch})],
    )
    places = {(row[0], row[1]): Place(*row[2:]) for row in rows}
    return {m.id: place for m in batch if (place := places.get((m.cause, m.sender_id)))}


def record(recorded: Sequence[Recorded]) -> None:
    """Count outcomes by step and wake the journeys they decide. Runs in the transaction that writes the outcomes.

    Journeys are locked in id order, before any total is touched: the engine takes locks in the same order.
    """
    places = places_of(item.message for item in recorded)
    ours = [(item, places[item.message.id]) for item in recorded if item.message.id in places]
    if not ours:
        return
    _wake_journeys([(item, place) for item, place in ours if item.outcome or item.was_error])
    _count(ours)
    wake("canvas")


_NEWS = {"id": "bigint", "step": "bigint", "at": "timestamptz", "received": "integer", "latched": "text"}


def _wake_journeys(told: Sequence[tuple[Recorded, Place]]) -> None:
    rows: dict[int, dict[str, Any]] = {}
    for item, place in told:
        row = rows.setdefault(place.journey, {"id": place.journey, "step": place.step, "received": 0})
        row |= {"at": item.at, "latched": row.get("latched") or _latch(item)}
        row["received"] |= int(item.outcome == Outcome.RECEIVED)
    if not rows:
        return
    lock = f"SELECT j.id FROM canvas_journey AS j WHERE {bulk.in_ids('j.id')} ORDER BY j.id {bulk.for_update('j')}"
    bulk.fetch(lock, [bulk.ids_param(rows)])
    bulk.execute(
        f"""
        UPDATE canvas_journey SET
            wake_at = CASE WHEN state = 'sending' AND step_id = u.step THEN u.at ELSE wake_at END,
            latched = CASE WHEN canvas_journey.latched = '' AND ended_at IS NULL THEN u.latched
                ELSE canvas_journey.latched END,
            last_message_step = CASE WHEN u.received = 1 THEN u.step ELSE last_message_step END,
            last_message_at = CASE WHEN u.received = 1 THEN u.at ELSE last_message_at END
        FROM {bulk.rows_as_table(_NEWS)} WHERE canvas_journey.id = u.id
        """,
        [bulk.as_json(rows[pk] for pk in sorted(rows))],
    )


def _latch(item: Recorded) -> str:
    """What the check found must end the journey, whatever the profile looks like when the engine comes by."""
    return item.reason if item.outcome == Outcome.CANCELLED and item.reason == Reason.EXIT_AUDIENCE else ""


def _count(ours: Sequence[tuple[Recorded, Place]]) -> None:
    by_canvas: dict[int, dict[Count, int]] = {}
    for item, place in ours:
        totals = by_canvas.setdefault(place.canvas, {})
        for count in _counted(item, place):
            totals[count] = totals.get(count, 0) + 1
    for canvas in sorted(by_canvas):
        counts.add(canvas, by_canvas[canvas], ours[0][0].at)


def _counted(item: Recorded, place: Place) -> Iterable[Count]:
    where = Count(place.variant, place.step, "")
    if item.outcome == Outcome.RECEIVED:
        yield where._replace(metric=StepMetric.SENT)
    elif item.outcome:
        yield where._replace(metric=StepMetric.NOT_SENT, reason=item.reason)
    if item.was_error:
        yield where._replace(metric=StepMetric.ERRORS)
