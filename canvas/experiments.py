"""Decides experiments: which path converts best, once its time is up (Canvas specification, section 8.6).

The best path wins clearly where it differs from each other path: two-sided z-tests of proportions at 95 %, at least a
hundred journeys in each, Holm's correction for several paths. Else the step's setting says what happens.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Count, DateTimeField, ExpressionWrapper, Min, OuterRef, Subquery, Sum

from canvas import counts, live
from canvas.counts import StepMetric
from canvas.graph import Graph, Node
from canvas.models import Canvas, ExperimentResult, Journey, JourneyConversion, Kind, StepVisit
from canvas.results import confidence
from canvas.states import Waiting
from canvas.steps import experiment_paths
from canvas.steps.experiment_paths import CONTROL
from outreach.models import DailyCount, Status
from workspace.queues import wake

PRIMARY = 0
SURE = 0.95
MIX = "mix"
Figures = Mapping[int, tuple[int, int]]
"""[journeys, conversions] by path key."""


def figures(canvas_id: int, node: Node) -> dict[int, tuple[int, int]]:
    """Who came along each path, and how many of them converted within its window. Reads totals and conversions."""
    window = timedelta(days=int(node.settings.get("window_days") or 1))
    since = ExpressionWrapper(OuterRef("occurred_at") - window, output_field=DateTimeField())
    visit = StepVisit.objects.filter(
        journey=OuterRef("journey"), step=node.id, entered_at__lt=OuterRef("occurred_at"), entered_at__gte=since
    )
    converted = JourneyConversion.objects.filter(canvas=canvas_id, number=PRIMARY)
    hits = dict(
        converted.annotate(path=Subquery(visit.values("path")[:1]))
        .exclude(path=None)
        .values_list("path")
        .annotate(Count("pk"))
    )
    taken = counts.reasons(canvas_id, StepMetric.PATH)
    return {int(key): (number, hits.get(int(key), 0)) for (step, key), number in taken.items() if step == node.id}


def decide(found: Figures, unclear: str = "best") -> tuple[int | None, bool]:
    """The path that wins, if any, and whether it is clearly better. The control group never wins. Pure."""
    rated = {path: hits / journeys for path, (journeys, hits) in found.items() if journeys and path != CONTROL}
    if not rated:
        return None, False
    best = max(rated, key=lambda path: (rated[path], -path))
    others = [found[path] for path in found if path != best]
    is_best = all(not journeys or rated[best] > hits / journeys for journeys, hits in others)
    is_clear = bool(others) and is_best and _differs_from_all(found[best], others)
    return (best if is_clear or unclear != MIX else None), is_clear


def _differs_from_all(best: tuple[int, int], others: Sequence[tuple[int, int]]) -> bool:
    """Holm: the smallest p-value against 5 % by the number of tests, the next by one less, and so on."""
    sure = [confidence((best[1], best[0]), (other[1], other[0])) for other in others]
    chances = sorted(1 - (each or 0.0) for each in sure)
    return all(chance <= (1 - SURE) / (len(chances) - place) for place, chance in enumerate(chances))


def decide_due(now: datetime) -> int:
    """Decide the experiments whose time is up; how many. Repeatable: a step is decided once."""
    active = Canvas.with_tests.filter(status=Status.ACTIVE).values_list("pk", flat=True)
    count = 0
    for canvas in live.of(active).values():
        for node in _running(canvas.graph):
            began = _began(canvas.canvas_id, node)
            if began and began + experiment_paths.winner_after(node) / canvas.time_factor <= now:
                count += _settle(canvas.canvas_id, node, now)
    return count


_first_visits: dict[int, datetime] = {}


def _began(canvas_id: int, node: Node) -> datetime | None:
    """When the first journey came. Looked up once for a process: finding it reads all visits."""
    if node.id not in _first_visits and _entered(canvas_id, node):
        first = StepVisit.objects.filter(step=node.id).aggregate(first=Min("entered_at"))["first"]
        if first:
            _first_visits[node.id] = first
    return _first_visits.get(node.id)


def _entered(canvas_id: int, node: Node) -> int:
    rows = DailyCount.objects.filter(outreach=canvas_id, step=node.id, metric=StepMetric.ENTERED)
    return rows.aggregate(total=Sum("count"))["total"] or 0


def forget() -> None:
    """Empty the memory (tests reuse ids)."""
    _first_visits.clear()


def _running(graph: Graph) -> list[Node]:
    """Experiments that look for a winner and have not ended."""
    nodes = [n for n in graph.nodes_of(Kind.EXPERIMENT_PATHS) if experiment_paths.winner_after(n) and not n.is_disabled]
    if not nodes:
        return []
    ended = set(ExperimentResult.objects.filter(step__in=[n.id for n in nodes]).values_list("step_id", flat=True))
    return [node for node in nodes if node.id not in ended]


@transaction.atomic
def _settle(canvas_id: int, node: Node, now: datetime) -> int:
    found = figures(canvas_id, node)
    winner, is_clear = decide(found, node.settings.get("unclear") or "best")
    kept = {str(path): list(pair) for path, pair in found.items()}
    values = {"decided_at": now, "winner": winner, "is_clear": is_clear, "figures": kept}
    is_new = ExperimentResult.objects.get_or_create(step_id=node.id, defaults=values)[1]
    _release(node.id, now)
    return int(is_new)


def _release(step: int, now: datetime) -> None:
    """The delay group need not wait for its time."""
    held = Journey.objects.filter(step_id=step, ended_at=None, waits_for=Waiting.DELAY_GROUP, wake_at__gt=now)
    if held.update(wake_at=now):
        wake("canvas")


# --- edits


def ended_by(old: Graph, new: Graph) -> list[Node]:
    """Experiments that somebody has come to, and that publishing would end: any change but of names and notes does."""
    if not _differs(old, new):
        return []
    return [node for node in _running(old) if _entered(old.canvas_id, node)]


def end_those_edited(old: Graph, new: Graph, now: datetime) -> None:
    """End the running experiments of a Canvas that was changed, without a winner."""
    for node in ended_by(old, new):
        ExperimentResult.objects.get_or_create(step_id=node.id, defaults={"decided_at": now, "was_edited": True})
        _release(node.id, now)


def _differs(old: Graph, new: Graph) -> bool:
    def shape(graph: Graph) -> object:
        steps = {
            step: (n.settings, [(way.key, way.target) for way in n.ways], list(n.contents), n.is_disabled)
            for step, n in graph.nodes.items()
        }
        return steps, dict(graph.starts), graph.exit_events, graph.exit_audience, graph.exits_at_once

    return shape(old) != shape(new)
