"""Arms, and which profile belongs to which."""

import uuid

from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from audience.models import Profile
from webhooks.models import Content

from .outreach import Outreach


class Variant(models.Model):
    """One arm of a test. The control group is an arm that sends nothing. Shares are per cents that add up to 100."""

    outreach = models.ForeignKey(Outreach, models.CASCADE, related_name="variants")
    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(_("name"), max_length=100)
    position = models.PositiveSmallIntegerField(default=0)
    share = models.PositiveSmallIntegerField(_("share (%)"), default=100, validators=[MaxValueValidator(100)])
    is_control = models.BooleanField(_("control group"), default=False)
    weight = models.PositiveSmallIntegerField(null=True, editable=False)  # per mille, as intelligent selection set it
    is_winner = models.BooleanField(default=False, editable=False)
    is_removed = models.BooleanField(default=False, editable=False)  # its numbers stay
    contents: "models.ManyToManyField[Content, VariantContent]" = models.ManyToManyField(
        Content, through="VariantContent", related_name="variants"
    )

    class Meta:
        verbose_name = _("variant")
        verbose_name_plural = _("variants")
        ordering = ["-is_control", "position", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["outreach"], condition=Q(is_control=True, is_removed=False), name="one_control_group"
            ),
            models.CheckConstraint(condition=Q(share__lte=100), name="variant_share_at_most_100"),
        ]

    def __str__(self) -> str:
        return self.name


class VariantContent(models.Model):
    """A webhook of a variant, at its slot. The slot keeps its number for life: messages name it."""

    variant = models.ForeignKey(Variant, models.CASCADE, related_name="variant_contents")
    slot = models.PositiveSmallIntegerField(default=0)
    content = models.OneToOneField(Content, models.CASCADE, related_name="variant_content")

    class Meta:
        verbose_name = _("webhook of a variant")
        verbose_name_plural = _("webhooks of variants")
        ordering = ["slot"]
        constraints = [models.UniqueConstraint(fields=["variant", "slot"], name="variant_slot_once")]

    def __str__(self) -> str:
        return f"{self.variant}, webhook {self.slot + 1}"


class Enrolment(models.Model):
    """That a profile belongs to an outreach, and to which arm.

    `share` is the arm's share at that time: while it is the same, the profile stays (campaigns specification, 9.2).
    """

    outreach = models.ForeignKey(Outreach, models.CASCADE, db_index=False, related_name="enrolments")
    profile = models.ForeignKey(Profile, models.CASCADE, db_constraint=False, related_name="enrolments")
    variant = models.ForeignKey(Variant, models.CASCADE, db_constraint=False, db_index=False, related_name="enrolments")
    share = models.PositiveSmallIntegerField(null=True)
    enrolled_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("enrolment")
        verbose_name_plural = _("enrolments")
        constraints = [models.UniqueConstraint(fields=["outreach", "profile"], name="enrolment_once")]

    def __str__(self) -> str:
        return f"{self.profile_id} in {self.outreach_id}"


class ControlEntry(models.Model):
    """That a profile of the control group would have been sent to: what a receipt is to the others."""

    outreach = models.ForeignKey(Outreach, models.CASCADE, db_index=False, related_name="control_entries")
    profile = models.ForeignKey(Profile, models.CASCADE, db_constraint=False, related_name="control_entries")
    variant = models.BigIntegerField(default=0)
    cause = models.BigIntegerField()
    entered_at = models.DateTimeField()

    class Meta:
        verbose_name = _("control entry")
        verbose_name_plural = _("control entries")
        constraints = [models.UniqueConstraint(fields=["outreach", "profile", "cause"], name="control_entry_once")]

    def __str__(self) -> str:
        return f"{self.profile_id} held back from {self.outreach_id}"


class Recalculation(models.Model):
    """What intelligent selection found: figures in, weights (per mille) out, so that it can be checked."""

    outreach = models.ForeignKey(Outreach, models.CASCADE, related_name="recalculations")
    at = models.DateTimeField(default=timezone.now)
    figures = models.JSONField(default=list)
    is_end = models.BooleanField(default=False)

    class Meta:
        verbose_name = _("recalculation")
        verbose_name_plural = _("recalculations")
        ordering = ["-at"]

    def __str__(self) -> str:
        return f"{self.outreach} {self.at:%Y-%m-%d %H:%M}"
