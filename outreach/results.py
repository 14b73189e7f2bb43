"""What an outreach achieved, by arm."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Count, Q, Sum

from outreach import revenue, statistics
from outreach.models import ControlEntry, Conversion, ConversionEvent, DailyCount, Metric, Outreach, Variant
from outreach.statistics import Figures
from webhooks.models import Receipt

DEFAULT_WINDOW = 3 * 86_400


Source = Callable[[Outreach, Sequence[Variant], datetime | None], list[Figures] | None]
sources: list[Source] = []
"""Higher apps that count people and conversions in a way of their own; None where the outreach is not theirs."""


def figures_of(outreach: Outreach, variants: Sequence[Variant], ripe_by: datetime | None = None) -> list[Figures]:
    """People reached and of those who did the primary conversion event, by arm.

    With `ripe_by`, only receipts that have had at least a quarter of the window by then.
    """
    for source in sources:
        if (found := source(outreach, variants, ripe_by)) is not None:
            return found
    primary = outreach.conversion_events.first()
    window = primary.window_seconds if primary else DEFAULT_WINDOW
    until = ripe_by - timedelta(seconds=window / 4) if ripe_by else None
    reached = reached_by_variant(outreach, until)
    converted = converted_by_variant(primary, until) if primary else {}
    return [_figures(variant, reached, converted) for variant in variants]


def _figures(variant: Variant, reached: dict[int, int], converted: dict[int, int]) -> Figures:
    count = reached.get(variant.pk, 0)
    return Figures(count, min(count, converted.get(variant.pk, 0)))


def reached_by_variant(
    outreach: Outreach, until: datetime | None = None, since: datetime | None = None
) -> dict[int, int]:
    """Unique recipients of each arm; for the control group those who would have received."""
    received = Receipt.objects.filter(sender=outreach.sender_id, received_at__isnull=False)
    entered = ControlEntry.objects.filter(outreach=outreach)
    if until:
        received, entered = received.filter(received_at__lte=until), entered.filter(entered_at__lte=until)
    if since:
        received, entered = received.filter(received_at__gte=since), entered.filter(entered_at__gte=since)
    people = Count("profile", distinct=True)
    return dict(received.values_list("variant").annotate(people)) | dict(
        entered.values_list("variant").annotate(people)
    )


def converted_by_variant(
    event: ConversionEvent, until: datetime | None = None, since: datetime | None = None
) -> dict[int, int]:
    """Unique people of each arm who did it after what they received until then."""
    rows = Conversion.objects.filter(event=event)
    if until:
        rows = rows.filter(exposed_at__lte=until)
    if since:
        rows = rows.filter(exposed_at__gte=since)
    return dict(rows.values_list("variant").annotate(Count("profile", distinct=True)))


@dataclass(frozen=True, slots=True)
class EventLine:
    """How one arm did for one conversion event, compared with control if there is one."""

    label: str
    conversions: int
    figures: Figures
    low: float
    high: float
    uplift: float | None = None
    difference: tuple[float, float] | None = None
    confidence: float | None = None
    is_too_few: bool = False

    @property
    def percent(self) -> float:
        return 100 * self.figures.rate

    @property
    def low_percent(self) -> float:
        return 100 * self.low

    @property
    def high_percent(self) -> float:
        return 100 * self.high

    @property
    def uplift_percent(self) -> float | None:
        return None if self.uplift is None else 100 * self.uplift

    @property
    def confidence_percent(self) -> float | None:
        return None if self.confidence is None else 100 * self.confidence

    @property
    def difference_low(self) -> float | None:
        return 100 * self.difference[0] if self.difference else None

    @property
    def difference_high(self) -> float | None:
        return 100 * self.difference[1] if self.difference else None

    @property
    def is_significant(self) -> bool:
        return self.confidence is not None and self.confidence >= 0.95 and not self.is_too_few


@dataclass(frozen=True, slots=True)
class Line:
    """One arm's row of the results; `revenue` in the workspace's currency."""

    variant: Variant
    recipients: int
    counts: dict[str, int]
    events: list[EventLine]
    revenue: Decimal


def table(outreach: Outreach, since: datetime | None = None, until: datetime | None = None) -> list[Line]:
    """Every arm, removed ones too if they have figures, with its counts and conversions."""
    variants = list(outreach.variants.all())
    counts = _counts_by_variant(outreach, since, until)
    reached = reached_by_variant(outreach, until, since)
    events = list(outreach.conversion_events.all())
    converted = {event.pk: converted_by_variant(event, until, since) for event in events}
    totals = {event.pk: _conversions(event, since, until) for event in events}
    money = revenue.total(outreach, ("variant",), since, until)
    control = next((variant for variant in variants if variant.is_control and not variant.is_removed), None)
    lines = []
    for variant in variants:
        if variant.is_removed and not (counts.get(variant.pk) or reached.get(variant.pk)):
            continue
        found = [
            event_line(
                event,
                totals[event.pk].get(variant.pk, 0),
                _figures(variant, reached, converted[event.pk]),
                _figures(control, reached, converted[event.pk]) if control and control != variant else None,
            )
            for event in events
        ]
        spent = money.get(variant.pk, Decimal(0))
        lines.append(Line(variant, reached.get(variant.pk, 0), counts.get(variant.pk, {}), found, spent))
    return lines


def event_line(event: ConversionEvent, conversions: int, own: Figures, control: Figures | None) -> EventLine:
    low, high = statistics.wilson(own)
    if control is None:
        return EventLine(str(event), conversions, own, low, high, is_too_few=own.reached < statistics.FEW)
    return EventLine(
        str(event),
        conversions,
        own,
        low,
        high,
        statistics.uplift(own, control),
        statistics.difference(own, control),
        statistics.confidence(own, control),
        is_too_few=min(own.reached, control.reached) < statistics.FEW,
    )


def _conversions(event: ConversionEvent, since: datetime | None, until: datetime | None) -> dict[int, int]:
    rows = Conversion.objects.filter(event=event)
    rows = rows.filter(exposed_at__gte=since) if since else rows
    rows = rows.filter(exposed_at__lte=until) if until else rows
    return dict(rows.values_list("variant").annotate(Count("pk")))


def _days(since: datetime | None, until: datetime | None) -> Q:
    return Q(**({"day__gte": since.date()} if since else {}), **({"day__lte": until.date()} if until else {}))


def _counts_by_variant(outreach: Outreach, since: datetime | None, until: datetime | None) -> dict[int, dict[str, int]]:
    rows = DailyCount.objects.filter(_days(since, until), outreach=outreach, step=0)
    found: dict[int, dict[str, int]] = {}
    for variant, metric, count in rows.values_list("variant", "metric").annotate(Sum("count")):
        found.setdefault(variant, {})[metric] = count
    return found


REASONED = (Metric.SKIPPED, Metric.ABORTED, Metric.FAILED, Metric.CANCELLED, Metric.TURNED_AWAY)


def reasons(outreach: Outreach, since: datetime | None = None, until: datetime | None = None) -> list[dict[str, Any]]:
    """Why messages were not sent or not made: metric, reason and count, most frequent first."""
    rows = DailyCount.objects.filter(_days(since, until), outreach=outreach, step=0, metric__in=REASONED)
    found = rows.values("metric", "reason").annotate(number=Sum("count")).order_by("-number", "reason")
    return list(found)  # type: ignore[arg-type]


def by_day(outreach: Outreach, first: date, last: date) -> list[dict[str, Any]]:
    """Received, failed and converted on each day from first to last; days without anything are zeros."""
    wanted = (Metric.RECEIVED, Metric.FAILED, Metric.CONVERTED)
    rows = DailyCount.objects.filter(outreach=outreach, step=0, day__gte=first, day__lte=last, metric__in=wanted)
    sums: dict[tuple[date, str], int] = {}
    for day, metric, count in rows.values_list("day", "metric").annotate(Sum("count")):
        sums[day, metric] = count
    length = (last - first).days + 1
    return [
        {"day": day, **{str(metric): sums.get((day, metric), 0) for metric in wanted}}
        for day in (first + timedelta(days=n) for n in range(length))
    ]
