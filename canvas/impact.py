"""What publishing a draft would do to those who are inside now."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Count

from canvas import experiments, live, retiming
from canvas import graph as graphs
from canvas.graph import Node
from canvas.models import Canvas, CanvasVersion, Journey


@dataclass(frozen=True, slots=True)
class Gone:
    """A step that the draft no longer has, with those who wait in it. `after` is the step they would go to."""

    node: Node
    waiting: int
    after: int | None


@dataclass(frozen=True, slots=True)
class Retimed:
    """A delay whose length changed, with those who wait in it by the old one."""

    node: Node
    waiting: int


@dataclass(frozen=True, slots=True)
class Impact:
    gone: Sequence[Gone]
    retimed: Sequence[Retimed]
    cut_off: int  # journeys of variants that are no longer there
    experiments: Sequence[Node] = ()  # those that run and would end


def of(canvas: Canvas, draft: CanvasVersion) -> Impact:
    """By step. Reads only those who wait in steps that are gone or changed."""
    newest = live.versions([canvas.pk]).get(canvas.pk)
    if newest is None:
        return Impact((), (), 0)
    old, new = graphs.load(newest), graphs.load(draft)
    left = [node for step, node in old.nodes.items() if step not in new.nodes]
    changed = [
        node
        for step, node in new.nodes.items()
        if step in old.nodes and retiming.can_be(node) and node.settings != old.nodes[step].settings
    ]
    waiting = _waiting(canvas, [node.id for node in (*left, *changed)])
    gone = [
        Gone(node, waiting[node.id], new.present(next((w.target for w in node.ways if w.target in new.nodes), None)))
        for node in left
        if node.id in waiting
    ]
    retimed = [Retimed(node, waiting[node.id]) for node in changed if node.id in waiting]
    lost = set(old.starts) - set(new.starts)
    inside = Journey.objects.filter(canvas=canvas, ended_at=None, variant_id__in=lost)
    ended = experiments.ended_by(old, new)
    return Impact(gone, retimed, inside.count() if lost else 0, ended)


def _waiting(canvas: Canvas, steps: Sequence[int]) -> dict[int, int]:
    """How many are in each of these steps."""
    here = Journey.objects.filter(canvas=canvas, step_id__in=steps, ended_at=None)
    return {step: number for step, number in here.values_list("step_id").annotate(Count("pk")) if step}
