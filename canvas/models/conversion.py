"""That a journey reached what its Canvas is for."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from .canvas import Canvas
from .journey import Journey


class JourneyConversion(models.Model):
    """One of the Canvas's conversion events happened within its window. Once for each journey and event.

    `number` is the place of the event in `Canvas.conversions`; `step` the step whose message the profile received last,
    0 without one. Totals are counted from these rows: nothing else is written, so nothing waits for a lock.
    """

    journey = models.ForeignKey(Journey, models.CASCADE, db_constraint=False, db_index=False, related_name="+")
    number = models.PositiveSmallIntegerField()
    canvas = models.ForeignKey(Canvas, models.CASCADE, db_constraint=False, db_index=False, related_name="+")
    variant = models.BigIntegerField()
    step = models.BigIntegerField(default=0)
    occurred_at = models.DateTimeField(_("time"))

    class Meta:
        verbose_name = _("conversion of a journey")
        verbose_name_plural = _("conversions of journeys")
        constraints = [models.UniqueConstraint(fields=["journey", "number"], name="journey_converts_once")]
        indexes = [
            # the totals of a Canvas by event, variant and step
            models.Index(fields=["canvas", "number", "variant", "step"], name="conversion_totals")
        ]

    def __str__(self) -> str:
        return f"conversion {self.number + 1} of {self.journey_id}"
