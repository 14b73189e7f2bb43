"""What an outreach achieved day by day, as the API's series give it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Count, QuerySet, Sum
from django.db.models.functions import TruncDate

from outreach import revenue, zones
from outreach.models import Conversion, DailyCount, Dispatch, Metric, Outreach, Revenue, Variant
from webhooks.models import Message, Outcome, Receipt

SEND_DAYS_KEPT = timedelta(days=14)


@dataclass(slots=True)
class Figures:
    """One variant's day. Conversions by the position of their event: by the day they happened, and that of the send."""

    sent: int = 0
    errors: int = 0
    enrolled: int = 0
    people: int = 0
    conversions: dict[int, int] = field(default_factory=dict)
    by_send_time: dict[int, int] = field(default_factory=dict)
    revenue: Decimal = Decimal(0)


Table = dict[tuple[date, int], Figures]


@dataclass(frozen=True, slots=True)
class Span:
    """Days in the workspace's zone, both ends included."""

    first: date
    last: date
    zone: ZoneInfo

    @property
    def days(self) -> list[date]:
        return [self.first + timedelta(days=n) for n in range((self.last - self.first).days + 1)]

    @property
    def start(self) -> datetime:
        return datetime.combine(self.first, time.min, self.zone)

    @property
    def end(self) -> datetime:
        return datetime.combine(self.last + timedelta(days=1), time.min, self.zone)

    def during(self, column: str) -> dict[str, datetime]:
        return {f"{column}__gte": self.start.astimezone(UTC), f"{column}__lt": self.end.astimezone(UTC)}


def span(length: int, ending_at: datetime) -> Span:
    """So many days, the last of which is that of `ending_at`."""
    zone = zones.company()
    last = ending_at.astimezone(zone).date()
    first = max(date.min.toordinal() + 1, last.toordinal() - length + 1)
    return Span(date.fromordinal(first), last, zone)


def of_outreach(outreach: Outreach, days: Span) -> Table:
    """The figures of each day and variant. Five queries."""
    found: Table = {}
    rows = DailyCount.objects.filter(outreach=outreach, step=0, day__gte=days.first, day__lte=days.last)
    names = {Metric.RECEIVED: "sent", Metric.FAILED: "errors", Metric.ENROLLED: "enrolled"}
    for day, variant, metric, count in (
        rows.filter(metric__in=names).values_list("day", "variant", "metric").annotate(Sum("count"))
    ):
        setattr(_at(found, day, variant), names[Metric(metric)], count)
    _add_people(found, Receipt.objects.filter(sender=outreach.sender_id), days)
    _add_conversions(found, Conversion.objects.filter(outreach=outreach), days)
    _add_money(found, Revenue.objects.filter(outreach=outreach), days)
    return found


def of_send(outreach: Outreach, send_id: str, days: Span, now: datetime) -> Table:
    """The same for one `send_id`, for fourteen days after the send."""
    kept = Dispatch.objects.filter(outreach=outreach, send_id=send_id, created_at__gte=now - SEND_DAYS_KEPT)
    causes = list(kept.values_list("pk", flat=True)) if send_id else []
    found: Table = {}
    sent = Message.objects.filter(sender=outreach.sender_id, cause__in=causes)
    ended, to = sent.filter(**days.during("finished_at")), sent.values("profile")
    names = {Outcome.RECEIVED: "sent", Outcome.FAILED: "errors"}
    on = TruncDate("finished_at", tzinfo=days.zone)
    counted = ended.filter(outcome__in=names).annotate(day=on).values_list("day", "variant", "outcome")
    for day, variant, outcome, count in counted.annotate(Count("pk")).order_by():
        setattr(_at(found, day, variant), names[Outcome(outcome)], count)
    _add_people(found, Receipt.objects.filter(sender=outreach.sender_id, cause__in=causes, profile__in=to), days)
    _add_conversions(found, Conversion.objects.filter(outreach=outreach, cause__in=causes), days)
    _add_money(found, Revenue.objects.filter(outreach=outreach, cause__in=causes), days)
    return found


def _at(table: Table, day: date, variant: int) -> Figures:
    return table.setdefault((day, variant), Figures())


def _add_people(table: Table, receipts: "QuerySet[Receipt]", days: Span) -> None:
    rows = receipts.filter(**days.during("received_at")).annotate(day=TruncDate("received_at", tzinfo=days.zone))
    for day, variant, count in rows.values_list("day", "variant").annotate(Count("profile", distinct=True)).order_by():
        _at(table, day, variant).people = count


def _add_conversions(table: Table, conversions: "QuerySet[Conversion]", days: Span) -> None:
    for column, name in (("converted_at", "conversions"), ("exposed_at", "by_send_time")):
        rows = conversions.filter(**days.during(column)).annotate(day=TruncDate(column, tzinfo=days.zone))
        counted = rows.values_list("day", "variant", "event__position").annotate(Count("pk")).order_by()
        for day, variant, position, count in counted:
            getattr(_at(table, day, variant), name)[position] = count


def _add_money(table: Table, bought: "QuerySet[Revenue]", days: Span) -> None:
    rows = bought.filter(**days.during("occurred_at")).annotate(day=TruncDate("occurred_at", tzinfo=days.zone))
    for (day, variant), amount in revenue.summed(rows, "day", "variant").items():
        _at(table, day, variant).revenue = amount


# --- as rows


def rows(outreach: Outreach, table: Table, days: Span) -> list[dict[str, Any]]:
    """One row a day, oldest first; days without anything hold zeros."""
    variants = [v for v in outreach.variants.all() if not v.is_removed or any(key[1] == v.pk for key in table)]
    events = outreach.conversion_events.count()
    return [_row(day, variants, table, events) for day in days.days]


def _row(day: date, variants: Sequence[Variant], table: Table, events: int) -> dict[str, Any]:
    figures = {variant.pk: table.get((day, variant.pk), Figures()) for variant in variants}
    reached = [figures[v.pk] for v in variants if not v.is_control]
    several = len(variants) > 1
    return {
        "time": day.isoformat(),
        **_totals(reached, events),
        "messages": {"webhook": [_variation(v, figures[v.pk], several, events) for v in variants]},
    }


def _variation(variant: Variant, figures: Figures, several: bool, events: int) -> dict[str, Any]:
    counted = {"enrolled": figures.enrolled} if variant.is_control else {"sent": figures.sent}
    row = {"variation_api_id": str(variant.key), "variation_name": variant.name, **counted, "errors": figures.errors}
    return {**row, **_totals([figures], events)} if several else row


def _totals(figures: Sequence[Figures], events: int) -> dict[str, Any]:
    found: dict[str, Any] = {"unique_recipients": sum(each.people for each in figures)}
    for position in range(max(1, events)):
        name = f"conversions{position or ''}"
        found[name] = sum(each.conversions.get(position, 0) for each in figures)
        found[f"{name}_by_send_time"] = sum(each.by_send_time.get(position, 0) for each in figures)
    return found | {"revenue": float(sum((each.revenue for each in figures), Decimal(0)))}
