"""Lists of promotion codes, each code for one message."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from .library import plain_name


class Promotion(models.Model):
    """A list of codes; `{% promotion('name') %}` prints one. Expired, it hands out none."""

    name = models.CharField(_("name"), max_length=100, unique=True, validators=[plain_name])
    description = models.CharField(_("description"), max_length=250, blank=True)
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True, help_text=_("Empty: never."))
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("promotion code list")
        verbose_name_plural = _("promotion code lists")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class PromotionCode(models.Model):
    """One code. Once `taken_at` is set it belongs to `message` (an id, kept when the message is pruned)."""

    promotion = models.ForeignKey(Promotion, models.CASCADE, related_name="codes", db_index=False)
    code = models.CharField(_("code"), max_length=255)
    taken_at = models.DateTimeField(_("sent"), null=True)
    message = models.BigIntegerField(_("message"), null=True)

    class Meta:
        verbose_name = _("promotion code")
        verbose_name_plural = _("promotion codes")
        constraints = [
            models.UniqueConstraint(fields=["promotion", "code"], name="promotion_code_once"),
            models.UniqueConstraint(
                fields=["promotion", "message"], condition=Q(message__isnull=False), name="promotion_code_by_message"
            ),
        ]
        indexes = [
            models.Index(fields=["promotion", "id"], condition=Q(taken_at__isnull=True), name="promotion_code_left"),
        ]

    def __str__(self) -> str:
        return self.code
