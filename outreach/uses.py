"""Which campaigns and Canvases use a segment (registered with `audience.uses`)."""

from collections.abc import Iterable

from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _

from audience.models import Segment
from audience.uses import Use, names_segment
from outreach.models import Outreach, Status


def of_segment(segment: Segment) -> Iterable[Use]:
    """Outreach that is not archived and names the segment, directly or in its filters."""
    alive = Outreach.objects.exclude(status=Status.ARCHIVED)
    chosen = {row.pk: row for row in alive.filter(segments=segment)}
    for row in alive.exclude(filters={}).only("name", "filters"):
        if names_segment(row.filters, segment):
            chosen[row.pk] = row
    return [_use(row) for _pk, row in sorted(chosen.items())]


def _use(row: Outreach) -> Use:
    for kind, child in ((_("campaign"), "campaign"), (_("Canvas"), "canvas")):
        if hasattr(row, child):
            return Use(kind, row.name, _page(child, row.pk))
    return Use(_("outreach"), row.name, "")


def _page(child: str, pk: int) -> str:
    app = {"campaign": "campaigns"}.get(child, child)
    try:
        return reverse(f"admin:{app}_{child}_change", args=[pk])
    except NoReverseMatch:
        return ""
