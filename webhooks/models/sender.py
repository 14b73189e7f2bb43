"""Senders, lanes and hosts: whether messages may go, how fast, and where they queue."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Sender(models.Model):
    """Says whether its messages may go, how fast, and how they are signed. Every outreach has one.

    `is_open` false holds every message where it is. `next_free_at` is the next free place of a limited rate: each batch
    reserves its places by moving it on.
    """

    name = models.CharField(max_length=255, blank=True)
    is_open = models.BooleanField(default=False)
    rate_per_minute = models.PositiveIntegerField(
        _("messages a minute"),
        null=True,
        blank=True,
        validators=[MinValueValidator(10), MaxValueValidator(500_000)],
        help_text=_("Evenly spread, retries included. Empty: no limit."),
    )
    next_free_at = models.DateTimeField(null=True, editable=False)
    is_signed = models.BooleanField(_("sign requests"), default=False)
    sealed_secrets = models.JSONField(default=list, editable=False)  # [{"secret": sealed, "retires_at": iso or null}]
    log_everything_until = models.DateTimeField(_("logs every request until"), null=True, blank=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("sender")
        verbose_name_plural = _("senders")

    def __str__(self) -> str:
        return self.name or f"sender {self.pk}"


class Lane(models.Model):
    """A queue: the messages of one sender to one host, so that a stuck host or a paused sender holds up nobody else.

    `host` is empty while Liquid decides it. `is_open` false means that nothing unfinished is left, and claims pass by.
    """

    sender = models.ForeignKey(Sender, models.CASCADE, related_name="lanes")
    host = models.CharField(max_length=255, blank=True)
    is_open = models.BooleanField(default=True)

    class Meta:
        verbose_name = _("lane")
        verbose_name_plural = _("lanes")
        constraints = [models.UniqueConstraint(fields=["sender", "host"], name="lane_once")]
        # every claim reads the open lanes first
        indexes = [models.Index(fields=["sender"], name="lane_open", condition=models.Q(is_open=True))]

    def __str__(self) -> str:
        return f"{self.sender} → {self.host or '?'}"


class Host(models.Model):
    """A host that messages go to, and how much of it may be asked, over all campaigns and Canvases."""

    name = models.CharField(_("host"), max_length=255, unique=True, editable=False)
    per_second = models.PositiveIntegerField(
        _("requests a second"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_("Over all campaigns and Canvases together. Empty: no limit."),
    )
    at_once = models.PositiveIntegerField(
        _("requests at once"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_("In flight from one delivery worker. Empty: as the settings say."),
    )

    class Meta:
        verbose_name = _("host")
        verbose_name_plural = _("hosts")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
