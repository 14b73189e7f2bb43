"""Sends for later: made, moved and deleted, for campaigns, Canvases and messages alike."""

from typing import Any

from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from ninja import Router, Schema, Status

from api import lookups, shapes
from api.answers import Failure, Success
from api.endpoints.messages import MessageSend, direct_call
from api.endpoints.sends import (
    CampaignTrigger,
    CanvasTrigger,
    campaign_call,
    canvas_call,
    count_broadcast,
    refusals,
)
from api.errors import BadRequest
from api.fields import ApiId, Boolean
from api.gate import BearerKey
from api.repeats import once
from campaigns import calls as campaign_calls
from canvas import calls as canvas_calls
from outreach import composed, direct, later
from outreach.models import Outreach, ScheduledCall

router = Router(tags=["Scheduling"])
Kind = ScheduledCall.Kind


class ScheduleAnswer(Schema):
    message: str
    dispatch_id: str
    schedule_id: str


class CampaignSchedule(CampaignTrigger):
    schedule: shapes.When = None


class CanvasSchedule(CanvasTrigger):
    schedule: shapes.When = None


class MessageSchedule(MessageSend):
    schedule: shapes.When = None
    override_messaging_limits: Boolean | None = None


class CampaignChange(Schema):
    campaign_id: ApiId = None
    schedule_id: ApiId = None
    schedule: shapes.When = None


class CanvasChange(Schema):
    canvas_id: ApiId = None
    schedule_id: ApiId = None
    schedule: shapes.When = None


class MessageChange(Schema):
    schedule_id: ApiId = None
    schedule: shapes.When = None
    messages: shapes.Messages = None


def _made(call: ScheduledCall) -> dict[str, Any]:
    return {"message": "success", "dispatch_id": call.dispatch_key.hex, "schedule_id": str(call.key)}


# --- make


@router.post(
    "/campaigns/trigger/schedule/create",
    auth=BearerKey("campaigns.trigger.schedule.create"),
    response={201: ScheduleAnswer, 400: Failure},
)
def campaigns_trigger_schedule_create(request: HttpRequest, data: CampaignSchedule) -> Any:
    """Send an API-triggered campaign later."""

    def act() -> dict[str, Any]:
        campaign, now = lookups.campaign(data.campaign_id), timezone.now()
        count_broadcast(request, data)
        with refusals("Invalid Campaign ID"):
            return _made(campaign_calls.schedule(campaign, campaign_call(data), later.when(data.schedule, now), now))

    return Status(201, once(request, act, timezone.now()))


@router.post(
    "/canvas/trigger/schedule/create",
    auth=BearerKey("canvas.trigger.schedule.create"),
    response={201: ScheduleAnswer, 400: Failure},
)
def canvas_trigger_schedule_create(request: HttpRequest, data: CanvasSchedule) -> Any:
    """Let people into an API-triggered Canvas later."""

    def act() -> dict[str, Any]:
        canvas, now = lookups.canvas(data.canvas_id), timezone.now()
        count_broadcast(request, data)
        with refusals("Invalid Canvas ID"):
            return _made(canvas_calls.schedule(canvas, canvas_call(data), later.when(data.schedule, now), now))

    return Status(201, once(request, act, timezone.now()))


@router.post(
    "/messages/schedule/create",
    auth=BearerKey("messages.schedule.create"),
    response={201: ScheduleAnswer, 400: Failure},
)
def messages_schedule_create(request: HttpRequest, data: MessageSchedule) -> Any:
    """Send a webhook that is composed here later."""

    def act() -> dict[str, Any]:
        now = timezone.now()
        with refusals("Invalid Campaign ID"):
            return _made(direct.schedule(direct_call(data), later.when(data.schedule, now), now))

    return Status(201, once(request, act, timezone.now()))


# --- move


@router.post(
    "/campaigns/trigger/schedule/update",
    auth=BearerKey("campaigns.trigger.schedule.update"),
    response={201: Success, 400: Failure},
)
def campaigns_trigger_schedule_update(request: HttpRequest, data: CampaignChange) -> Any:
    """Give a scheduled send another time; it replaces the old one as a whole."""
    return _move(Kind.CAMPAIGN, data.schedule_id, lookups.campaign(data.campaign_id), data.schedule)


@router.post(
    "/canvas/trigger/schedule/update",
    auth=BearerKey("canvas.trigger.schedule.update"),
    response={201: Success, 400: Failure},
)
def canvas_trigger_schedule_update(request: HttpRequest, data: CanvasChange) -> Any:
    """Give a scheduled entry another time; it replaces the old one as a whole."""
    return _move(Kind.CANVAS, data.schedule_id, lookups.canvas(data.canvas_id), data.schedule)


@router.post(
    "/messages/schedule/update",
    auth=BearerKey("messages.schedule.update"),
    response={201: Success, 400: Failure},
)
def messages_schedule_update(request: HttpRequest, data: MessageChange) -> Any:
    """Change when a scheduled message goes out, or what it says, or both."""
    if not data.schedule and not data.messages:
        raise BadRequest("Bad Request: 'schedule' or 'messages' is required")
    return _move(Kind.MESSAGES, data.schedule_id, None, data.schedule, data.messages)


def _move(kind: str, key: Any, outreach: Outreach | None, schedule: Any, messages: Any = None) -> Any:
    now = timezone.now()
    with refusals(""), transaction.atomic():
        call = later.find(kind, key, outreach)
        if messages:
            composed.webhook(messages)
            call.request = {**call.request, "messages": messages}
            call.save(update_fields=["request"])
        if schedule or not messages:
            later.move(call, later.when(schedule, now, is_change=True), now)
    return Status(201, Success())


# --- delete


@router.post(
    "/campaigns/trigger/schedule/delete",
    auth=BearerKey("campaigns.trigger.schedule.delete"),
    response={201: Success, 400: Failure},
)
def campaigns_trigger_schedule_delete(request: HttpRequest, data: CampaignChange) -> Any:
    """Cancel what has not been sent."""
    return _cancel(Kind.CAMPAIGN, data.schedule_id, lookups.campaign(data.campaign_id))


@router.post(
    "/canvas/trigger/schedule/delete",
    auth=BearerKey("canvas.trigger.schedule.delete"),
    response={201: Success, 400: Failure},
)
def canvas_trigger_schedule_delete(request: HttpRequest, data: CanvasChange) -> Any:
    """Cancel what has not been sent."""
    return _cancel(Kind.CANVAS, data.schedule_id, lookups.canvas(data.canvas_id))


@router.post(
    "/messages/schedule/delete",
    auth=BearerKey("messages.schedule.delete"),
    response={201: Success, 400: Failure},
)
def messages_schedule_delete(request: HttpRequest, data: MessageChange) -> Any:
    """Cancel what has not been sent."""
    return _cancel(Kind.MESSAGES, data.schedule_id, None)


def _cancel(kind: str, key: Any, outreach: Outreach | None) -> Any:
    with refusals(""), transaction.atomic():
        later.cancel(later.find(kind, key, outreach), timezone.now())
    return Status(201, Success())
