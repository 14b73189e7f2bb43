"""Campaigns: one message to many people."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from outreach.models import Outreach, Recurrence, Scheduled

__all__ = ["LONGEST_REELIGIBILITY", "Campaign", "Delivery", "Limit", "Recurrence"]

LONGEST_REELIGIBILITY = 720 * 86_400


class Delivery(models.TextChoices):
    SCHEDULED = "scheduled", _("Scheduled")
    ACTION = "action", _("Action-based")
    API = "api", _("API-triggered")


class Limit(models.TextChoices):
    EVER = "ever", _("in total")
    RUN = "run", _("every time it is scheduled")


class Campaign(Scheduled, Outreach):
    """An outreach that sends once for each reason. When and to whom is decided by its delivery type.

    `start_at` and `end_at` bound it. Triggers and exceptions are those of `outreach.matching`, `delay` that of
    `outreach.delays`.
    """

    delivery = models.CharField(_("delivery"), max_length=9, choices=Delivery, default=Delivery.SCHEDULED)
    start_at = models.DateTimeField(_("start"), null=True, blank=True, help_text=_("Empty: as soon as it is launched."))
    end_at = models.DateTimeField(_("end"), null=True, blank=True, help_text=_("Nothing is sent after this moment."))

    triggers = models.JSONField(_("triggers"), default=list, blank=True)
    exceptions = models.JSONField(_("exception events"), default=list, blank=True)
    delay = models.JSONField(_("delay"), default=dict, blank=True)
    portion_start = models.TimeField(_("only between"), null=True, blank=True)
    portion_end = models.TimeField(_("and"), null=True, blank=True)
    portion_waits = models.BooleanField(_("outside of it, send at the next available time"), default=False)

    is_reeligible = models.BooleanField(_("people may receive it again"), default=False)
    reeligible_seconds = models.PositiveIntegerField(
        _("after"), default=0, validators=[MaxValueValidator(LONGEST_REELIGIBILITY)]
    )
    re_evaluates = models.BooleanField(_("check the audience again right before sending"), null=True, blank=True)
    most_recipients = models.PositiveIntegerField(
        _("at most this many people"), null=True, blank=True, validators=[MinValueValidator(1)]
    )
    recipients_per = models.CharField(_("limit"), max_length=4, choices=Limit, default=Limit.EVER)
    parts = models.JSONField(default=dict, editable=False)  # what other tables say of this version, for its history
    dispatched_count = models.BigIntegerField(default=0, editable=False)

    history = HistoricalRecords(
        excluded_fields=["dispatched_count", "updated_at", "decided_at", "recalculated_at", "test_of"],
    )

    class Meta:
        verbose_name = _("campaign")
        verbose_name_plural = _("campaigns")
        permissions = [
            ("launch_campaign", _("Can launch, pause and stop campaigns")),
            ("approve_campaign", _("Can approve campaigns")),
        ]

    @property
    def judges_again(self) -> bool:
        """Whether the audience is asked again right before sending; scheduled campaigns do unless told otherwise."""
        return self.delivery == Delivery.SCHEDULED if self.re_evaluates is None else self.re_evaluates
