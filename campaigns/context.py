"""What Liquid knows about the campaign behind a message, and about the call or event that caused it."""

from collections.abc import Mapping, Sequence
from typing import Any

from campaigns.models import Campaign
from outreach.models import Dispatch
from webhooks.claims import Claimed
from workspace.remembered import Recent


def of_messages(batch: Sequence[Claimed]) -> Mapping[int, Mapping[str, Any]]:
    """By message id, keyword arguments for RenderData. At most two queries a batch; facts may be a second old."""
    campaigns = _campaigns.of(m.sender_id for m in batch)
    ours = [message for message in batch if message.sender_id in campaigns]
    dispatches = _dispatches.of(message.cause for message in ours) if ours else {}
    shared: dict[tuple[int, int], Mapping[str, Any]] = {}  # most messages of a batch have nothing of their own
    for sender, cause in {(message.sender_id, message.cause) for message in ours}:
        shared[sender, cause] = _of_message(campaigns[sender], dispatches.get(cause), {})
    return {
        m.id: _of_message(campaigns[m.sender_id], dispatches.get(m.cause), m.context)
        if m.context
        else shared[m.sender_id, m.cause]
        for m in ours
    }


def _load_campaigns(senders: set[int]) -> Mapping[int, Mapping[str, str]]:
    rows = Campaign.objects.filter(sender_id__in=senders).values_list("sender_id", "name", "key")
    return {sender: {"name": name, "api_id": str(key)} for sender, name, key in rows}


_campaigns = Recent(_load_campaigns)
_dispatches: Recent[int, Dispatch] = Recent(lambda causes: Dispatch.objects.in_bulk(causes))


def _of_message(campaign: Mapping[str, str], dispatch: Dispatch | None, own: Mapping[str, Any]) -> Mapping[str, Any]:
    shared = (dispatch.context if dispatch else None) or {}
    return {
        "campaign": {**campaign, "dispatch_id": str(dispatch.key) if dispatch else ""},
        "event_properties": own.get("event_properties"),
        "api_trigger_properties": {**shared, **own.get("api_trigger_properties", {})},
    }
