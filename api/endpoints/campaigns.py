"""Reads about campaigns: lists, details, series, and what is planned."""

from typing import Annotated, Any, Literal

from django.http import HttpRequest
from django.utils import timezone
from ninja import Query, Router, Schema
from ninja import Status as Answer
from pydantic import Field

from api import lookups
from api.answers import Failure, moment
from api.fields import ApiId, Length, Page, QueryBoolean, QueryTime
from api.gate import BearerKey
from api.paging import page_of
from campaigns.models import Campaign, Delivery
from canvas.models import Canvas
from outreach import broadcasts, series, told
from outreach.models import Outreach, Status

router = Router(tags=["Campaigns"])

SIZE = 100
SCHEDULE_TYPES = {
    Delivery.SCHEDULED: "time_based",
    Delivery.ACTION: "action_based",
    Delivery.API: "api_triggered",
}


class ListQuery(Schema):
    page: Page = 0
    include_archived: QueryBoolean = False
    sort_direction: Literal["asc", "desc"] = "asc"
    edited_after: Annotated[QueryTime | None, Field(alias="last_edit.time[gt]")] = None


class ListedCampaign(Schema):
    id: str
    last_edited: str
    name: str
    is_api_campaign: bool
    tags: list[str]


class CampaignList(Schema):
    message: str
    campaigns: list[ListedCampaign]


def listed(rows: Any, query: ListQuery) -> Any:
    """The page of a list of outreach that is asked for, with tags."""
    if not query.include_archived:
        rows = rows.exclude(status=Status.ARCHIVED)
    if query.edited_after:
        rows = rows.filter(updated_at__gt=query.edited_after)
    order = ("created_at", "pk") if query.sort_direction == "asc" else ("-created_at", "-pk")
    return page_of(rows.order_by(*order).prefetch_related("tags"), query.page, SIZE)


def tags_of(outreach: Any) -> list[str]:
    return sorted(tag.name for tag in outreach.tags.all())


@router.get("/campaigns/list", auth=BearerKey("campaigns.list"), response={200: CampaignList, 400: Failure})
def campaigns_list(request: HttpRequest, query: Query[ListQuery]) -> Any:
    """All campaigns, 100 a page, oldest first unless asked otherwise."""
    found = [
        {
            "id": str(campaign.key),
            "last_edited": moment(campaign.updated_at),
            "name": campaign.name,
            "is_api_campaign": campaign.delivery == Delivery.API,
            "tags": tags_of(campaign),
        }
        for campaign in listed(Campaign.objects.all(), query)
    ]
    return {"message": "success", "campaigns": found}


class DetailsQuery(Schema):
    campaign_id: ApiId = None
    post_launch_draft_version: QueryBoolean = False


class CampaignDetails(Schema):
    message: str
    created_at: str
    updated_at: str
    archived: bool
    draft: bool
    enabled: bool
    has_post_launch_draft: bool
    name: str
    description: str
    schedule_type: str
    channels: list[str]
    first_sent: str | None
    last_sent: str | None
    tags: list[str]
    teams: list[str]
    messages: dict[str, Any]
    conversion_behaviors: list[dict[str, Any]]


def common(outreach: Outreach) -> dict[str, Any]:
    """What details say of a campaign and a Canvas alike."""
    return {
        "message": "success",
        "created_at": moment(outreach.created_at),
        "updated_at": moment(outreach.updated_at),
        "archived": outreach.status == Status.ARCHIVED,
        "draft": outreach.status == Status.DRAFT,
        "enabled": outreach.status == Status.ACTIVE,
        "name": outreach.name,
        "description": outreach.description,
        "tags": tags_of(outreach),
        "teams": sorted(team.name for team in outreach.teams.all()),
    }


@router.get("/campaigns/details", auth=BearerKey("campaigns.details"), response={200: CampaignDetails, 400: Failure})
def campaigns_details(request: HttpRequest, query: Query[DetailsQuery]) -> Any:
    """How a campaign is set up; values that come from stored credentials are hidden."""
    campaign = lookups.campaign(query.campaign_id)
    first, last = told.sent_between(campaign)
    events = campaign.conversion_events.all()
    return {
        **common(campaign),
        "has_post_launch_draft": False,
        "schedule_type": SCHEDULE_TYPES[Delivery(campaign.delivery)],
        "channels": ["webhook"],
        "first_sent": first,
        "last_sent": last,
        "messages": told.messages(campaign.variants.filter(is_removed=False)),
        "conversion_behaviors": [told.conversion(event.trigger, event.window_seconds) for event in events],
    }


class SeriesQuery(Schema):
    campaign_id: ApiId = None
    length: Length
    ending_at: QueryTime | None = None


class SendSeriesQuery(SeriesQuery):
    send_id: str


class CampaignSeries(Schema):
    message: str
    data: list[dict[str, Any]]


@router.get(
    "/campaigns/data_series",
    auth=BearerKey("campaigns.data_series", "campaigns.data_series"),
    response={200: CampaignSeries, 400: Failure},
)
def campaigns_data_series(request: HttpRequest, query: Query[SeriesQuery]) -> Any:
    """What a campaign achieved, one row a day."""
    campaign = lookups.campaign(query.campaign_id)
    days = series.span(query.length, query.ending_at or timezone.now())
    return {"message": "success", "data": series.rows(campaign, series.of_outreach(campaign, days), days)}


@router.get("/sends/data_series", auth=BearerKey("sends.data_series"), response={200: CampaignSeries, 400: Failure})
def sends_data_series(request: HttpRequest, query: Query[SendSeriesQuery]) -> Any:
    """The same for one `send_id`, for 14 days after the send."""
    campaign, now = lookups.campaign(query.campaign_id), timezone.now()
    days = series.span(query.length, query.ending_at or now)
    table = series.of_send(campaign, query.send_id, days, now)
    return {"message": "success", "data": series.rows(campaign, table, days)}


# --- what is planned


class PlannedQuery(Schema):
    end_time: QueryTime


class PlannedBroadcast(Schema):
    name: str
    id: str
    type: str
    tags: list[str]
    next_send_time: str
    schedule_type: str


class PlannedList(Schema):
    message: str
    scheduled_broadcasts: list[PlannedBroadcast]


PLANNED: dict[str, Any] = {
    "auth": BearerKey("messages.schedule_broadcasts"),
    "response": {200: PlannedList, 400: Failure},
}


@router.get("/messages/scheduled_broadcasts", **PLANNED)
def messages_scheduled_broadcasts(request: HttpRequest, query: Query[PlannedQuery]) -> Any:
    """The campaigns and Canvases that are scheduled until then, soonest first."""
    return _planned(query)


@router.post("/messages/scheduled_broadcasts", auth=PLANNED["auth"], response={201: PlannedList, 400: Failure})
def messages_scheduled_broadcasts_posted(request: HttpRequest, data: PlannedQuery) -> Any:
    """The same, for clients that post."""
    return Answer(201, _planned(data))


def _planned(query: PlannedQuery) -> dict[str, Any]:
    found = list(broadcasts.until(query.end_time, timezone.now()))
    canvases = set(Canvas.objects.filter(pk__in=[each.outreach.pk for each in found]).values_list("pk", flat=True))
    return {
        "message": "success",
        "scheduled_broadcasts": [
            {
                "name": each.outreach.name,
                "id": str(each.outreach.key),
                "type": "Canvas" if each.outreach.pk in canvases else "Campaign",
                "tags": tags_of(each.outreach),
                "next_send_time": each.at,
                "schedule_type": each.zone,
            }
            for each in found
        ],
    }
