"""The page of the exit criteria: what ends a journey wherever it is."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from canvas import editing
from canvas.admin.pages import Site, canvas_of, edit, goto, page, shown
from canvas.forms.parts import AudienceForm, ExitTimingForm, TriggersForm
from canvas.models import CanvasVersion


def show(site: Site, request: HttpRequest, pk: int) -> HttpResponse:
    canvas = canvas_of(site, request, pk)
    version, _graph = shown(request, canvas)
    data = request.POST if request.method == "POST" else None
    events = TriggersForm({"triggers": version.exit_events}, data, prefix="events")
    audience = AudienceForm(version.exit_audience, data, prefix="audience")
    timing = ExitTimingForm({"exits_at_once": "now" if version.exits_at_once else "later"}, data, prefix="timing")
    forms = (events, audience, timing)
    if data is not None and sum(form.is_valid() for form in forms) == len(forms):
        values: dict[str, Any] = {
            "exit_events": events.settings()["triggers"],
            "exit_audience": audience.settings(),
            "exits_at_once": timing.cleaned_data["exits_at_once"] == "now",
        }

        def work(draft: CanvasVersion, expected: int | None) -> None:
            editing.set_exits(draft, values, expected)

        if edit(site, request, canvas, work):
            messages.success(request, _("The exit criteria were saved."))
        return goto("exits", pk)
    media = events.media + audience.media + timing.media
    context = {"version": version, "events": events, "audience": audience, "timing": timing, "media": media}
    return page(site, request, canvas, "canvas/exits.html", _("Exit criteria"), "exits", **context)
