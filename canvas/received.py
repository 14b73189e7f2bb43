"""Which Canvases people entered and which of their messages they received, as the API's export says it."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from django.db.models import Max

from canvas.models import Canvas, Journey, StepRevision, StepVisit
from canvas.names import step_key
from outreach.models import Variant
from webhooks.models import Receipt

MOST = 100
_Steps = Mapping[tuple[int, int], list[tuple[int, datetime]]]


def by_profile(profiles: Collection[int]) -> dict[int, list[dict[str, Any]]]:
    """The latest Canvases that each of these entered, newest first. Six queries."""
    journeys = Journey.objects.filter(profile__in=profiles).values_list("profile_id", "canvas_id")
    latest = journeys.annotate(
        entered=Max("entered_at"), ended=Max("ended_at"), messaged=Max("last_message_at"), arm=Max("variant_id")
    )
    rows = list(latest.order_by("-entered"))
    canvases = Canvas.objects.in_bulk({row[1] for row in rows})
    variants = Variant.objects.in_bulk({row[5] for row in rows})
    steps = _steps(profiles, canvases)
    names = _names({step for found in steps.values() for step, _at in found})
    made: dict[int, list[dict[str, Any]]] = {}
    for pk, canvas_id, entered, ended, messaged, variant_id in rows:
        own, canvas, variant = made.setdefault(pk, []), canvases.get(canvas_id), variants.get(variant_id)
        if canvas is None or len(own) >= MOST:
            continue
        entry = {
            "name": canvas.name,
            "api_canvas_id": str(canvas.key),
            "last_entered": _shown(entered),
            "last_exited": _shown(ended),
            "last_received_message": _shown(messaged),
            "variation_name": variant.name if variant else None,
            "in_control": variant.is_control if variant else False,
            "steps_received": [
                {
                    "name": names.get(step, str(step)),
                    "api_canvas_step_id": str(step_key(canvas, step)),
                    "last_received": _shown(at),
                }
                for step, at in steps.get((pk, canvas_id), ())
            ],
        }
        own.append({name: value for name, value in entry.items() if value is not None})
    return {pk: own for pk, own in made.items() if own}


def _steps(profiles: Collection[int], canvases: Mapping[int, Canvas]) -> _Steps:
    """By profile and Canvas, the steps whose message was received, and when last."""
    senders = {canvas.sender_id: pk for pk, canvas in canvases.items()}
    receipts = Receipt.objects.filter(profile__in=profiles, sender__in=senders, received_at__isnull=False)
    rows = list(receipts.order_by("received_at").values_list("profile_id", "sender_id", "cause", "received_at"))
    step_of = dict(StepVisit.objects.filter(pk__in={row[2] for row in rows}).values_list("pk", "step_id"))
    found: dict[tuple[int, int], dict[int, datetime]] = {}
    for pk, sender, cause, at in rows:
        if at and (step := step_of.get(cause)):
            found.setdefault((pk, senders[sender]), {})[step] = at
    return {key: list(own.items()) for key, own in found.items()}


def _names(steps: Collection[int]) -> dict[int, str]:
    return dict(StepRevision.objects.filter(step__in=steps).order_by("version__number").values_list("step_id", "name"))


def _shown(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
