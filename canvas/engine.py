"""The engine: claims journeys whose time has come and moves them, a step's worth at a time.

One batch is one transaction: lock, decide, write. Killed anywhere, nothing has happened and the journeys are due again;
two workers skip each other's rows; whatever else acts on a journey in between waits for the lock, then sees the new
step. What must render does so between two transactions, under a lease (`wake_at` moved on, `token` grown).
"""

import gc
import logging
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

from django.db import InterfaceError, OperationalError, transaction

from canvas import counts, live, rendering, steps, store
from canvas.counts import StepMetric
from canvas.graph import Node
from canvas.live import Live
from canvas.models import Journey, Step
from canvas.states import Move, Reason, State, Waiting, after
from canvas.steps import RenderingKind
from canvas.travel import MOST_HOPS, Batch, Count, Traveller
from canvas.walk import leave, walk
from outreach.models import Status
from webhooks.claims import database_now
from workspace import bulk
from workspace.models import Workspace

logger = logging.getLogger(__name__)

BATCH = 2_000
LEASE = timedelta(seconds=60)
MOST_ATTEMPTS = 5
CONFLICT_TRIES = 5
Clock = Callable[[], datetime]
Prepared = Mapping[int, Any]
NOTHING: Prepared = MappingProxyType({})


def run(clock: Clock = database_now, stopping: Callable[[], bool] = lambda: False, seconds: float = 20.0) -> int:
    """Move what is due, until nothing is, a stop is asked, or the time is over; how many moves were made.

    Every step with due journeys gets a batch in turn, so a large Canvas holds up nobody else.
    """
    until, moved = time.monotonic() + seconds, 0
    end_controls(clock())
    while not stopping() and time.monotonic() < until:
        done = 0
        for step in due_steps(clock()):
            done += _move_safely(step, clock)
            if stopping() or time.monotonic() > until:
                break
        moved += done
        if not done:
            break
    return moved


PEOPLED = """
    WITH RECURSIVE peopled(step) AS (
        SELECT MIN(step_id) FROM canvas_journey WHERE ended_at IS NULL
        UNION ALL
        SELECT (SELECT MIN(step_id) FROM canvas_journey WHERE ended_at IS NULL AND step_id > peopled.step)
        FROM peopled WHERE peopled.step IS NOT NULL
    )
"""
"""The steps that somebody is in: a few index look-ups a step, whatever the number of journeys."""


def due_steps(now: datetime) -> list[int]:
    """Steps with journeys that are due, in Canvases that are not paused. Reads only steps that somebody is in."""
    rows = bulk.fetch(
        f"""
        {PEOPLED}
        SELECT p.step FROM peopled AS p
        JOIN canvas_step AS s ON s.id = p.step JOIN outreach_outreach AS o ON o.id = s.canvas_id
        WHERE o.status NOT IN ('draft', 'paused') AND EXISTS (
            SELECT 1 FROM canvas_journey AS j WHERE j.step_id = p.step AND j.ended_at IS NULL AND j.wake_at <= %s
        )
        ORDER BY p.step
        """,
        [bulk.time_param(now)],
    )
    return [step for (step,) in rows]


def _move_safely(step: int, clock: Clock) -> int:
    """A fault in one step is logged and noted on its journeys; the other steps go on."""
    try:
        return move(step, clock)
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        logger.exception("step=%s outcome=error", step)
        return 0


def move(step_id: int, clock: Clock = database_now, most: int = BATCH) -> int:
    """Move a batch of one step's due journeys; how many were taken."""
    canvas_id = Step.objects.values_list("canvas_id", flat=True).get(pk=step_id)
    here = live.of([canvas_id]).get(canvas_id)
    if here is None or here.status == Status.PAUSED:
        return 0
    node = here.graph.nodes.get(step_id)
    kind = steps.renders(node.kind) if node and here.status == Status.ACTIVE else None
    if node and kind and not node.is_disabled:
        arriving = partial(store.lock_due, step_id, clock(), most, state=State.ENTERING)
        return _careful(here, arriving, clock) + _move_rendered(here, node, kind, clock, most)
    since = here.held_since if here.status == Status.STOPPED else None
    return _careful(here, partial(store.lock_due, step_id, clock(), most, since=since), clock)


