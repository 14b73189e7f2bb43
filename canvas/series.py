"""What a Canvas achieved day by day, or in all of some days, as the API gives it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Count, Sum
from django.db.models.functions import TruncDate

from canvas.counts import StepMetric
from canvas.models import Canvas, JourneyConversion, Kind, StepRevision
from canvas.names import content_key, step_key
from outreach import revenue
from outreach.models import DailyCount, Revenue
from outreach.series import Span

_COUNTED = {StepMetric.ENTERED: "entries", StepMetric.SENT: "sent", StepMetric.ERRORS: "errors"}
Place = tuple[date, int, int]  # day, variant, step


@dataclass(frozen=True, slots=True)
class Breakdown:
    """Which parts are wanted besides the totals."""

    variants: bool = False
    steps: bool = False
    deleted_steps: bool = False


def series(canvas: Canvas, days: Span, wanted: Breakdown) -> list[dict[str, Any]]:
    """One row a day, oldest first."""
    figures, steps = _figures(canvas, days), _steps(canvas, wanted)
    return [{"time": day.isoformat(), **_stats(canvas, figures, {day}, steps, wanted)} for day in days.days]


def summary(canvas: Canvas, days: Span, wanted: Breakdown) -> dict[str, Any]:
    """The same for all the days together."""
    return _stats(canvas, _figures(canvas, days), set(days.days), _steps(canvas, wanted), wanted)


def _figures(canvas: Canvas, days: Span) -> dict[str, dict[Place, Any]]:
    """Numbers by name and place. Four queries."""
    found: dict[str, dict[Place, Any]] = {name: {} for name in (*_COUNTED.values(), "conversions", "by_entry_time")}
    rows = DailyCount.objects.filter(outreach=canvas, metric__in=_COUNTED, day__gte=days.first, day__lte=days.last)
    for day, variant, step, metric, count in (
        rows.values_list("day", "variant", "step", "metric").annotate(Sum("count")).order_by()
    ):
        found[_COUNTED[StepMetric(metric)]][day, variant, step] = count
    for column, name in (("occurred_at", "conversions"), ("journey__entered_at", "by_entry_time")):
        made = JourneyConversion.objects.filter(canvas=canvas, number=0, **days.during(column))
        on = made.annotate(day=TruncDate(column, tzinfo=days.zone)).values_list("day", "variant", "step")
        found[name] = {(day, variant, step): count for day, variant, step, count in on.annotate(Count("pk")).order_by()}
    bought = Revenue.objects.filter(outreach=canvas, **days.during("occurred_at"))
    dated = bought.annotate(day=TruncDate("occurred_at", tzinfo=days.zone))
    found["revenue"] = revenue.summed(dated, "day", "variant", "step")
    return found


def _steps(canvas: Canvas, wanted: Breakdown) -> dict[int, str]:
    """The names of the steps to tell about: those of the newest version, and on request those that are gone."""
    if not wanted.steps:
        return {}
    rows = StepRevision.objects.filter(version__canvas=canvas, version__number__isnull=False)
    newest = rows.order_by("-version__number").values_list("version__number", flat=True).first()
    rows = rows if wanted.deleted_steps else rows.filter(version__number=newest)
    rows = rows.exclude(step__kind=Kind.EXIT).order_by("version__number", "step_id")
    return dict(rows.values_list("step_id", "name"))


def _stats(
    canvas: Canvas,
    figures: Mapping[str, Mapping[Place, Any]],
    days: Collection[date],
    steps: Mapping[int, str],
    wanted: Breakdown,
) -> dict[str, Any]:
    def total(name: str, variant: int | None = None, step: int | None = None) -> Any:
        return sum(
            count
            for (day, v, s), count in figures[name].items()
            if day in days and variant in (None, v) and step in (None, s)
        )

    def stats(variant: int | None = None, step: int | None = None) -> dict[str, Any]:
        return {
            "revenue": float(total("revenue", variant, step)),
            "conversions": total("conversions", variant, step),
            "conversions_by_entry_time": total("by_entry_time", variant, step),
        }

    found: dict[str, Any] = {"total_stats": {**stats(), "entries": total("entries", step=0)}}
    if wanted.variants:
        found["variant_stats"] = {
            str(v.key): {"name": v.name, **stats(v.pk), "entries": total("entries", v.pk, 0)}
            for v in canvas.variants.all()
        }
    if wanted.steps:
        found["step_stats"] = {
            str(step_key(canvas, step)): {
                "name": name,
                **stats(step=step),
                "messages": {
                    "webhook": [
                        {
                            "variation_api_id": str(content_key(canvas, step, 0)),
                            "sent": total("sent", step=step),
                            "errors": total("errors", step=step),
                        }
                    ]
                },
            }
            for step, name in steps.items()
        }
    return found
