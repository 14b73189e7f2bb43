"""`/messages/send`: a webhook that is composed in the call."""

from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from ninja import Router, Schema, Status

from api import lookups, loops, shapes
from api.answers import Failure, with_faults
from api.endpoints.sends import LOOP, SendAnswer, refusals
from api.errors import BadRequest
from api.fields import ApiId, Boolean, Id
from api.gate import BearerKey, take
from api.repeats import once
from outreach import composed, direct
from outreach.direct import DirectCall

router = Router(tags=["Sending"])


class MessageSend(Schema):
    """Whom to reach: people (50 at most), or with `broadcast` a segment, an audience, or both."""

    external_user_ids: list[Id] | None = None
    user_aliases: list[shapes.Alias] | None = None
    segment_id: ApiId = None
    audience: shapes.Audience = None
    broadcast: Boolean | None = None
    messages: shapes.Messages = None
    campaign_id: ApiId = None
    send_id: Id | None = None
    override_frequency_capping: Boolean | None = None
    recipient_subscription_state: str | None = None


def direct_call(data: MessageSend) -> DirectCall:
    """The call, with what its identifiers mean. Raises BadRequest."""
    segment = lookups.segment(data.segment_id) if data.segment_id not in (None, "") else None
    if segment and segment.is_archived:
        raise BadRequest("segment_id must be a string of the segment api identifier")
    campaign = lookups.campaign(data.campaign_id) if data.campaign_id not in (None, "") else None
    return DirectCall(
        data.external_user_ids or (),
        data.user_aliases or (),
        segment.pk if segment else None,
        data.audience,
        bool(data.broadcast),
        data.messages,
        campaign.pk if campaign else None,
        composed.variation_of(data.messages),
        data.send_id or "",
        data.recipient_subscription_state or "subscribed",
    )


@router.post(
    "/messages/send",
    auth=BearerKey("messages.send", "sends"),
    response={201: SendAnswer, 400: Failure},
    exclude_none=True,
)
def messages_send(request: HttpRequest, data: MessageSend) -> Any:
    """Send a webhook that is composed here."""

    def act() -> dict[str, Any]:
        named = [{"external_id": each} for each in data.external_user_ids or ()]
        if loops.cut(request, loops.of_send("message", named)):
            raise BadRequest(LOOP)
        if data.broadcast:
            take(request, "broadcasts")
        with refusals("Invalid Campaign ID"):
            answer = direct.send(direct_call(data), timezone.now())
        told = {"message": "success", "dispatch_id": answer.dispatch_id.hex}
        told |= {"send_id": answer.send_id} if answer.send_id else {}
        return with_faults(told, answer.errors)

    return Status(201, once(request, act, timezone.now()))
