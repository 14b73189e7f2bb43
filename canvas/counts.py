"""What is counted of steps, paths and journeys, beside the messages that `outreach.counters` counts.

At every moment, for each step: entered = proceeded + completed + exited + waiting + failed. The same holds for the
Canvas as step 0, without "proceeded".
"""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime

from django.db.models import Sum, TextChoices
from django.utils.translation import gettext_lazy as _

from canvas.travel import Count
from outreach import counters
from outreach.counters import Key
from outreach.models import DailyCount


class StepMetric(TextChoices):
    ENTERED = "entered", _("entered")
    PROCEEDED = "proceeded", _("went on")
    COMPLETED = "completed", _("completed")
    EXITED = "exited", _("exited")
    FAILED = "stuck", _("failed")
    PATH = "path", _("took the path")
    SENT = "sent", _("received")
    NOT_SENT = "not_sent", _("not sent")
    ERRORS = "send_errors", _("errors")
    UPDATED = "updated", _("updated")
    NOT_UPDATED = "not_updated", _("not updated")
    NO_DELAY = "no_delay", _("delay unreadable")
    REFUSED = "refused", _("not let in")


NOTHING: Mapping[str, int] = dict.fromkeys([*StepMetric.values, "waiting", "gone_on"], 0)


def add(canvas_id: int, counts: Mapping[Count, int], now: datetime, extra: Mapping[Key, int] | None = None) -> None:
    """Add to the day's totals in one statement. Call it last in a transaction."""
    day = counters.today(now)
    rows: Counter[Key] = Counter()
    for count, number in counts.items():
        rows[Key(canvas_id, day, count.variant, count.step, count.metric, count.reason)] += number
    rows.update(extra or {})
    counters.add(rows)


def by_step(canvas_id: int) -> dict[int, dict[str, int]]:
    """Totals of each step (0: the Canvas), with `waiting` as what is left of entered, and `gone_on` as those who went
    on or completed. One query.
    """
    rows = DailyCount.objects.filter(outreach_id=canvas_id, metric__in=StepMetric.values)
    found: dict[int, dict[str, int]] = {}
    for step, metric, number in rows.values_list("step", "metric").annotate(Sum("count")):
        found.setdefault(step, dict.fromkeys(StepMetric.values, 0))[metric] = number
    for figures in found.values():
        ended = (StepMetric.PROCEEDED, StepMetric.COMPLETED, StepMetric.EXITED, StepMetric.FAILED)
        figures["gone_on"] = figures[StepMetric.PROCEEDED] + figures[StepMetric.COMPLETED]
        figures["waiting"] = figures[StepMetric.ENTERED] - sum(figures[metric] for metric in ended)
    return found


def reasons(canvas_id: int, metric: str) -> dict[tuple[int, str], int]:
    """Totals by step and reason of one metric: exits by reason, paths by key."""
    rows = DailyCount.objects.filter(outreach_id=canvas_id, metric=metric).values_list("step", "reason")
    return {(step, reason): number for step, reason, number in rows.annotate(Sum("count"))}
