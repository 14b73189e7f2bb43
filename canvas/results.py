"""What a Canvas has brought: per variant, per step, as a funnel, by day. Read from totals, never from journeys."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from django.db.models import Sum

from canvas import conversions, counts
from canvas.counts import StepMetric
from canvas.graph import Graph
from canvas.models import Canvas
from outreach import revenue
from outreach.models import DailyCount, Variant

DAYS_SHOWN = 30
LEAST_FOR_A_VERDICT = 100  # journeys in each arm, below which a difference says nothing
SERIES = (StepMetric.ENTERED, StepMetric.COMPLETED, StepMetric.EXITED)


@dataclass(frozen=True, slots=True)
class Rate:
    """A share of `of`, and how it compares: `uplift` over the control group, `confidence` that they differ (0 to 1)."""

    count: int
    of: int
    uplift: float | None = None
    confidence: float | None = None

    @property
    def percent(self) -> float | None:
        return 100 * self.count / self.of if self.of else None

    @property
    def margin(self) -> float | None:
        """Half the width of the 95 % interval around the rate (Wilson), in per cent."""
        if not self.of:
            return None
        z, n, p = 1.96, self.of, self.count / self.of
        return 100 * z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)


def compared(mine: tuple[int, int], control: tuple[int, int] | None) -> Rate:
    """A rate beside that of the control group; each is (conversions, journeys). Pure."""
    count, of = mine
    if control is None or not of or not control[1] or not control[0]:
        return Rate(count, of)
    ours, theirs = count / of, control[0] / control[1]
    return Rate(count, of, ours / theirs - 1, confidence(mine, control))


def confidence(one: tuple[int, int], other: tuple[int, int]) -> float | None:
    """How sure it is that two rates differ: a two-sided z-test of proportions; None for too few journeys. Pure."""
    if min(one[1], other[1]) < LEAST_FOR_A_VERDICT:
        return None
    pooled = (one[0] + other[0]) / (one[1] + other[1])
    spread = math.sqrt(pooled * (1 - pooled) * (1 / one[1] + 1 / other[1]))
    if not spread:
        return None
    return 1 - math.erfc(abs(one[0] / one[1] - other[0] / other[1]) / spread / math.sqrt(2))


@dataclass(frozen=True, slots=True)
class Arm:
    """A variant's numbers; `rates` in the order of the conversion events, `revenue` in the workspace's currency."""

    variant: Variant
    entered: int
    completed: int
    exited: int
    received: int
    rates: Sequence[Rate]
    revenue: Decimal


def arms(canvas: Canvas) -> list[Arm]:
    """One row for each variant, those removed included where they have numbers. Four queries."""
    figures = _by_variant(canvas.pk)
    money = revenue.total(canvas, ("variant",))
    converted = conversions.by_variant(canvas.pk)
    variants = [v for v in canvas.variants.all() if not v.is_removed or figures.get(v.pk)]
    control = next((v.pk for v in variants if v.is_control), None)
    entered = {v.pk: figures.get(v.pk, {}).get(StepMetric.ENTERED, 0) for v in variants}
    rows = []
    for variant in variants:
        rates = []
        for number in range(len(canvas.conversions)):
            mine = converted.get((variant.pk, number), 0), entered[variant.pk]
            other = (converted.get((control, number), 0), entered[control]) if control else None
            rates.append(compared(mine, None if variant.pk == control else other))
        own = figures.get(variant.pk, {})
        rows.append(
            Arm(
                variant,
                entered[variant.pk],
                own.get(StepMetric.COMPLETED, 0),
                own.get(StepMetric.EXITED, 0),
                own.get(StepMetric.SENT, 0),
                rates,
                money.get(variant.pk, Decimal(0)),
            )
        )
    return rows


def _by_variant(canvas_id: int) -> dict[int, dict[str, int]]:
    """Totals of the Canvas by variant, and what its steps' messages brought."""
    rows = DailyCount.objects.filter(outreach=canvas_id, metric__in=StepMetric.values)
    found: dict[int, dict[str, int]] = {}
    for variant, step, metric, number in rows.values_list("variant", "step", "metric").annotate(Sum("count")):
        own = found.setdefault(variant, {})
        if not step or metric == StepMetric.SENT:
            own[metric] = own.get(metric, 0) + number
    return found


@dataclass(frozen=True, slots=True)
class StepRow:
    """A step's numbers. `of_all` is the share of all who entered the Canvas that came here, in per cent."""

    step: int
    name: str
    kind: str
    numbers: Mapping[str, int]
    converted: int
    revenue: Decimal
    of_all: float
    is_gone: bool = False


def steps(canvas: Canvas, graph: Graph, names: Mapping[int, str]) -> list[StepRow]:
    """In the order of the graph, then those that are no longer in it. `names` are the last names of the latter."""
    totals = counts.by_step(canvas.pk)
    converted = conversions.by_step(canvas.pk)
    money = revenue.total(canvas, ("step",))
    everybody = totals.get(0, counts.NOTHING)[StepMetric.ENTERED]
    gone = [step for step in totals if step and step not in graph.nodes]
    rows = []
    for step in [*graph.order, *gone]:
        node = graph.nodes.get(step)
        numbers = totals.get(step, counts.NOTHING)
        share = 100 * numbers[StepMetric.ENTERED] / everybody if everybody else 0.0
        name, kind = (node.name, str(node.kind.label)) if node else (names.get(step, str(step)), "")
        spent = money.get(step, Decimal(0))
        rows.append(StepRow(step, name, kind, numbers, converted.get(step, 0), spent, share, node is None))
    return rows


def by_day(canvas: Canvas, today: date, days: int = DAYS_SHOWN) -> list[tuple[date, dict[str, int]]]:
    """Entered, completed, left and received by day, the last `days` days. One query."""
    first = today - timedelta(days=days - 1)
    rows = DailyCount.objects.filter(outreach=canvas, day__gte=first, metric__in=[*SERIES, StepMetric.SENT])
    found: dict[date, dict[str, int]] = {}
    for day, step, metric, number in rows.values_list("day", "step", "metric").annotate(Sum("count")):
        if (step == 0) != (metric == StepMetric.SENT):
            own = found.setdefault(day, {})
            own[metric] = own.get(metric, 0) + number
    every = [first + timedelta(days=n) for n in range(days)]
    return [(day, {m: found.get(day, {}).get(m, 0) for m in (*SERIES, StepMetric.SENT)}) for day in every]
