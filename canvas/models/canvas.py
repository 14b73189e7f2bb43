"""The Canvas itself: who enters, when and how often."""

from django.core.validators import MaxValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from outreach.models import Outreach, Scheduled


class Entry(models.TextChoices):
    SCHEDULED = "scheduled", _("Scheduled")
    ACTION = "action", _("Action-based")
    API = "api", _("API-triggered")


class Reentry(models.TextChoices):
    NEVER = "never", _("never")
    AFTER_LONGEST = "longest", _("after the maximum duration of the Canvas")
    AFTER = "after", _("after a time of your choice")


class Cadence(models.TextChoices):
    LIFETIME = "lifetime", _("in the lifetime of the Canvas")
    RUN = "run", _("every time the Canvas is scheduled")
    DAY = "day", _("a day")
    HOUR = "hour", _("an hour")


class Canvas(Scheduled, Outreach):
    """An outreach that takes each profile through steps.

    `held_since` is when it was paused or stopped; `is_finishing` lets nobody in, but lets those inside go on.
    `conversions` are what it is for: up to four {"name", "triggers", "seconds"}, the first of them the primary one.
    Its steps are in `CanvasVersion`: the newest published one is live, the one without a number is being edited.
    A live test (`canvas.livetest`) waits its `time_factor`th part of what its steps say.
    """

    entry = models.CharField(_("entry"), max_length=9, choices=Entry, default=Entry.SCHEDULED)
    start_at = models.DateTimeField(_("start"), null=True, blank=True, help_text=_("Empty: as soon as it is launched."))
    end_at = models.DateTimeField(_("entry ends"), null=True, blank=True, help_text=_("Empty: nobody is turned away."))
    triggers = models.JSONField(_("entry triggers"), default=list, blank=True)
    reentry = models.CharField(_("may enter again"), max_length=7, choices=Reentry, default=Reentry.NEVER)
    reentry_seconds = models.PositiveIntegerField(
        _("seconds until a profile may enter again"), default=0, validators=[MaxValueValidator(720 * 86_400)]
    )
    entry_limit = models.PositiveIntegerField(
        _("at most this many entries"), null=True, blank=True, help_text=_("Empty: no limit.")
    )
    entry_cadence = models.CharField(_("counted"), max_length=8, choices=Cadence, default=Cadence.LIFETIME)
    conversions = models.JSONField(_("conversion events"), default=list, blank=True)
    held_since = models.DateTimeField(null=True, editable=False)
    is_finishing = models.BooleanField(default=False, editable=False)
    time_factor = models.PositiveSmallIntegerField(default=1, editable=False)

    class Meta:
        verbose_name = _("Canvas")
        verbose_name_plural = _("Canvases")
        permissions = [("launch_canvas", _("Can launch, pause and stop Canvases"))]


class EntryQuota(models.Model):
    """How many entries of a bucket of time are used."""

    canvas = models.ForeignKey(Canvas, models.CASCADE, db_index=False, related_name="quotas")
    bucket = models.CharField(max_length=32)
    used = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = _("entry quota")
        verbose_name_plural = _("entry quotas")
        constraints = [models.UniqueConstraint(fields=["canvas", "bucket"], name="entry_quota_once")]

    def __str__(self) -> str:
        return f"{self.bucket}: {self.used}"
