"""What Liquid knows about the campaign behind a message, and about the call or event that caused it."""

from collections.abc import Mapping, Sequence
from typing import Any

from campaigns.models import Campaign
from outreach.models import Dispatch
from webhooks.claims import Claimed


def of_messages(batch: Sequence[Claimed]) -> Mapping[int, Mapping[str, Any]]:
    """By message id, keyword arguments for RenderData. Two queries a batch."""
    rows = Campaign.objects.filter(sender_id__in={m.sender_id for m in batch}).values_list("sender_id", "name", "key")
    campaigns = {sender: {"name": name, "api_id": str(key)} for sender, name, key in rows}
    ours = [message for message in batch if message.sender_id in campaigns]
    dispatches = Dispatch.objects.in_bulk({message.cause for message in ours}) if ours else {}
    return {m.id: _of_message(campaigns[m.sender_id], dispatches.get(m.cause), m.context or {}) for m in ours}


def _of_message(campaign: Mapping[str, str], dispatch: Dispatch | None, own: Mapping[str, Any]) -> Mapping[str, Any]:
    shared = (dispatch.context if dispatch else None) or {}
    return {
        "campaign": {**campaign, "dispatch_id": str(dispatch.key) if dispatch else ""},
        "event_properties": own.get("event_properties"),
        "api_trigger_properties": {**shared, **own.get("api_trigger_properties", {})},
    }
