"""Pause, resume, stop, archive or tag many outreach at once. One that can't be moved holds up none of the others."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from django.db.models import Sum
from django.utils.translation import gettext_lazy as _

from outreach import counters, lifecycle
from outreach.errors import OutreachError
from outreach.models import DailyCount, Metric, Outreach

Row = TypeVar("Row", bound=Outreach)
Move = Callable[[Any, datetime], None]


@dataclass(frozen=True)
class Words:
    """A move as a button and as what it does. `is_final`: it can't be taken back."""

    label: Any
    text: Any
    is_final: bool = False


WORDS = {
    "pause": Words(_("Pause"), _("Nothing is sent until they are resumed. What waits keeps its place.")),
    "resume": Words(_("Resume"), _("What waits is sent. Nobody is sent to twice.")),
    "stop": Words(_("Stop"), _("What waits is cancelled for good. Requests already under way finish."), is_final=True),
    "archive": Words(_("Archive"), _("What waits is cancelled for good. The results stay readable."), is_final=True),
}


def fitting(rows: Iterable[Row], move: str) -> tuple[list[Row], list[Row]]:
    """Those that can be moved so, and the others."""
    moves = lifecycle.MOVES[move]
    found = list(rows)
    return [row for row in found if row.status in moves], [row for row in found if row.status not in moves]


def waiting(rows: Iterable[Outreach]) -> int:
    """How many messages of theirs wait. One query."""
    counts = DailyCount.objects.filter(outreach__in=[row.pk for row in rows], metric__in=Metric.values)
    sums = dict(counts.values_list("metric").annotate(Sum("count")).order_by())
    return max(0, counters.pending(dict.fromkeys(Metric.values, 0) | sums))


def carry_out(rows: Iterable[Row], move: Move, now: datetime) -> tuple[list[Row], list[str]]:
    """Those that were moved, and a sentence for each that was not."""
    done, faults = [], []
    for row in rows:
        try:
            move(row, now)
        except OutreachError as error:
            faults.append(str(error))
        else:
            done.append(row)
    return done, faults
