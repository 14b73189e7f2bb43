"""Campaigns: one message to many people."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from outreach.models import Outreach


class Delivery(models.TextChoices):
    SCHEDULED = "scheduled", _("Scheduled")
    ACTION = "action", _("Action-based")
    API = "api", _("API-triggered")


class Campaign(Outreach):
    """An outreach that sends once for each reason. When and to whom is decided by its delivery type."""

    delivery = models.CharField(_("delivery"), max_length=9, choices=Delivery, default=Delivery.SCHEDULED)
    start_at = models.DateTimeField(_("start"), null=True, blank=True, help_text=_("Empty: as soon as it is launched."))

    class Meta:
        verbose_name = _("campaign")
        verbose_name_plural = _("campaigns")
        permissions = [("launch_campaign", _("Can launch, pause and stop campaigns"))]
