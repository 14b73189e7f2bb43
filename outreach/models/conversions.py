"""What counts as success, and who succeeded."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from audience.models import Profile

from .outreach import Outreach


class ConversionEvent(models.Model):
    """Something to do within a window after receipt. At most four; the first is the primary one."""

    MOST = 4

    outreach = models.ForeignKey(Outreach, models.CASCADE, related_name="conversion_events")
    position = models.PositiveSmallIntegerField(default=0)
    trigger = models.JSONField(_("event"), default=dict)
    window_seconds = models.PositiveIntegerField(_("within"), default=3 * 86_400)

    class Meta:
        verbose_name = _("conversion event")
        verbose_name_plural = _("conversion events")
        ordering = ["position", "id"]
        constraints = [models.UniqueConstraint(fields=["outreach", "position"], name="conversion_event_position_once")]

    def __str__(self) -> str:
        return "ABCD"[self.position] if self.position < self.MOST else str(self.position)


class Conversion(models.Model):
    """That a profile did it: once for a receipt (or control entry) and conversion event."""

    event = models.ForeignKey(ConversionEvent, models.CASCADE, related_name="conversions", db_index=False)
    outreach = models.ForeignKey(Outreach, models.CASCADE, related_name="conversion_rows", db_index=False)
    profile = models.ForeignKey(Profile, models.CASCADE, db_constraint=False, related_name="conversions")
    variant = models.BigIntegerField(default=0)
    cause = models.BigIntegerField()
    is_control = models.BooleanField(default=False)
    exposed_at = models.DateTimeField()
    converted_at = models.DateTimeField()
    source = models.CharField(max_length=64, blank=True)

    class Meta:
        verbose_name = _("conversion")
        verbose_name_plural = _("conversions")
        constraints = [models.UniqueConstraint(fields=["event", "profile", "cause"], name="conversion_once")]
        indexes = [models.Index(fields=["outreach", "variant"], name="conversion_by_variant")]  # results

    def __str__(self) -> str:
        return f"{self.profile_id} converted in {self.outreach_id}"


class Revenue(models.Model):
    """The money of a purchase, for an outreach within whose primary window it was made. Once for each of both.

    `amount` is in the workspace's currency, negative for a refund. `cause` is that of the receipt or control entry, or
    the journey; `step` the step of a Canvas whose message came last, 0 without one. The profile is not named, so the
    money stays when the person is deleted.
    """

    outreach = models.ForeignKey(
        Outreach, models.CASCADE, db_constraint=False, db_index=False, related_name="revenue_rows"
    )
    purchase = models.BigIntegerField()
    variant = models.BigIntegerField(default=0)
    step = models.BigIntegerField(default=0)
    cause = models.BigIntegerField()
    amount = models.DecimalField(_("revenue"), max_digits=24, decimal_places=4)
    exposed_at = models.DateTimeField()
    occurred_at = models.DateTimeField(_("time"))

    class Meta:
        verbose_name = _("revenue")
        verbose_name_plural = _("revenue")
        constraints = [models.UniqueConstraint(fields=["outreach", "purchase"], name="revenue_once")]
        indexes = [models.Index(fields=["outreach", "occurred_at"], name="revenue_by_time")]  # results, series, reports

    def __str__(self) -> str:
        return f"{self.amount} for {self.outreach_id}"
