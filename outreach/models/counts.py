"""The totals."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from .outreach import Outreach


class Metric(models.TextChoices):
    """What DailyCount counts. planned = received + failed + aborted + skipped + cancelled + pending, always."""

    PLANNED = "planned", _("planned")
    RECEIVED = "received", _("received")
    FAILED = "failed", _("failed")
    ABORTED = "aborted", _("aborted")
    SKIPPED = "skipped", _("skipped")
    CANCELLED = "cancelled", _("cancelled")
    ERRORS = "errors", _("errors")  # attempts that were not answered 2xx
    ENROLLED = "enrolled", _("enrolled")
    TURNED_AWAY = "turned_away", _("not considered")  # before a message was made; not part of planned
    CONVERTED = "converted", _("converted")  # the reason is the position of the conversion event


class DailyCount(models.Model):
    """A total for a day in the workspace's zone. `variant` and `step` are ids (0: none); `reason` splits an outcome.

    Written last in a batch's transaction, in key order, so that two batches never wait for each other in a ring.
    """

    outreach = models.ForeignKey(Outreach, models.CASCADE, db_constraint=False, related_name="daily_counts")
    variant = models.BigIntegerField(default=0)
    step = models.BigIntegerField(default=0)
    day = models.DateField()
    metric = models.CharField(max_length=12, choices=Metric)
    reason = models.CharField(max_length=64, default="", blank=True)
    count = models.BigIntegerField(default=0)

    class Meta:
        verbose_name = _("daily count")
        verbose_name_plural = _("daily counts")
        constraints = [
            models.UniqueConstraint(
                fields=["outreach", "day", "variant", "step", "metric", "reason"], name="daily_count_once"
            )
        ]
        indexes = [
            models.Index(fields=["day", "metric"], name="daily_count_by_day"),  # the home page
            models.Index(fields=["outreach", "metric"], name="daily_count_by_metric"),  # totals in lists
        ]

    def __str__(self) -> str:
        return f"{self.metric} {self.day}: {self.count}"


class HourlyCount(models.Model):
    """How many attempts were answered 2xx, and how many were not, in a clock hour: for the chart of the home page.

    Kept for a few days; written with the daily totals, after them.
    """

    outreach = models.ForeignKey(Outreach, models.CASCADE, db_constraint=False, db_index=False, related_name="+")
    hour = models.DateTimeField()
    metric = models.CharField(max_length=12, choices=Metric)  # received or errors
    count = models.BigIntegerField(default=0)

    class Meta:
        verbose_name = _("hourly count")
        verbose_name_plural = _("hourly counts")
        constraints = [models.UniqueConstraint(fields=["hour", "outreach", "metric"], name="hourly_count_once")]

    def __str__(self) -> str:
        return f"{self.metric} {self.hour}: {self.count}"
