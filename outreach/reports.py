"""Compares outreach: by name, tag, team and period, as rows for a page or a CSV file."""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Q, QuerySet, Sum
from django.db.models.functions import TruncDate
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audience import spreadsheet
from outreach import capping, revenue, statistics, zones
from outreach.models import DailyCount, Outreach, Revenue, Variant
from outreach.series import Span
from outreach.statistics import Figures
from workspace.models import Tag

METRICS: dict[str, Any] = {
    "planned": gettext_lazy("planned"),
    "received": gettext_lazy("received"),
    "failed": gettext_lazy("failed"),
    "aborted": gettext_lazy("aborted"),
    "skipped": gettext_lazy("skipped"),
    "cancelled": gettext_lazy("cancelled"),
    "turned_away": gettext_lazy("not considered"),
    "errors": gettext_lazy("errors"),
    "converted": gettext_lazy("converted"),
}
BREAKDOWNS = (("", gettext_lazy("none")), ("day", gettext_lazy("day")), ("variant", gettext_lazy("variant")))


@dataclass(frozen=True, slots=True)
class Row:
    """One line: what it is about, its counts in the order of `METRICS`, the money, received and converted as rates."""

    outreach_id: int
    name: str
    part: str
    counts: dict[str, int]
    revenue: Decimal

    @property
    def received_rate(self) -> float | None:
        return 100 * self.counts["received"] / self.counts["planned"] if self.counts["planned"] else None

    @property
    def converted_rate(self) -> float | None:
        return 100 * self.counts["converted"] / self.counts["received"] if self.counts["received"] else None

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the conversion rate, in per cent."""
        reached = self.counts["received"]
        low, high = statistics.wilson(Figures(reached, min(reached, self.counts["converted"])))
        return 100 * low, 100 * high


def chosen(
    outreach: "QuerySet[Outreach]", tags: Iterable[Tag] = (), teams: Iterable[Any] = (), only: Iterable[int] = ()
) -> "QuerySet[Outreach]":
    """The outreach with one of the tags (or one below them), of one of the teams, or named itself."""
    if ids := list(only):
        return outreach.filter(pk__in=ids)
    if tags := list(tags):
        family = set().union(*capping.families_of(tags).values())
        outreach = outreach.filter(tags__in=family)
    if teams := list(teams):
        outreach = outreach.filter(teams__in=teams)
    return outreach.distinct()


def rows(outreach: "QuerySet[Outreach]", first: date, last: date, breakdown: str = "") -> list[Row]:
    """The counts of each outreach in the period, broken down if asked. Three queries."""
    names = dict(outreach.values_list("pk", "name"))
    found = DailyCount.objects.filter(Q(step=0), outreach__in=names, day__gte=first, day__lte=last, metric__in=METRICS)
    key = breakdown or "outreach"
    sums: dict[tuple[int, Any], dict[str, int]] = {}
    values = found.values_list("outreach_id", key, "metric").annotate(Sum("count")).order_by()
    for outreach_id, part, metric, count in values:
        sums.setdefault((outreach_id, part), dict.fromkeys(METRICS, 0))[metric] = count
    money = _money(names, Span(first, last, zones.company()), key)
    for place in money.keys() - sums.keys():
        sums[place] = dict.fromkeys(METRICS, 0)
    labels = _labels(breakdown, {part for _id, part in sums})
    if not breakdown:
        for missing in names.keys() - {outreach_id for outreach_id, _part in sums}:
            sums[missing, missing] = dict.fromkeys(METRICS, 0)
    made = [
        Row(pk, names[pk], labels.get(part, ""), counts, money.get((pk, part), Decimal(0)))
        for (pk, part), counts in sums.items()
    ]
    return sorted(made, key=lambda row: (row.name, row.outreach_id, row.part))


def _money(outreach: Iterable[int], days: Span, key: str) -> dict[tuple[int, Any], Decimal]:
    found = Revenue.objects.filter(outreach__in=outreach, **days.during("occurred_at"))
    dated = found.annotate(day=TruncDate("occurred_at", tzinfo=days.zone))
    return revenue.summed(dated, "outreach_id", "outreach_id" if key == "outreach" else key)


def _labels(breakdown: str, parts: Iterable[Any]) -> dict[Any, str]:
    if breakdown == "day":
        return {day: day.isoformat() for day in parts}
    if breakdown == "variant":
        names = dict(Variant.objects.filter(pk__in=list(parts)).values_list("pk", "name"))
        return {part: names.get(part, "–" if part else _("all variants")) for part in parts}
    return {}


def as_csv(found: Sequence[Row]) -> str:
    """The rows as a CSV file, in cells that no spreadsheet computes."""
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow([_("name"), _("part"), *METRICS, "converted_percent", "low_percent", "high_percent", "revenue"])
    for row in found:
        rate = "" if row.converted_rate is None else f"{row.converted_rate:.2f}"
        numbers = [row.counts[metric] for metric in METRICS]
        percents = [rate, *(f"{bound:.2f}" for bound in row.interval)]
        names = [spreadsheet.cell(row.name), spreadsheet.cell(row.part)]
        writer.writerow([*names, *numbers, *percents, f"{row.revenue:.2f}"])
    return "\ufeff" + file.getvalue()
