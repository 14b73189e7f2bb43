"""Intelligent selection between the variants of a Canvas: campaigns' own (`outreach.experiments`), over journeys."""

from collections.abc import Sequence
from datetime import datetime

from django.db.models import Count

from canvas import conversions
from canvas.models import Canvas, Journey, JourneyConversion
from outreach.models import Outreach, Variant
from outreach.statistics import Figures

RIPE = 4  # an entry counts once a quarter of the window of the primary conversion is over


def figures(outreach: Outreach, variants: Sequence[Variant], ripe_by: datetime | None) -> list[Figures] | None:
    """Profiles that entered, and of those who converted, by arm; None where it is no Canvas (`results.sources`)."""
    canvas = Canvas.objects.filter(pk=outreach.pk).first()
    if canvas is None:
        return None
    window = conversions.window(canvas.conversions[0]) if canvas.conversions else conversions.DEFAULT_WINDOW
    until = ripe_by - window / RIPE if ripe_by else None
    entered = Journey.objects.filter(canvas=canvas)
    converted = JourneyConversion.objects.filter(canvas=canvas, number=0)
    if until:
        entered = entered.filter(entered_at__lte=until)
        converted = converted.filter(journey__entered_at__lte=until)
    reached = dict(entered.values_list("variant_id").annotate(Count("profile", distinct=True)))
    done = dict(converted.values_list("variant").annotate(Count("journey__profile", distinct=True)))
    return [Figures(n := reached.get(v.pk, 0), min(n, done.get(v.pk, 0))) for v in variants]
