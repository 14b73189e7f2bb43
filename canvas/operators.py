"""What people may do with journeys: try again, skip the step, go on now, end. The engine does the moving."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from canvas import counts
from canvas.counts import StepMetric
from canvas.models import Canvas, Journey
from canvas.states import Reason, State, Waiting
from canvas.travel import Count
from workspace.queues import wake

ACTIONS = {
    "retry": _("Try the step again (failed journeys)"),
    "skip": _("Skip the step (failed journeys)"),
    "go-on": _("Go on now, without waiting any longer"),
    "end": _("End the journey"),
}
_WAITS = (State.WAITING, State.ENTERING)


def concerned(canvas: Canvas, action: str, chosen: Q) -> "QuerySet[Journey]":
    """The journeys that an action touches, of those chosen."""
    live = Journey.objects.filter(chosen, canvas=canvas, ended_at=None).exclude(state=State.CONTROL)
    match action:
        case "retry" | "skip":
            return live.filter(state=State.FAILED)
        case "go-on":
            return live.filter(state__in=_WAITS)
        case "end":
            return live
        case _:
            return live.none()


def act(canvas: Canvas, action: str, chosen: Q, now: datetime) -> int:
    """Have the engine do it; how many journeys it is for. What was counted as failed is inside again."""
    with transaction.atomic():
        found = concerned(canvas, action, chosen).select_for_update().order_by("pk")
        rows = list(found.values_list("pk", "state", "visit_id", "step_id", "variant_id"))
        ids = [pk for pk, *_rest in rows]
        failed = [row for row in rows if row[1] == State.FAILED]
        entering = [pk for pk, _state, visit, *_rest in failed if visit is None]
        journeys = Journey.objects.filter(pk__in=ids)
        if failed:
            revived = Journey.objects.filter(pk__in=[row[0] for row in failed])
            waits = Waiting.SKIP if action == "skip" else Waiting.TURN
            revived.update(state=State.WAITING, waits_for=waits, attempts=0, error="")
            Journey.objects.filter(pk__in=entering).update(state=State.ENTERING, waits_for="")
        if action == "end":
            journeys.update(latched=Reason.MANUAL)
        journeys.update(wake_at=now, token=F("token") + 1)
        counts.add(canvas.pk, _no_longer_failed(failed), now)
        wake("canvas")
    return len(ids)


def _no_longer_failed(rows: Sequence[tuple[int, str, int | None, int | None, int]]) -> Counter[Count]:
    totals: Counter[Count] = Counter()
    for _pk, _state, visit, step, variant in rows:
        totals[Count(variant, 0, StepMetric.FAILED)] -= 1
        if visit is not None and step:
            totals[Count(variant, step, StepMetric.FAILED)] -= 1
    return totals
