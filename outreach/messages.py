"""Makes messages: one for each webhook of each profile's arm, once for a reason, however often it is asked for.

A profile of the control group gets one too, without a webhook: it goes through every check at its time, is then ended
as held back, and is what a receipt is compared with.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from outreach.models import Outreach, Variant, VariantContent
from webhooks.lanes import open_lanes
from webhooks.models import Lane
from workspace import bulk

CONTROL_CONTENT = 0  # the id that no webhook has


@dataclass(frozen=True, slots=True)
class Target:
    """Somebody to send to."""

    profile_id: int
    variant_id: int
    cause: int
    due_at: datetime
    context: Mapping[str, Any] | None = None


_SLOTS = {"variant": "bigint", "slot": "smallint", "content": "bigint", "lane": "bigint"}
_TARGETS = {"profile": "bigint", "variant": "bigint", "cause": "bigint", "due_at": "timestamptz", "context": "text"}


def make(outreach: Outreach, variants: Sequence[Variant], targets: Sequence[Target]) -> Counter[int]:
    """Insert the messages; how many were new, by variant. Call it in the transaction that counts them."""
    if not targets:
        return Counter()
    slots = _slots(outreach, variants)
    rows = (
        {
            "profile": t.profile_id,
            "variant": t.variant_id,
            "cause": t.cause,
            "due_at": t.due_at,
            "context": _text(t.context),
        }
        for t in sorted(targets, key=lambda t: t.profile_id)
    )
    context = "u.context::jsonb" if connection.vendor == "postgresql" else "u.context"
    sql = f"""
        INSERT INTO webhooks_message (
            sender_id, lane_id, content_id, profile_id, cause, slot, variant, due_at, attempts, lease, outcome, reason,
            context
        )
        SELECT %s, t.lane, t.content, u.profile, u.cause, t.slot, t.variant, u.due_at, 0, 0, '', '', {context}
        FROM {bulk.rows_as_table(_TARGETS)} JOIN {bulk.rows_as_table(_SLOTS, "t")} ON t.variant = u.variant
        WHERE TRUE ON CONFLICT (sender_id, cause, profile_id, slot) DO NOTHING RETURNING variant
    """
    params = [outreach.sender_id, bulk.as_json(rows), bulk.as_json(slots)]
    return Counter(variant for (variant,) in bulk.fetch(sql, params))


def _slots(outreach: Outreach, variants: Sequence[Variant]) -> list[dict[str, int]]:
    """Where the messages of each variant go: a row for each of its webhooks, one without for the control group."""
    items = list(
        VariantContent.objects.filter(variant__in=[v for v in variants if not v.is_control])
        .select_related("content")
        .prefetch_related("content__overrides")
    )
    lanes = open_lanes(outreach.sender, [item.content for item in items])
    rows = [
        {"variant": i.variant_id, "slot": i.slot, "content": i.content_id, "lane": lanes[i.content_id]} for i in items
    ]
    for control in (v for v in variants if v.is_control):
        lane, _ = Lane.objects.get_or_create(sender=outreach.sender, host="")
        Lane.objects.filter(pk=lane.pk, is_open=False).update(is_open=True)
        rows.append({"variant": control.pk, "slot": 0, "content": CONTROL_CONTENT, "lane": lane.pk})
    return rows


def _text(context: Mapping[str, Any] | None) -> str | None:
    return bulk.as_text(context) if context else None
