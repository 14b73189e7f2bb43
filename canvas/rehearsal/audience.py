"""Which way how many of the audience would go, by what is known now: no time passes, and nobody does anything.

A sample is let in and walked to its end: waits end at once, every message is taken as received, and whoever a step
waits for to act has not acted.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Count, Min

from canvas import counts, engine, entry
from canvas.counts import StepMetric
from canvas.models import CanvasVersion, Journey, StepVisit
from canvas.rehearsal.stage import Stage, rehearsal
from canvas.states import State
from outreach import reach
from outreach.models import DailyCount
from webhooks.models import Message, Outcome

SAMPLE = 2_000
MOST_ROUNDS = 500


@dataclass(slots=True)
class Forecast:
    """Numbers of the sample, by the real ids of steps and variants; `audience` is how many there are of which."""

    audience: int
    sample: int
    refused: Mapping[str, int] = field(default_factory=dict)
    by_step: Mapping[int, Mapping[str, int]] = field(default_factory=dict)
    by_path: Mapping[tuple[int, str], int] = field(default_factory=dict)
    by_variant: Mapping[int, int] = field(default_factory=dict)
    skipped: Mapping[int, str] = field(default_factory=dict)

    @property
    def factor(self) -> float:
        """What the sample's numbers are multiplied with to speak of the whole audience."""
        return self.audience / self.sample if self.sample else 0.0


def forecast(version: CanvasVersion, now: datetime, most: int = SAMPLE) -> Forecast:
    """Walk up to `most` of the audience through. Raises NotAllowed for steps that go in a circle."""
    everybody = reach.audience(version.canvas, now)
    size = everybody.count()
    chosen = list(everybody.order_by("random_bucket", "pk").values_list("pk", flat=True)[:most])
    with rehearsal(version, now) as stage:
        found = Forecast(size, len(chosen), skipped=stage.skipped)
        candidates = [entry.Candidate(pk, "rehearsal") for pk in chosen]
        result = entry.enter(stage.canvas.pk, candidates, now) if candidates else {}
        found.refused = {reason: n for reason, n in result.items() if reason != entry.ADMITTED}
        _walk(stage, now)
        _read(stage, found)
    return found


def _walk(stage: Stage, now: datetime) -> None:
    inside = Journey.objects.filter(canvas=stage.canvas, ended_at=None).exclude(state__in=(State.CONTROL, State.FAILED))
    for _round in range(MOST_ROUNDS):
        inside.filter(state=State.SENDING, wake_at=None).update(wake_at=now)
        Message.objects.filter(sender=stage.canvas.sender, finished_at=None).update(
            outcome=Outcome.RECEIVED, finished_at=now, attempts=1
        )
        inside.filter(wake_at__gt=now).update(wake_at=now)
        due = list(inside.values_list("step_id").annotate(first=Min("pk")).values_list("step_id", flat=True))
        if not due:
            return
        for step in due:
            engine.move(step, lambda: now)


def _sent_by_step(stage: Stage) -> dict[int, int]:
    causes = Message.objects.filter(sender=stage.canvas.sender).values("cause")
    visits = StepVisit.objects.filter(pk__in=causes).values_list("step_id")
    return dict(visits.annotate(n=Count("pk")))


def _read(stage: Stage, found: Forecast) -> None:
    real = stage.original
    arms = {own: old for old, own in stage.variants.items()}
    sent = _sent_by_step(stage)
    rows = counts.by_step(stage.canvas.pk)
    found.by_step = {real.get(step, 0): row | {"sent": sent.get(step, 0)} for step, row in rows.items()}
    paths = counts.reasons(stage.canvas.pk, StepMetric.PATH)
    found.by_path = {(real[step], key): n for (step, key), n in paths.items() if step in real}
    entered = DailyCount.objects.filter(outreach=stage.canvas, step=0, metric=StepMetric.ENTERED)
    found.by_variant = {arms[variant]: n for variant, n in entered.values_list("variant", "count") if variant in arms}
