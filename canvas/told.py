"""What other systems are told about a Canvas: its variants, steps and webhooks."""

from collections.abc import Iterator
from typing import Any

from django.db.models import Max, Min

from canvas import graph as graphs
from canvas import live
from canvas.graph import Graph, Node, Way
from canvas.models import Canvas, CanvasVersion, Journey, Kind, StepContent
from canvas.names import content_key, step_key
from canvas.steps import decision_split
from outreach import told
from outreach.models import Status
from webhooks.models import Content


def draft_of(canvas: Canvas) -> CanvasVersion | None:
    """The changes since the launch that are not published, if there are any."""
    if canvas.status == Status.DRAFT:
        return None
    return CanvasVersion.objects.filter(canvas=canvas, number=None).first()


def graph_of(canvas: Canvas, *, of_draft: bool = False) -> Graph | None:
    """The live graph; of a Canvas that was never launched, or where it is asked for, the one that is being edited."""
    draft = CanvasVersion.objects.filter(canvas=canvas, number=None).first()
    version = live.versions([canvas.pk]).get(canvas.pk)
    chosen = (draft if of_draft else None) or version or draft
    return graphs.load(chosen) if chosen else None


def variants(canvas: Canvas, graph: Graph | None) -> list[dict[str, Any]]:
    found = []
    for variant in canvas.variants.filter(is_removed=False):
        first = graph.present(graph.starts.get(variant.pk)) if graph else None
        steps = [str(step_key(canvas, first))] if first else []
        row: dict[str, Any] = {"name": variant.name, "id": str(variant.key), "first_step_ids": steps}
        found.append(row | {"first_step_id": steps[0]} if steps else row)
    return found


def steps(canvas: Canvas, graph: Graph | None) -> list[dict[str, Any]]:
    """Every step, in the order of the graph."""
    if graph is None:
        return []
    ids = {content for node in graph.nodes.values() for _slot, content in node.contents}
    contents = Content.objects.in_bulk(ids)
    return [_step(canvas, graph, graph.nodes[step], contents) for step in graph.order]


def _step(canvas: Canvas, graph: Graph, node: Node, contents: dict[int, Content]) -> dict[str, Any]:
    messages = {
        str(content_key(canvas, node.id, slot)): told.webhook(contents[content], node.name)
        for slot, content in node.contents
        if content in contents
    }
    return {
        "name": node.name,
        "type": str(node.kind.value),
        "id": str(step_key(canvas, node.id)),
        "next_step_ids": [str(step_key(canvas, step)) for step in graph.targets(node.id)],
        "next_paths": [
            {"name": _name(node, way), "next_step_id": str(step_key(canvas, target))}
            for way in node.ways
            if (target := graph.present(way.target)) is not None
        ],
        "channels": ["webhook"] if messages else [],
        "messages": messages,
    }


def _name(node: Node, way: Way) -> str | None:
    """Yes or No for a decision split, the path's name where there are several, else nothing."""
    if node.kind is Kind.DECISION_SPLIT:
        return "Yes" if way.key == decision_split.YES else "No"
    return way.name or None if len(node.ways) > 1 else None


def entered_between(canvas: Canvas) -> tuple[Any, Any]:
    """When the first and the last profile came in."""
    found = Journey.objects.filter(canvas=canvas).aggregate(first=Min("entered_at"), last=Max("entered_at"))
    return found["first"], found["last"]


def uses_of_content(content: Content) -> Iterator[dict[str, str]]:
    """The steps of a webhook in the graphs in force, unless the Canvas is archived or a live test."""
    items = StepContent.objects.filter(content=content).select_related("revision__step__canvas", "revision__version")
    newest = {pk: version.pk for pk, version in live.versions({i.revision.step.canvas_id for i in items}).items()}
    for item in items:
        canvas, version = item.revision.step.canvas, item.revision.version
        in_force = version.number is None or newest.get(canvas.pk) == version.pk
        if in_force and canvas.status != Status.ARCHIVED and canvas.test_of_id is None:
            step = item.revision.step_id
            yield {
                "canvas_step_id": str(step_key(canvas, step)),
                "message_variation_id": str(content_key(canvas, step, item.slot)),
            }
