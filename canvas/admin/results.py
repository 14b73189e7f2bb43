"""The page of the results, and the same as CSV."""

import csv
from collections.abc import Iterator, Sequence
from datetime import date
from io import StringIO
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.text import get_valid_filename
from django.utils.translation import gettext_lazy as _

from audience import spreadsheet
from canvas import counts, results, stories, watchdog
from canvas import graph as graphs
from canvas.admin.pages import Site, canvas_of, page
from canvas.counts import StepMetric
from canvas.models import Canvas
from canvas.publishing import shown
from canvas.states import Reason
from outreach import counters
from outreach.models import Status

REFUSALS = {
    "not_in_audience": _("not in the audience"),
    "already_entered": _("were in it before"),
    "re_entry_window": _("may not enter again yet"),
    "capped": _("the limit was reached"),
    "duplicate_second": _("twice in the same second"),
    "user_missing": _("no such profile"),
    "outside_window": _("outside the time of entry"),
    "stopped": _("the Canvas was not active"),
    "concurrent_limit": _("too many journeys at once"),
    "control_removed": _("in a control group that is gone"),
}


def show(site: Site, request: HttpRequest, pk: int) -> HttpResponse:
    """Everything at once; `?as=csv` for the table of steps."""
    canvas = canvas_of(site, request, pk)
    rows = _steps(canvas)
    if request.GET.get("as") == "csv":
        return _csv(canvas, rows)
    days = results.by_day(canvas, counters.today(timezone.now()))
    context = {
        "totals": counts.by_step(pk).get(0, counts.NOTHING),
        "arms": results.arms(canvas),
        "goals": canvas.conversions,
        "currency": settings.CURRENCY,
        "rows": rows,
        "exits": _exits(canvas),
        "refusals": _refusals(canvas),
        "days": days,
        "chart": _chart(days),
        "late": watchdog.overdue(timezone.now()).get(pk, 0) if canvas.status == Status.ACTIVE else 0,
    }
    return page(site, request, canvas, "canvas/results.html", str(_("Results")), "results", **context)


def _steps(canvas: Canvas) -> list[results.StepRow]:
    graph = graphs.load(shown(canvas))
    return results.steps(canvas, graph, stories.step_names(canvas))


def _exits(canvas: Canvas) -> list[tuple[str, int]]:
    words = dict(Reason.choices)
    found = counts.reasons(canvas.pk, StepMetric.EXITED)
    rows = [(str(words.get(reason, reason)), n) for (step, reason), n in found.items() if step == 0]
    return sorted(rows, key=lambda row: -row[1])


def _refusals(canvas: Canvas) -> list[tuple[str, int]]:
    found = counts.reasons(canvas.pk, StepMetric.REFUSED)
    return sorted(
        ((str(REFUSALS.get(reason, reason)), n) for (_step, reason), n in found.items()), key=lambda row: -row[1]
    )


WIDTH, HEIGHT = 720, 160


def _chart(days: Sequence[tuple[date, dict[str, int]]]) -> dict[str, Any]:
    """The lines of the chart in pixels; empty where there is nothing to draw."""
    top = max((n for _day, row in days for n in row.values()), default=0)
    if not top:
        return {}
    step = WIDTH / max(1, len(days) - 1)
    names = dict(StepMetric.choices)

    def points(metric: str) -> str:
        return " ".join(f"{n * step:.1f},{HEIGHT - HEIGHT * row[metric] / top:.1f}" for n, (_d, row) in enumerate(days))

    lines = [(metric, names[metric], points(metric)) for metric in days[0][1]]
    return {"lines": lines, "top": top, "width": WIDTH, "height": HEIGHT, "first": days[0][0], "last": days[-1][0]}


def _csv(canvas: Canvas, rows: Sequence[results.StepRow]) -> HttpResponse:
    answer = HttpResponse("".join(_lines(rows)), content_type="text/csv; charset=utf-8")
    name = get_valid_filename(canvas.name)
    answer["Content-Disposition"] = content_disposition_header(True, f"{name}.csv") or "attachment"
    return answer


def _lines(rows: Sequence[results.StepRow]) -> Iterator[str]:
    columns = ("entered", "waiting", "proceeded", "completed", "exited", "stuck", "sent", "not_sent", "send_errors")
    yield _line(["step", "name", "kind", *columns, "conversions", "revenue"])
    for row in rows:
        numbers = [*(row.numbers[c] for c in columns), row.converted, f"{row.revenue:.2f}"]
        yield _line([row.step, spreadsheet.cell(row.name), row.kind, *numbers])


def _line(cells: Sequence[Any]) -> str:
    buffer = StringIO()
    csv.writer(buffer).writerow(cells)
    return buffer.getvalue()
