"""Sets campaigns and Canvases off: `/campaigns/trigger/send`, `/canvas/trigger/send`, `/sends/id/create`."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from ninja import Router, Schema, Status

from api import lookups, loops, shapes
from api.answers import Failure, Fault, faults, with_faults
from api.errors import BadRequest
from api.fields import ApiId, Boolean, Id, Open
from api.gate import BearerKey, take
from api.repeats import once
from campaigns import calls as campaign_calls
from canvas import calls as canvas_calls
from outreach import sends
from outreach.calls import Call
from outreach.errors import NotByCall, UnusableCall

router = Router(tags=["Sending"])


class Triggered(Schema):
    """Whom to reach: recipients (50 at most), or everybody with `broadcast`, narrowed by `audience`."""

    recipients: list[Open] | None = None
    broadcast: Boolean | None = None
    audience: shapes.Audience = None


class CampaignTrigger(Triggered):
    recipients: list[shapes.CampaignRecipient] | None = None
    campaign_id: ApiId = None
    trigger_properties: Open = None
    send_id: Id | None = None


class CanvasTrigger(Triggered):
    recipients: list[shapes.CanvasRecipient] | None = None
    canvas_id: ApiId = None
    context: Open = None
    canvas_entry_properties: Open = None


class SendAnswer(Schema):
    message: str
    dispatch_id: str
    send_id: str | None = None
    notice: str | None = None
    errors: list[Fault] | None = None


@contextmanager
def refusals(not_by_call: str) -> Iterator[None]:
    """Turns what the apps refuse into answers."""
    try:
        yield
    except NotByCall as error:
        raise BadRequest(not_by_call) from error
    except UnusableCall as error:
        raise BadRequest(str(error), errors=faults(error.errors)) from error


def campaign_call(data: CampaignTrigger) -> Call:
    return Call(data.recipients or (), bool(data.broadcast), data.audience, data.trigger_properties, data.send_id or "")


def canvas_call(data: CanvasTrigger) -> Call:
    """`context` wins over the older name of the same."""
    names = (data.canvas_entry_properties, data.context)
    given = [value for value in names if value not in (None, "")]
    wrong = next((value for value in given if not isinstance(value, dict)), None)
    properties = wrong if wrong is not None else {name: value for part in given for name, value in part.items()}
    return Call(data.recipients or (), bool(data.broadcast), data.audience, properties)


@router.post(
    "/campaigns/trigger/send",
    auth=BearerKey("campaigns.trigger.send", "sends"),
    response={201: SendAnswer, 400: Failure},
    exclude_none=True,
)
def campaigns_trigger_send(request: HttpRequest, data: CampaignTrigger) -> Any:
    """Send an API-triggered campaign."""

    def act() -> dict[str, Any]:
        campaign = lookups.campaign(data.campaign_id)
        refuse_loops(request, campaign.key, data)
        count_broadcast(request, data)
        with refusals("Invalid Campaign ID"):
            answer = campaign_calls.trigger(campaign, campaign_call(data), timezone.now())
        told = _answer(answer.dispatch_id, answer.notice) | ({"send_id": answer.send_id} if answer.send_id else {})
        return with_faults(told, answer.errors)

    return Status(201, once(request, act, timezone.now()))


@router.post(
    "/canvas/trigger/send",
    auth=BearerKey("canvas.trigger.send", "sends"),
    response={201: SendAnswer, 400: Failure},
    exclude_none=True,
)
def canvas_trigger_send(request: HttpRequest, data: CanvasTrigger) -> Any:
    """Let people into an API-triggered Canvas."""

    def act() -> dict[str, Any]:
        canvas = lookups.canvas(data.canvas_id)
        refuse_loops(request, canvas.key, data)
        count_broadcast(request, data)
        with refusals("Invalid Canvas ID"):
            answer = canvas_calls.trigger(canvas, canvas_call(data), timezone.now())
        return with_faults(_answer(answer.dispatch_id, answer.notice), answer.errors)

    return Status(201, once(request, act, timezone.now()))


def _answer(dispatch_id: Any, notice: str) -> dict[str, Any]:
    told = {"message": "success", "dispatch_id": dispatch_id.hex}
    return told | {"notice": notice} if notice else told


LOOP = "Loop cut: webhooks of this installation send this again and again"


def refuse_loops(request: HttpRequest, what: Any, data: Triggered) -> None:
    """A send that a webhook of ours asks for in a circle is not carried out. Raises BadRequest."""
    if loops.cut(request, loops.of_send(what, data.recipients or ())):
        raise BadRequest(LOOP)


def count_broadcast(request: HttpRequest, data: Triggered) -> None:
    """Broadcasts have a limit of their own. Raises RateLimited."""
    if data.broadcast and not data.recipients:
        take(request, "broadcasts")


class SendId(Schema):
    campaign_id: ApiId = None
    send_id: Id | None = None


class SendIdAnswer(Schema):
    message: str
    send_id: str


@router.post(
    "/sends/id/create",
    auth=BearerKey("sends.id.create", "sends.id.create"),
    response={201: SendIdAnswer, 400: Failure},
)
def sends_id_create(request: HttpRequest, data: SendId) -> Any:
    """Make a name by which sends of a campaign can be followed."""
    campaign = lookups.campaign(data.campaign_id)
    with refusals("Invalid Campaign ID"):
        return Status(
            201, {"message": "success", "send_id": sends.create(campaign, data.send_id or "", timezone.now())}
        )
