"""What events out say about the messages of a Canvas: the step, in the identifiers that other systems know."""

from collections.abc import Mapping, Sequence
from typing import Any

from canvas.models import Canvas, StepRevision, StepVisit
from canvas.names import content_key, step_key
from outreach.models import OutgoingEvent


def of_events(events: Sequence[OutgoingEvent]) -> Mapping[int, Mapping[str, Any]]:
    """By event id, the step of each event about a Canvas's message (registered with `stream_lines`). Three queries."""
    sent = [event for event in events if event.cause and event.kind.startswith("webhook.")]
    canvases = {c.sender_id: c for c in Canvas.objects.filter(sender__in={event.sender_id for event in sent})}
    ours = [event for event in sent if event.sender_id in canvases]
    visits = StepVisit.objects.select_related("step").in_bulk({event.cause for event in ours})
    names = _names({visit.step_id for visit in visits.values()})
    found: dict[int, Mapping[str, Any]] = {}
    for event in ours:
        canvas, visit = canvases[event.sender_id], visits.get(event.cause)
        if visit and visit.step.canvas_id == canvas.pk:
            found[event.pk] = {
                "step_id": str(step_key(canvas, visit.step_id)),
                "step_name": names.get(visit.step_id),
                "message_variation_id": str(content_key(canvas, visit.step_id, event.slot)),
            }
    return found


def _names(steps: set[int]) -> dict[int, str]:
    """The name of each step in its newest published version."""
    published = StepRevision.objects.filter(step__in=steps, version__number__isnull=False)
    return dict(published.order_by("version__number").values_list("step_id", "name"))
