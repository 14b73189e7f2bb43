"""What publishing a draft would do to those who are inside now."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Count

from canvas import graph as graphs
from canvas import live, retiming
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


def of(canvas: Canvas, draft: CanvasVersion) -> Impact:
    """By step. Three queries, whatever the number of journeys' steps."""
    newest = live.versions([canvas.pk]).get(canvas.pk)
    if newest is None:
        return Impact((), (), 0)
    old, new = graphs.load(newest), graphs.load(draft)
    inside = Journey.objects.filter(canvas=canvas, ended_at=None)
    waiting = dict(inside.values_list("step_id").annotate(n=Count("pk")))
    gone = [
        Gone(node, waiting[step], new.present(next((way.target for way in node.ways if way.target in new.nodes), None)))
        for step, node in old.nodes.items()
        if step not in new.nodes and waiting.get(step)
    ]
    retimed = [
        Retimed(node, waiting[step])
        for step, node in new.nodes.items()
        if step in old.nodes
        and waiting.get(step)
        and retiming.can_be(node)
        and node.settings != old.nodes[step].settings
    ]
    lost = set(old.starts) - set(new.starts)
    return Impact(gone, retimed, inside.filter(variant_id__in=lost).count() if lost else 0)
