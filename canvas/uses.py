"""Which Canvases use a segment in their steps or exit criteria (registered with `audience.uses`)."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _

from audience.models import Segment
from audience.uses import Use, names_segment, use_of
from canvas import live
from canvas.models import Canvas, CanvasVersion, StepRevision
from outreach.models import Status


def of_segment(segment: Segment) -> Iterable[Use]:
    """Canvases that are not archived whose draft or version in force asks for the segment. Three queries."""
    canvases = {canvas.pk: canvas for canvas in Canvas.objects.exclude(status=Status.ARCHIVED)}
    newest = [version.pk for version in live.versions(canvases).values()]
    current = CanvasVersion.objects.filter(Q(pk__in=newest) | Q(number=None), canvas__in=canvases)
    found: dict[int, Use] = {}
    for version in current:
        if _names(version.exit_audience, segment):
            found[version.canvas_id] = use_of(canvases[version.canvas_id], "admin:canvas_canvas_exits")
    rows = StepRevision.objects.filter(version__in=current).values_list("version__canvas_id", "name", "settings")
    for canvas, name, settings in rows:
        if canvas not in found and any(_names(audience, segment) for audience in _audiences(settings)):
            use = use_of(canvases[canvas], "admin:canvas_canvas_flow")
            found[canvas] = Use(use.kind, _("%(canvas)s › %(step)s") % {"canvas": use.name, "step": name}, use.url)
    return [found[key] for key in sorted(found)]


def _audiences(settings: Mapping[str, Any]) -> Iterator[Any]:
    yield settings.get("audience")
    groups = settings.get("groups")
    for group in groups.values() if isinstance(groups, Mapping) else ():
        yield group.get("audience") if isinstance(group, Mapping) else None


def _names(audience: Any, segment: Segment) -> bool:
    if not isinstance(audience, Mapping):
        return False
    return segment.pk in (audience.get("segments") or ()) or names_segment(audience.get("filters") or {}, segment)
