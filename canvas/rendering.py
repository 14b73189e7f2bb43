"""What Liquid knows in a Canvas: the profile, the journey's context, the last deciding event, the Canvas itself."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from outreach.models import Variant
from webhooks.liquid import RenderData


def data(
    profile: Mapping[str, Any],
    context: Mapping[str, Any] | None,
    event_properties: Mapping[str, Any] | None,
    canvas: Mapping[str, Any],
    now: datetime,
) -> RenderData:
    return RenderData(profile, now=now, **names(context, event_properties, canvas))


def names(
    context: Mapping[str, Any] | None, event_properties: Mapping[str, Any] | None, canvas: Mapping[str, Any]
) -> dict[str, Any]:
    """Keyword arguments for RenderData. Entry properties and context are the same thing under two names."""
    return {
        "canvas": canvas,
        "canvas_entry_properties": context or {},
        "context": context or {},
        "event_properties": event_properties,
    }


def names_by_variant(canvas_id: int) -> dict[int, dict[str, Any]]:
    """`canvas.${…}` for each variant of a Canvas. One query."""
    rows = Variant.objects.filter(outreach_id=canvas_id).values_list(
        "pk", "name", "key", "outreach__name", "outreach__key"
    )
    return {
        pk: {"name": canvas, "api_id": str(canvas_key), "variant_name": name, "variant_api_id": str(key)}
        for pk, name, key, canvas, canvas_key in rows
    }
