"""What other systems are told about outreach: its webhooks as composed, secrets hidden, and what counts as success."""

import json
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID, uuid5

from django.db.models import Max, Min

from outreach import matching
from outreach.models import DailyCount, Metric, Outreach, Variant
from webhooks.models import BodyKind, Content

HIDDEN = "***"


def webhook(content: Content, name: str) -> dict[str, Any]:
    """A webhook as it was composed."""
    is_json = content.body_kind == BodyKind.PAIRS or content.raw_body.strip()[:1] in ("{", "[")
    return {
        "channel": "webhook",
        "name": name,
        "type": "json" if is_json else "text",
        "url": content.url,
        "body": body(content),
        "method": content.method,
        "headers": {line["name"]: _shown(line) for line in content.headers},
    }


def body(content: Content) -> str:
    """The body's template; key–value pairs as a JSON object."""
    if content.body_kind == BodyKind.RAW:
        return content.raw_body
    return json.dumps({str(pair.get("key", "")): pair.get("value", "") for pair in content.pairs}, ensure_ascii=False)


def _shown(line: Mapping[str, Any]) -> str:
    value = str(line.get("value", ""))
    return HIDDEN if line.get("is_secret") or "credentials." in value else value


def messages(variants: Iterable[Variant]) -> dict[str, dict[str, Any]]:
    """By variation id; a further webhook of a variant has an id made from the variant's."""
    found: dict[str, dict[str, Any]] = {}
    for variant in variants:
        if variant.is_control:
            found[str(variant.key)] = {"channel": "webhook", "name": variant.name, "type": "control"}
        for item in variant.variant_contents.select_related("content"):
            found[str(message_key(variant, item.slot))] = webhook(item.content, variant.name)
    return found


def message_key(variant: Variant, slot: int) -> UUID:
    return variant.key if slot == 0 else uuid5(variant.key, f"webhook {slot}")


def conversion(trigger: Mapping[str, Any], seconds: int) -> dict[str, Any]:
    """A conversion event in the words that clients know."""
    name, found = trigger.get("name"), {"window": seconds}
    match trigger.get("kind"):
        case "event":
            return {"type": "Performs Custom Event", **found, "custom_event_name": name or ""}
        case "purchase" if name:
            return {"type": "Makes Specific Purchase", **found, "product": name}
        case "purchase":
            return {"type": "Makes Any Purchase", **found}
        case "session":
            return {"type": "Starts Session", **found, "app_ids": None}
    return {"type": matching.sentence(trigger), **found}


def sent_between(outreach: Outreach) -> tuple[str | None, str | None]:
    """The first and the last day on which anything was received."""
    received = DailyCount.objects.filter(outreach=outreach, metric=Metric.RECEIVED, count__gt=0)
    days = received.aggregate(first=Min("day"), last=Max("day"))
    first, last = days["first"], days["last"]
    return (f"{first}T00:00:00+00:00", f"{last}T00:00:00+00:00") if first and last else (None, None)
