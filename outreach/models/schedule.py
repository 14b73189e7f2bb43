"""When an outreach runs by itself: fields that campaigns and Canvases share."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _


class Recurrence(models.TextChoices):
    ONCE = "", _("once")
    DAILY = "daily", _("daily")
    WEEKLY = "weekly", _("weekly")
    MONTHLY = "monthly", _("monthly")


class Scheduled(models.Model):
    """A schedule reads day and time of the model's `start_at` off the clocks in `zone`.

    A run in local time asks each profile's own clock for them. `weekdays` are 0 (Monday) to 6, `month_days` 1 to 31 and
    -1 for the last.
    """

    zone = models.CharField(max_length=64, blank=True, editable=False)
    is_local = models.BooleanField(_("in each profile's local time"), default=False)
    recurrence = models.CharField(_("repeat"), max_length=7, choices=Recurrence, default="", blank=True)
    every = models.PositiveSmallIntegerField(
        _("every"), default=1, validators=[MinValueValidator(1), MaxValueValidator(366)]
    )
    weekdays = models.JSONField(_("on these weekdays"), default=list, blank=True)
    month_days = models.JSONField(_("on these days of the month"), default=list, blank=True)
    end_on = models.DateField(_("last day"), null=True, blank=True)
    run_count = models.PositiveIntegerField(_("end after so many times"), null=True, blank=True)

    class Meta:
        abstract = True
