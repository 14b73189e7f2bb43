"""Which version of which Canvas is in force."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Max, OuterRef, Subquery

from canvas import graph
from canvas.graph import Graph
from canvas.models import Canvas, CanvasVersion, Entry
from outreach.models import Status


@dataclass(frozen=True, slots=True)
class Live:
    """A Canvas that was launched, with what the engine needs of it."""

    canvas_id: int
    sender_id: int
    status: Status
    held_since: datetime | None
    is_finishing: bool
    entry_triggers: Sequence[Mapping[str, Any]]
    graph: Graph
    conversions: Sequence[Mapping[str, Any]] = ()
    time_factor: int = 1


def versions(canvas_ids: Iterable[int]) -> dict[int, CanvasVersion]:
    """The newest published version by Canvas. One query."""
    newest = CanvasVersion.objects.filter(canvas_id=OuterRef("canvas_id")).order_by()
    top = newest.values("canvas_id").annotate(top=Max("number")).values("top")
    rows = CanvasVersion.objects.filter(canvas_id__in=canvas_ids, number=Subquery(top))
    return {version.canvas_id: version for version in rows}


def of(canvas_ids: Iterable[int]) -> dict[int, Live]:
    """The launched ones among these, by id. Two queries, and three for each version not seen before."""
    rows = list(Canvas.with_tests.filter(pk__in=canvas_ids).exclude(status=Status.DRAFT))
    published = versions([canvas.pk for canvas in rows])
    return {canvas.pk: _live(canvas, published[canvas.pk]) for canvas in rows if canvas.pk in published}


def _live(canvas: Canvas, version: CanvasVersion) -> Live:
    return Live(
        canvas.pk,
        canvas.sender_id,
        Status(canvas.status),
        canvas.held_since,
        canvas.is_finishing,
        canvas.triggers if canvas.entry == Entry.ACTION and canvas.status == Status.ACTIVE else (),
        graph.load(version),
        canvas.conversions,
        canvas.time_factor,
    )
