"""Moves a batch from step to step until each journey waits or has ended. Nothing is written here.

Steps are taken in the order of the graph, so each is asked once a batch, however the journeys came to it: a split over
thousands of journeys is one query. The order at a boundary is that of the Canvas specification, section 7.2.
"""

from collections.abc import Iterable, Sequence
from typing import assert_never

from canvas import audiences, steps
from canvas.counts import StepMetric
from canvas.graph import Node
from canvas.models import StepVisit, VisitOutcome
from canvas.states import Move, Reason, State, Waiting, after
from canvas.travel import Batch, Traveller, Visit
from canvas.verdicts import Finish, Go, Leave, Send, Stay, Verdict, Verdicts, Wait

Arrivals = dict[int, list[Traveller]]


def walk(batch: Batch) -> None:
    """Move everybody as far as it goes now."""
    arrivals: Arrivals = {}
    for traveller in batch.travellers:
        if traveller.is_gone:
            leave(batch, traveller, Reason.USER_DELETED)
    _start(batch, [t for t in batch.travellers if t.is_live and t.state is State.ENTERING], arrivals)
    _wake(batch, [t for t in batch.travellers if t.is_live and t.state is not State.ENTERING], arrivals)
    while arrivals:
        step = min(arrivals, key=lambda each: batch.graph.order[each])
        _arrive(batch, batch.graph.nodes[step], arrivals.pop(step), arrivals)


def _start(batch: Batch, people: Sequence[Traveller], arrivals: Arrivals) -> None:
    """Let those who entered into their variant's first step; where there is none they are through at once."""
    for traveller in people:
        traveller.step_id = None
    for traveller in _without_exits(batch, people):
        if traveller.variant_id not in batch.graph.starts:
            leave(batch, traveller, Reason.VARIANT_DELETED)
            continue
        first = batch.graph.present(batch.graph.starts[traveller.variant_id])
        if first is None:
            complete(batch, traveller)
        else:
            arrivals.setdefault(first, []).append(traveller)


def _wake(batch: Batch, people: Sequence[Traveller], arrivals: Arrivals) -> None:
    """Ask each step about those whose time there has come."""
    by_step: dict[int, list[Traveller]] = {}
    for traveller in people:
        if traveller.variant_id not in batch.graph.starts:
            leave(batch, traveller, Reason.VARIANT_DELETED)
        else:
            by_step.setdefault(traveller.step_id or 0, []).append(traveller)
    for step, here in by_step.items():
        node = batch.graph.nodes.get(step)
        if node is None:
            _redirect(batch, step, _without_exits(batch, here), arrivals)
            continue
        remaining = _without_exits(batch, here)
        _follow(batch, node, remaining, _resolved(batch, node, remaining), arrivals)


def _resolved(batch: Batch, node: Node, people: Sequence[Traveller]) -> Verdicts:
    """What the step says to those whose time has come; who only waited for a turn is asked as if just arrived."""
    if node.is_disabled:
        return {t.id: Go(node.last_way) for t in people}
    skipping = [t for t in people if t.waits_for == Waiting.SKIP]
    if skipping:
        others = [t for t in people if t.waits_for != Waiting.SKIP]
        skipped: dict[int, Verdict] = {t.id: Go(node.last_way, "skipped by hand") for t in skipping}
        return skipped | dict(_resolved(batch, node, others) if others else {})
    kind = steps.of(node.kind)
    fresh = [t for t in people if t.waits_for == Waiting.TURN and not kind.RENDERS]
    due = [t for t in people if t.waits_for != Waiting.TURN or kind.RENDERS]
    return {
        **(kind.enter(batch, node, fresh) if fresh else {}),
        **(kind.resolve(batch, node, due) if due else {}),
    }


def _redirect(batch: Batch, step: int, people: Iterable[Traveller], arrivals: Arrivals) -> None:
    """The step is no longer there: on to where its people were redirected, or out."""
    target = batch.graph.redirected(step)
    for traveller in people:
        if target is None:
            leave(batch, traveller, Reason.STEP_DELETED)
        else:
            _depart(batch, traveller, None)
            arrivals.setdefault(target, []).append(traveller)


def _arrive(batch: Batch, node: Node, people: Sequence[Traveller], arrivals: Arrivals) -> None:
    people = _without_those_who_were_here(batch, node, people, arrivals)
    for traveller in people:
        _enter(batch, node, traveller)
    parked = [t for t in people if t.hops > batch.most_hops]
    going = [t for t in people if t.hops <= batch.most_hops]
    verdicts: dict[int, Verdict] = {t.id: Wait(batch.now, Waiting.TURN) for t in parked}
    if node.is_disabled:
        verdicts |= {t.id: Go(node.last_way) for t in going}
    elif going:
        verdicts |= steps.of(node.kind).enter(batch, node, going)
    _follow(batch, node, people, verdicts, arrivals)


def _without_those_who_were_here(
    batch: Batch, node: Node, people: Sequence[Traveller], arrivals: Arrivals
) -> Sequence[Traveller]:
    """A step is visited once. Who was here before an edit moved the step passes by, along the path taken then."""
    older = [t.id for t in people if t.version_id != batch.graph.version_id]
    if not older:
        return people
    known = StepVisit.objects.filter(step_id=node.id, journey_id__in=older).values_list("journey_id", "path")
    earlier = dict(known)
    for traveller in people:
        if traveller.id in earlier:
            path = earlier[traveller.id]
            target = batch.graph.next(node.id, node.last_way if path is None else path)
            if target is None:
                complete(batch, traveller)
            else:
                arrivals.setdefault(target, []).append(traveller)
    return [t for t in people if t.id not in earlier]


