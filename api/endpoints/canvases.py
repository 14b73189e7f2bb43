"""Reads about Canvases: lists, details, series."""

from datetime import timedelta
from typing import Annotated, Any

from django.http import HttpRequest
from django.utils import timezone
from ninja import Query, Router, Schema
from pydantic import Field

from api import lookups
from api.answers import Failure, moment
from api.endpoints.campaigns import ListQuery, common, listed, tags_of
from api.errors import BadRequest
from api.fields import ApiId, QueryBoolean, QueryTime
from api.gate import BearerKey
from canvas import series, told
from canvas.models import Canvas, Entry
from canvas.series import Breakdown
from outreach.series import Span, span

router = Router(tags=["Canvas"])

MOST_DAYS = 14
SCHEDULE_TYPES = {Entry.SCHEDULED: "time_based", Entry.ACTION: "action_based", Entry.API: "api_triggered"}


class ListedCanvas(Schema):
    id: str
    last_edited: str
    name: str
    tags: list[str]


class CanvasList(Schema):
    message: str
    canvases: list[ListedCanvas]


@router.get("/canvas/list", auth=BearerKey("canvas.list"), response={200: CanvasList, 400: Failure})
def canvas_list(request: HttpRequest, query: Query[ListQuery]) -> Any:
    """All Canvases, 100 a page, oldest first unless asked otherwise."""
    found = [
        {
            "id": str(canvas.key),
            "last_edited": moment(canvas.updated_at),
            "name": canvas.name,
            "tags": tags_of(canvas),
        }
        for canvas in listed(Canvas.objects.all(), query)
    ]
    return {"message": "success", "canvases": found}


class DetailsQuery(Schema):
    canvas_id: ApiId = None
    post_launch_draft_version: QueryBoolean = False


class CanvasDetails(Schema):
    message: str
    created_at: str
    updated_at: str
    name: str
    description: str
    archived: bool
    draft: bool
    enabled: bool
    has_post_launch_draft: bool
    schedule_type: str
    first_entry: str | None
    last_entry: str | None
    channels: list[str]
    tags: list[str]
    teams: list[str]
    variants: list[dict[str, Any]]
    steps: list[dict[str, Any]]


@router.get("/canvas/details", auth=BearerKey("canvas.details"), response={200: CanvasDetails, 400: Failure})
def canvas_details(request: HttpRequest, query: Query[DetailsQuery]) -> Any:
    """How a Canvas is set up; on request as it is being edited."""
    canvas = lookups.canvas(query.canvas_id)
    graph = told.graph_of(canvas, of_draft=query.post_launch_draft_version)
    first, last = told.entered_between(canvas)
    steps = told.steps(canvas, graph)
    return {
        **common(canvas),
        "has_post_launch_draft": told.draft_of(canvas) is not None,
        "schedule_type": SCHEDULE_TYPES[Entry(canvas.entry)],
        "first_entry": moment(first),
        "last_entry": moment(last),
        "channels": ["webhook"] if any(step["channels"] for step in steps) else [],
        "variants": told.variants(canvas, graph),
        "steps": steps,
    }


class SeriesQuery(Schema):
    canvas_id: ApiId = None
    ending_at: QueryTime | None = None
    starting_at: QueryTime | None = None
    length: Annotated[int, Field(ge=1, le=MOST_DAYS)] | None = None
    include_variant_breakdown: QueryBoolean = False
    include_step_breakdown: QueryBoolean = False
    include_deleted_step_data: QueryBoolean = False

    @property
    def wanted(self) -> Breakdown:
        return Breakdown(self.include_variant_breakdown, self.include_step_breakdown, self.include_deleted_step_data)


class SeriesAnswer(Schema):
    message: str
    data: dict[str, Any]


@router.get("/canvas/data_series", auth=BearerKey("canvas.data_series"), response={200: SeriesAnswer, 400: Failure})
def canvas_data_series(request: HttpRequest, query: Query[SeriesQuery]) -> Any:
    """What a Canvas achieved, one row a day."""
    canvas = lookups.canvas(query.canvas_id)
    stats = series.series(canvas, _days(query), query.wanted)
    return {"message": "success", "data": {"name": canvas.name, "stats": stats}}


@router.get("/canvas/data_summary", auth=BearerKey("canvas.data_summary"), response={200: SeriesAnswer, 400: Failure})
def canvas_data_summary(request: HttpRequest, query: Query[SeriesQuery]) -> Any:
    """What a Canvas achieved in all these days."""
    canvas = lookups.canvas(query.canvas_id)
    return {"message": "success", "data": {"name": canvas.name, **series.summary(canvas, _days(query), query.wanted)}}


def _days(query: SeriesQuery) -> Span:
    """At most fourteen days; a start counts where there is one, else a length. Raises BadRequest."""
    ending_at = query.ending_at or timezone.now()
    if query.starting_at is None and query.length is None:
        raise BadRequest("Bad Request: 'starting_at' or 'length' is required")
    if query.starting_at is None:
        return span(query.length or 1, ending_at)
    if not query.starting_at <= ending_at <= query.starting_at + timedelta(days=MOST_DAYS):
        raise BadRequest(f"Bad Request: 'starting_at' must lie at most {MOST_DAYS} days before 'ending_at'")
    last = span(1, ending_at)
    length = (last.last - query.starting_at.astimezone(last.zone).date()).days + 1
    return span(length, ending_at)
