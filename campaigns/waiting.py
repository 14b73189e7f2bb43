"""Messages that wait, with what they remember of their trigger."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db.models import F

from campaigns.models import Campaign
from webhooks.models import Message
from workspace import bulk

EARLIEST = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A message that no attempt was made for."""

    id: int
    profile_id: int
    triggered_at: datetime
    source: str
    properties: Mapping[str, Any]


def messages(campaign: Campaign, profiles: Collection[int]) -> list[Waiting]:
    """Those of these profiles that nobody has begun to send."""
    if not profiles:
        return []
    own = Message.objects.annotate(own=F("sender_id") + 0)  # + 0: see outreach.eligibility
    rows = own.filter(own=campaign.sender_id, profile__in=profiles, finished_at=None, attempts=0)
    return [of(pk, profile, context) for pk, profile, context in rows.values_list("pk", "profile_id", "context")]


def of(message: int, profile: int, context: Mapping[str, Any] | None) -> Waiting:
    own = context or {}
    at = own.get("triggered_at")
    return Waiting(
        message,
        profile,
        datetime.fromisoformat(at) if at else EARLIEST,
        str(own.get("source", "")),
        own.get("event_properties") or {},
    )


def end(ids: Sequence[int], outcome: str, reason: str, now: datetime) -> list[tuple[int, int, int]]:
    """End messages that are not on the wire; (variant, cause, profile) of those that were ended."""
    if not ids:
        return []
    sql = f"""
        UPDATE webhooks_message SET outcome = %s, reason = %s, finished_at = %s, leased_until = NULL
        WHERE finished_at IS NULL AND attempts = 0 AND (leased_until IS NULL OR leased_until <= %s)
          AND {bulk.in_ids("id")} RETURNING variant, cause, profile_id
    """
    stamp = bulk.time_param(now)
    return [tuple(row) for row in bulk.fetch(sql, [outcome, reason, stamp, stamp, bulk.ids_param(ids)])]