def _enter(batch: Batch, node: Node, traveller: Traveller) -> None:
    traveller.step_id, traveller.step_entered_at = node.id, batch.now
    if traveller.state is not State.ENTERING:
        traveller.events_since = batch.now
    traveller.hops += 1
    traveller.choice, traveller.attempts, traveller.waits_for = None, 0, ""
    batch.visits[traveller.id, node.id] = Visit(traveller, node.id, batch.now)
    batch.count(traveller, node.id, StepMetric.ENTERED)


def _follow(batch: Batch, node: Node, people: Sequence[Traveller], verdicts: Verdicts, arrivals: Arrivals) -> None:
    """Do as the step says."""
    leaving: list[Traveller] = []
    for traveller in people:
        match verdicts[traveller.id]:
            case Go():
                leaving.append(traveller)
            case Wait(until, why):
                wake_at = batch.now + batch.shortened(until - batch.now)
                traveller.state, traveller.wake_at, traveller.waits_for = (
                    after(traveller.state, Move.WAIT),
                    wake_at,
                    why,
                )
            case Send(why):
                traveller.state, traveller.wake_at, traveller.waits_for = after(traveller.state, Move.SEND), None, why
                batch.sends.append(visit_of(batch, traveller))
            case Stay(until):
                traveller.wake_at = until
            case Leave(reason, note):
                visit_of(batch, traveller).note = note
                leave(batch, traveller, reason)
            case Finish(label):
                complete(batch, traveller, label)
            case verdict:
                assert_never(verdict)
    for traveller in _without_exits(batch, leaving):
        verdict = verdicts[traveller.id]
        assert isinstance(verdict, Go)
        _go(batch, node, traveller, verdict, arrivals)


def _go(batch: Batch, node: Node, traveller: Traveller, verdict: Go, arrivals: Arrivals) -> None:
    visit = visit_of(batch, traveller)
    visit.path, visit.note = verdict.path, verdict.note
    if len(node.ways) > 1:
        batch.count(traveller, node.id, StepMetric.PATH, str(verdict.path))
    target = batch.graph.next(node.id, verdict.path)
    if target is None:
        complete(batch, traveller)
    else:
        _depart(batch, traveller, verdict.path)
        arrivals.setdefault(target, []).append(traveller)


def _depart(batch: Batch, traveller: Traveller, path: int | None) -> None:
    visit = visit_of(batch, traveller)
    visit.path = path
    _close(batch, visit, VisitOutcome.PROCEEDED)
    batch.count(traveller, visit.step_id, StepMetric.PROCEEDED)
    if traveller.latched == Reason.EXCEPTION_EVENT:
        traveller.latched = ""  # it was about that step alone


def complete(batch: Batch, traveller: Traveller, label: str = "") -> None:
    """The journey ran out of steps."""
    _end(batch, traveller, Move.COMPLETE, VisitOutcome.COMPLETED, StepMetric.COMPLETED)
    traveller.label = label


def leave(batch: Batch, traveller: Traveller, reason: Reason) -> None:
    """The journey ends early."""
    traveller.exit_reason = reason
    if traveller.is_gone:
        traveller.context = traveller.event_properties = None
        traveller.has_new_context = traveller.has_new_event = True
    _end(batch, traveller, Move.EXIT, VisitOutcome.EXITED, StepMetric.EXITED, reason)


def _end(
    batch: Batch, traveller: Traveller, move: Move, outcome: VisitOutcome, metric: StepMetric, reason: str = ""
) -> None:
    is_inside = traveller.step_id is not None and traveller.state is not State.ENTERING
    if is_inside or (traveller.id, traveller.step_id) in batch.visits:
        visit = visit_of(batch, traveller)
        visit.reason = reason
        _close(batch, visit, outcome)
        batch.count(traveller, visit.step_id, metric, reason)
    batch.count(traveller, 0, metric, reason)
    traveller.state, traveller.ended_at, traveller.wake_at = after(traveller.state, move), batch.now, None
    traveller.waits_for = ""


def _close(batch: Batch, visit: Visit, outcome: VisitOutcome) -> None:
    visit.left_at, visit.outcome = batch.now, outcome
    if not visit.is_new and visit.traveller.wake_at is not None:
        visit.late_seconds = max(0, int((batch.now - visit.traveller.wake_at).total_seconds()))


def visit_of(batch: Batch, traveller: Traveller) -> Visit:
    """The stay of a journey at the step it is in."""
    key = traveller.id, traveller.step_id or 0
    if key not in batch.visits:
        batch.visits[key] = Visit(traveller, key[1], traveller.step_entered_at or batch.now, traveller.visit_id)
    return batch.visits[key]


def _without_exits(batch: Batch, people: Sequence[Traveller]) -> list[Traveller]:
    """Those who go on at a boundary; the others leave: for what was latched first, then for the exit audience."""
    for traveller in people:
        if traveller.latched and not (traveller.latched == Reason.EXCEPTION_EVENT and traveller.state is State.SENDING):
            leave(batch, traveller, Reason(traveller.latched))
    remaining = [t for t in people if t.is_live]
    if remaining and not audiences.is_empty(batch.graph.exit_audience):
        matched = _in_exit_audience(batch, remaining)
        for traveller in remaining:
            if traveller.id in matched:
                leave(batch, traveller, Reason.EXIT_AUDIENCE)
    return [t for t in remaining if t.is_live]


def _in_exit_audience(batch: Batch, people: Sequence[Traveller]) -> set[int]:
    """One query for the whole batch, the first time it is asked."""
    if batch.asked is None:
        everyone = [t for t in batch.travellers if t.is_live]
        found = audiences.matching(batch.graph.exit_audience, everyone, batch.now)
        batch.asked = {t.id: t.id in found for t in everyone}
    return {t.id for t in people if batch.asked.get(t.id)}
