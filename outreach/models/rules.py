"""Rules for everybody, and the approvals before a launch."""

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from workspace.models import Tag

from .outreach import Outreach


class FrequencyRule(models.Model):
    """At most `most` messages in `every` minutes, days or weeks, of all outreach or of that with a tag."""

    class Unit(models.TextChoices):
        MINUTES = "minutes", _("minutes")
        DAYS = "days", _("days")
        WEEKS = "weeks", _("weeks")

    MOST = 10
    LIMITS = {Unit.MINUTES: 30 * 1440, Unit.DAYS: 30, Unit.WEEKS: 4}

    most = models.PositiveIntegerField(_("at most"), default=1, validators=[MinValueValidator(1)])
    every = models.PositiveIntegerField(
        _("in"), default=1, validators=[MinValueValidator(1), MaxValueValidator(43_200)]
    )
    unit = models.CharField(_("unit"), max_length=7, choices=Unit, default=Unit.DAYS)
    tag = models.ForeignKey(
        Tag,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("tag"),
        help_text=_("Empty: all campaigns and Canvases. Tags below it are included."),
    )

    class Meta:
        verbose_name = _("frequency cap")
        verbose_name_plural = _("frequency caps")
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(condition=models.Q(most__gte=1, every__gte=1), name="frequency_rule_sane")
        ]

    def __str__(self) -> str:
        text = _("at most %(most)d in %(every)d %(unit)s") % {
            "most": self.most,
            "every": self.every,
            "unit": self.get_unit_display(),
        }
        return f"{text} ({self.tag})" if self.tag_id else text

    def clean(self) -> None:
        if self.every and self.every > self.LIMITS[FrequencyRule.Unit(self.unit)]:
            raise ValidationError({"every": _("A cap looks back 30 days at most.")})
        if not self.pk and FrequencyRule.objects.count() >= self.MOST:
            raise ValidationError(_("There are ten frequency caps already; change or delete one of them."))


class Approval(models.Model):
    """Where the approval of a part of an outreach stands. Any saved change sets all parts back to pending."""

    class Section(models.TextChoices):
        MESSAGES = "messages", _("messages")
        DELIVERY = "delivery", _("delivery")
        AUDIENCE = "audience", _("target audience")
        CONVERSIONS = "conversions", _("conversion events")

    class State(models.TextChoices):
        PENDING = "pending", _("pending")
        APPROVED = "approved", _("approved")
        DENIED = "denied", _("denied")

    outreach = models.ForeignKey(Outreach, models.CASCADE, related_name="approvals")
    section = models.CharField(_("section"), max_length=11, choices=Section)
    state = models.CharField(_("state"), max_length=8, choices=State, default=State.PENDING)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    comment = models.TextField(_("comment"), blank=True)
    at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = _("approval")
        verbose_name_plural = _("approvals")
        constraints = [models.UniqueConstraint(fields=["outreach", "section"], name="approval_once")]

    def __str__(self) -> str:
        return f"{self.get_section_display()}: {self.get_state_display()}"
