"""Reads about segments, events and attributes."""

from typing import Any, Literal

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Query, Router, Schema

from api import lookups
from api.answers import Failure, moment
from api.endpoints.campaigns import SIZE, tags_of
from api.fields import ApiId, Length, Page, QueryTime
from api.gate import BearerKey
from api.paging import after, link_next, page_of
from audience import filters
from audience import series as audience_series
from audience.ingest.values import MAX_LIST
from audience.models import Attribute, EventName, Segment
from outreach.series import span

router = Router(tags=["Segments, events, attributes"])

NAMES_A_PAGE = 250
DETAILS_A_PAGE = 50


class ListQuery(Schema):
    page: Page = 0
    sort_direction: Literal["asc", "desc"] = "asc"


class ListedSegment(Schema):
    id: str
    name: str
    analytics_tracking_enabled: bool
    tags: list[str]


class SegmentList(Schema):
    message: str
    segments: list[ListedSegment]


@router.get("/segments/list", auth=BearerKey("segments.list"), response={200: SegmentList, 400: Failure})
def segments_list(request: HttpRequest, query: Query[ListQuery]) -> Any:
    """All segments that are not archived, 100 a page."""
    order = ("created_at", "pk") if query.sort_direction == "asc" else ("-created_at", "-pk")
    rows = Segment.objects.filter(is_archived=False).order_by(*order).prefetch_related("tags")
    found = [
        {
            "id": str(segment.key),
            "name": segment.name,
            "analytics_tracking_enabled": segment.tracks_size,
            "tags": tags_of(segment),
        }
        for segment in page_of(rows, query.page, SIZE)
    ]
    return {"message": "success", "segments": found}


class DetailsQuery(Schema):
    segment_id: ApiId = None


class SegmentDetails(Schema):
    message: str
    created_at: str
    updated_at: str
    name: str
    description: str
    text_description: str
    tags: list[str]
    teams: list[str]


@router.get("/segments/details", auth=BearerKey("segments.details"), response={200: SegmentDetails, 400: Failure})
def segments_details(request: HttpRequest, query: Query[DetailsQuery]) -> Any:
    """What a segment says: its filters in words, and what its author wrote."""
    segment, now = lookups.segment(query.segment_id), timezone.now()
    usable = not filters.is_empty(segment.filters) and not filters.validate(segment.filters, now)
    return {
        "message": "success",
        "created_at": moment(segment.created_at),
        "updated_at": moment(segment.updated_at),
        "name": segment.name,
        "description": filters.sentence(segment.filters, now) if usable else "",
        "text_description": segment.description,
        "tags": tags_of(segment),
        "teams": sorted(team.name for team in segment.teams.all()),
    }


class SizesQuery(Schema):
    segment_id: ApiId = None
    length: Length
    ending_at: QueryTime | None = None


class Series(Schema):
    message: str
    data: list[dict[str, Any]]


@router.get("/segments/data_series", auth=BearerKey("segments.data_series"), response={200: Series, 400: Failure})
def segments_data_series(request: HttpRequest, query: Query[SizesQuery]) -> Any:
    """How large a segment was, day by day."""
    segment, now = lookups.segment(query.segment_id), timezone.now()
    days, today = span(query.length, query.ending_at or now).days, span(1, now).last
    sizes = audience_series.sizes(segment, days, now, today)
    return {"message": "success", "data": [{"time": day.isoformat(), "size": size} for day, size in sizes]}


# --- events


class EventsQuery(Schema):
    page: Page = 0


class EventNames(Schema):
    message: str
    events: list[str]


@router.get("/events/list", auth=BearerKey("events.list", "names"), response={200: EventNames, 400: Failure})
def events_list(request: HttpRequest, query: Query[EventsQuery]) -> Any:
    """The names of all custom events, 250 a page."""
    names = EventName.objects.filter(kind=EventName.Kind.EVENT).order_by("name").values_list("name", flat=True)
    return {"message": "success", "events": [*page_of(names, query.page, NAMES_A_PAGE)]}


class EventSeriesQuery(Schema):
    event: str
    length: Length
    unit: Literal["day", "hour"] = "day"
    ending_at: QueryTime | None = None
    segment_id: ApiId = None


@router.get("/events/data_series", auth=BearerKey("events.data_series"), response={200: Series, 400: Failure})
def events_data_series(request: HttpRequest, query: Query[EventSeriesQuery]) -> Any:
    """How often an event happened, by day or by hour."""
    segment = lookups.segment(query.segment_id) if query.segment_id else None
    now = timezone.now()
    ending_at = query.ending_at or now
    if query.unit == "hour":
        by_hour = audience_series.events_by_hour(query.event, query.length, ending_at, segment, now)
        return {"message": "success", "data": [{"time": hour.isoformat(), "count": count} for hour, count in by_hour]}
    days = span(query.length, ending_at)
    by_day = audience_series.events_by_day(query.event, days.days, days.zone, segment, now)
    return {"message": "success", "data": [{"time": day.isoformat(), "count": count} for day, count in by_day]}


class CursorQuery(Schema):
    cursor: str | None = None


class EventDetails(Schema):
    message: str
    events: list[dict[str, Any]]


@router.get("/events", auth=BearerKey("events.get"), response={200: EventDetails, 400: Failure})
def events(request: HttpRequest, response: HttpResponse, query: Query[CursorQuery]) -> Any:
    """All custom events, 50 a page; the next page is in the header Link."""
    rows = EventName.objects.filter(kind=EventName.Kind.EVENT)
    found, following = after(rows, "name", query.cursor, DETAILS_A_PAGE)
    link_next(request, response, following)
    return {
        "message": "success",
        "events": [
            {
                "name": row.name,
                "description": row.description or None,
                "included_in_analytics_report": False,
                "status": _status(row),
                "tag_names": [],
            }
            for row in found
        ],
    }


class AttributeDetails(Schema):
    message: str
    attributes: list[dict[str, Any]]


DATA_TYPES = {
    Attribute.Type.TEXT: "String",
    Attribute.Type.NUMBER: "Number",
    Attribute.Type.BOOLEAN: "Boolean",
    Attribute.Type.TIME: "Date",
    Attribute.Type.LIST: "Array",
    Attribute.Type.OBJECT: "Object",
    Attribute.Type.OBJECTS: "Object Array",
}
DETECTED = " (Automatically Detected)"


@router.get(
    "/custom_attributes", auth=BearerKey("custom_attributes.get"), response={200: AttributeDetails, 400: Failure}
)
def custom_attributes(request: HttpRequest, response: HttpResponse, query: Query[CursorQuery]) -> Any:
    """All custom attributes, 50 a page; the next page is in the header Link."""
    found, following = after(Attribute.objects.all(), "name", query.cursor, DETAILS_A_PAGE)
    link_next(request, response, following)
    return {
        "message": "success",
        "attributes": [
            {
                "array_length": MAX_LIST if row.type == Attribute.Type.LIST else None,
                "data_type": DATA_TYPES[Attribute.Type(row.type)] + ("" if row.is_type_fixed else DETECTED),
                "description": row.description or None,
                "name": row.name,
                "status": _status(row),
                "tag_names": [],
            }
            for row in found
        ],
    }


def _status(row: Any) -> str:
    return "Blocklisted" if row.is_blocked else "Active"
