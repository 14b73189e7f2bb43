"""Keys that other systems call with, and the calls that must not be carried out twice."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class ApiKey(models.Model):
    """What a caller shows. Only a SHA-256 of it is kept, and its first eight characters to tell keys apart.

    `permissions` are names of `api.permissions`, `networks` the addresses it may come from (empty: any). Neither
    changes after creation. `former_digest` is the key before a rotation, good until `former_until`.
    """

    SHOWN = 8

    name = models.CharField(_("name"), max_length=100)
    prefix = models.CharField(_("key"), max_length=SHOWN, editable=False)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    former_digest = models.CharField(max_length=64, blank=True, db_index=True, editable=False)
    former_until = models.DateTimeField(null=True, editable=False)
    permissions = models.JSONField(_("permissions"), default=list)
    networks = models.JSONField(_("allowed addresses"), default=list, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        editable=False,
        related_name="+",
        verbose_name=_("made by"),
    )
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    last_seen_at = models.DateTimeField(_("last seen"), null=True, editable=False)
    revoked_at = models.DateTimeField(_("revoked"), null=True, editable=False)

    class Meta:
        verbose_name = _("API key")
        verbose_name_plural = _("API keys")
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"


class Call(models.Model):
    """A call that named an `Idempotency-Key`, with its answer: made again within a day, it gets the same answer."""

    path = models.CharField(max_length=100)
    key = models.CharField(max_length=255)
    answer = models.JSONField(null=True)
    made_at = models.DateTimeField(db_index=True)

    class Meta:
        verbose_name = _("call")
        verbose_name_plural = _("calls")
        constraints = [models.UniqueConstraint(fields=["path", "key"], name="call_once")]

    def __str__(self) -> str:
        return f"{self.path} {self.key}"
