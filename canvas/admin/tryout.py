"""The page on which a Canvas is tried out: one profile's way, or where the audience would go. Nothing is kept."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from canvas.admin import drawing
from canvas.admin.drawing import Figures
from canvas.admin.pages import Site, canvas_of, page, shown
from canvas.errors import EditError
from canvas.forms.tryout import TryForm
from canvas.graph import Graph
from canvas.models import Canvas, CanvasVersion
from canvas.rehearsal.audience import Forecast, forecast
from canvas.rehearsal.one import rehearse


def show(site: Site, request: HttpRequest, pk: int) -> HttpResponse:
    """The form; POST runs it. Whoever may see the Canvas and people may, as nothing is changed."""
    canvas = canvas_of(site, request, pk)
    version, graph = shown(request, canvas)
    asked = request.POST.get("do", "") if request.method == "POST" else ""
    if asked and not request.user.has_perm("audience.view_profile"):
        raise PermissionDenied
    form = TryForm(canvas, graph, request.POST if asked == "run" else None)
    context: dict[str, Any] = {"version": version, "form": form}
    try:
        if asked == "run" and form.is_valid():
            context["way"] = rehearse(version, form.wanted())
        elif asked == "forecast":
            context |= _forecast(canvas, version, graph)
    except EditError as error:
        context["problem"] = str(error)
    media = form.media
    return page(site, request, canvas, "canvas/try.html", _("Try it"), "try", media=media, **context)


def _forecast(canvas: Canvas, version: CanvasVersion, graph: Graph) -> dict[str, Any]:
    found = forecast(version, timezone.now())
    variants = list(canvas.variants.filter(is_removed=False))
    figures = _scaled(found)
    return {
        "forecast": found,
        "drawing": drawing.draw(graph, variants, figures),
        "refused": sorted(found.refused.items()),
        "rows": [(graph.nodes[step], figures.by_step.get(step, {})) for step in graph.order],
    }


def _scaled(found: Forecast) -> Figures:
    """The sample's numbers, as those of the whole audience."""

    def whole(number: int) -> int:
        return round(number * found.factor)

    return Figures(
        {step: {key: whole(n) for key, n in row.items()} for step, row in found.by_step.items()},
        {key: whole(n) for key, n in found.by_path.items()},
        {key: whole(n) for key, n in found.by_variant.items()},
        {step: [text] for step, text in found.skipped.items()},
        is_live=True,
    )