Lock = Callable[[], list[Traveller]]


def _careful(here: Live, lock: Lock, clock: Clock, prepared: Prepared = NOTHING) -> int:
    """Move; where that fails, the batch is halved until the journey that can't be moved stands alone."""
    tokens: dict[int, int] = {}
    for attempt in range(CONFLICT_TRIES):
        try:
            return _move(here, lock, clock, prepared, tokens)
        except OperationalError:
            if attempt == CONFLICT_TRIES - 1:
                raise
            time.sleep(random.uniform(0, 0.05 * 2**attempt))  # noqa: S311 - a deadlock, or a busy database
        except Exception:
            if not tokens:
                raise
            return _isolate(here, tokens, clock, prepared)
    return 0


def _isolate(here: Live, tokens: Mapping[int, int], clock: Clock, prepared: Prepared) -> int:
    if len(tokens) == 1:
        return _alone(here, tokens, clock, prepared)
    pairs = list(tokens.items())
    halves = dict(pairs[: len(pairs) // 2]), dict(pairs[len(pairs) // 2 :])
    return sum(_careful(here, partial(store.lock_these, half), clock, prepared) for half in halves)


def _alone(here: Live, tokens: Mapping[int, int], clock: Clock, prepared: Prepared) -> int:
    """One step at a time, so that the fault is noted at the step that has it."""
    try:
        return _move(here, partial(store.lock_these, tokens), clock, prepared, {}, most_hops=0)
    except OperationalError:
        raise
    except Exception as error:
        logger.exception("journeys=%s outcome=error", [*tokens])
        _note_failure(here, tokens, error, clock())
        return 1


def _move(
    here: Live, lock: Lock, clock: Clock, prepared: Prepared, tokens: dict[int, int], most_hops: int = MOST_HOPS
) -> int:
    """One transaction. The time is read once the rows are locked: an event handled before that came before.

    `tokens` is filled with those of the locked journeys.
    """
    with _no_collections(), transaction.atomic():
        people = lock()
        tokens.update({t.id: t.token for t in people})
        if not people:
            return 0
        batch = batch_of(here, people, clock(), prepared)
        batch.most_hops = most_hops
        if here.status == Status.ACTIVE:
            walk(batch)
        else:
            _end_held(here, batch)
        store.write(batch)
    return len(people)


@contextmanager
def _no_collections() -> Iterator[None]:
    """A batch makes many objects and no circles: collecting in the middle of one took a tenth of its time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def batch_of(here: Live, people: Sequence[Traveller], now: datetime, prepared: Prepared = NOTHING) -> Batch:
    company = ZoneInfo(Workspace.current().time_zone)
    return Batch(here.graph, now, here.sender_id, company, people, prepared, time_factor=here.time_factor)


def _end_held(here: Live, batch: Batch) -> None:
    """Stopped: whose time passes meanwhile leaves. Archived: everybody leaves."""
    reason = Reason.ARCHIVED if here.status == Status.ARCHIVED else Reason.STOPPED
    for traveller in batch.travellers:
        if traveller.is_gone:
            leave(batch, traveller, Reason.USER_DELETED)
        else:
            leave(batch, traveller, Reason(traveller.latched or reason))


# --- steps that render


def _move_rendered(here: Live, node: Node, kind: RenderingKind, clock: Clock, most: int) -> int:
    """Lease, render with no transaction open, then move those whose lease still stands."""
    people = _lease(node, clock, most)
    if not people:
        return 0
    through = [t for t in people if t.latched or t.is_gone or t.waits_for == Waiting.SKIP]  # nothing to render for
    gone_through = {t.id for t in through}
    staying = [t for t in people if t.id not in gone_through]
    prepared = _prepare(here, node, kind, staying, clock) if staying else NOTHING
    tokens = {t.id: t.token for t in staying if t.id in prepared} | {t.id: t.token for t in through}
    _careful(here, partial(store.lock_these, tokens), clock, prepared)
    return len(people)


def _prepare(here: Live, node: Node, kind: RenderingKind, people: Sequence[Traveller], clock: Clock) -> Prepared:
    """Render for everybody; where that fails, halve until the journey it fails for stands alone, and note it there."""
    try:
        return kind.prepare(node, people, clock(), rendering.names_by_variant(here.canvas_id))
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:
        if len(people) == 1:
            logger.exception("journeys=%s outcome=error", [people[0].id])
            _note_failure(here, {people[0].id: people[0].token}, error, clock())
            return {}
    middle = len(people) // 2
    halves = (_prepare(here, node, kind, half, clock) for half in (people[:middle], people[middle:]))
    return {journey: made for half in halves for journey, made in half.items()}


def _lease(node: Node, clock: Clock, most: int) -> list[Traveller]:
    with transaction.atomic():
        people = [t for t in store.lock_due(node.id, clock(), most) if t.state is not State.ENTERING]
        until = clock() + LEASE
        for traveller in people:
            traveller.token += 1
            traveller.state = after(traveller.state, Move.PICK_UP)
        if people:
            columns = {"id": "bigint", "token": "integer", "state": "text", "until": "timestamptz"}
            bulk.execute(
                f"""
                UPDATE canvas_journey SET token = u.token, state = u.state, wake_at = u.until
                FROM {bulk.rows_as_table(columns)} WHERE canvas_journey.id = u.id
                """,
                [bulk.as_json({"id": t.id, "token": t.token, "state": t.state, "until": until} for t in people)],
            )
    return people


# --- faults


def backoff(attempts: int) -> timedelta:
    """15 s, 1, 4, 16 minutes, 1 hour."""
    return min(timedelta(seconds=15) * 4 ** max(0, attempts - 1), timedelta(hours=1))


def _note_failure(here: Live, tokens: Mapping[int, int], error: Exception, now: datetime) -> None:
    """Try again later, up to five times; then the journey has failed, until an operator decides."""
    with transaction.atomic():
        people = store.lock_these(tokens)
        batch = batch_of(here, people, now)
        for traveller in people:
            traveller.attempts += 1
            traveller.wake_at = now + backoff(traveller.attempts)
            if traveller.attempts > MOST_ATTEMPTS:
                _fail(batch, traveller)
        store.write(batch)
        text = f"{type(error).__name__}: {error}"[:2_000].replace("\x00", "")
        Journey.objects.filter(pk__in=tokens).update(error=text)


def _fail(batch: Batch, traveller: Traveller) -> None:
    if traveller.state is not State.ENTERING and traveller.step_id:
        batch.count(traveller, traveller.step_id, StepMetric.FAILED)
    batch.count(traveller, 0, StepMetric.FAILED)
    traveller.state, traveller.wake_at = after(traveller.state, Move.FAIL), None


def end_controls(now: datetime) -> int:
    """Complete control journeys whose last conversion window is over; how many."""
    due = Journey.objects.filter(step=None, ended_at=None, wake_at__lte=now, state=State.CONTROL)
    with transaction.atomic():
        ended = list(due.select_for_update().values_list("pk", "canvas_id", "variant_id")[:BATCH])
        Journey.objects.filter(pk__in=[pk for pk, _canvas, _variant in ended]).update(
            state=State.COMPLETED, ended_at=now, wake_at=None
        )
        for canvas in sorted({canvas for _pk, canvas, _variant in ended}):
            found = Counter(variant for _pk, of, variant in ended if of == canvas)
            counts.add(canvas, {Count(v, 0, StepMetric.COMPLETED): n for v, n in found.items()}, now)
    return len(ended)
