"""Message events on their way to other systems."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class OutgoingEvent(models.Model):
    """Something that became of a message or a journey, written with it, to be told to other systems and exported.

    `kind` and `source` (a message, a conversion, a journey) make the event's id: told again, it has the same one.
    `cause` and `slot` are the message's; `details` is what its line says besides, and nothing else holds.
    """

    class Kind(models.TextChoices):
        SENT = "webhook.sent", _("sent")
        FAILED = "webhook.failed", _("failed")
        ABORTED = "webhook.aborted", _("aborted")
        SKIPPED = "webhook.skipped", _("skipped")
        CONVERSION = "conversion", _("conversion")
        ENTRY = "canvas.entry", _("Canvas entry")
        EXIT = "canvas.exit", _("Canvas exit")

    kind = models.CharField(max_length=16, choices=Kind)
    source = models.CharField(max_length=100)
    at = models.DateTimeField()
    sender_id = models.BigIntegerField(default=0)
    profile_id = models.BigIntegerField(default=0)
    variant = models.BigIntegerField(default=0)
    reason = models.CharField(max_length=64, blank=True)
    cause = models.BigIntegerField(default=0)
    slot = models.PositiveSmallIntegerField(default=0)
    details = models.JSONField(null=True)
    told_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("outgoing event")
        verbose_name_plural = _("outgoing events")
        indexes = [
            models.Index(fields=["id"], name="outgoing_event_new", condition=Q(told_at__isnull=True)),  # the next ones
            models.Index(fields=["at"], name="outgoing_event_by_time"),  # a day's export; retention
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.source}"


class Shipment(models.Model):
    """The one row that says who is telling events at the moment, and what went wrong last."""

    leased_until = models.DateTimeField(null=True)
    error = models.TextField(blank=True)

    class Meta:
        verbose_name = _("shipment of events")
        verbose_name_plural = _("shipments of events")

    def __str__(self) -> str:
        return self.error or "shipment"
