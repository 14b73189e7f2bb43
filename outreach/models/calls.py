"""What API calls leave behind: sends for later, names of sends, and messages that were composed in a call."""

import uuid

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from webhooks.models import Content, Sender

from .outreach import Outreach


class ScheduledCall(models.Model):
    """A send for later. `request` is what was asked for; whom it reaches is found out when it is due.

    `local_at` is a time on the wall (ISO, without a zone) where each profile's own clock counts: then it runs once for
    each zone's moment, `ran_until` says how far, and `due_at` is the next one.
    """

    class Kind(models.TextChoices):
        CAMPAIGN = "campaign", _("campaign")
        CANVAS = "canvas", _("Canvas")
        MESSAGES = "messages", _("messages")

    class Result(models.TextChoices):
        WAITING = "waiting", _("waiting")
        SENT = "sent", _("sent")
        CANCELLED = "cancelled", _("cancelled")
        FAILED = "failed", _("failed")

    key = models.UUIDField(_("schedule ID"), default=uuid.uuid4, unique=True, editable=False)
    dispatch_key = models.UUIDField(_("dispatch ID"), default=uuid.uuid4, editable=False)
    kind = models.CharField(_("what"), max_length=8, choices=Kind)
    outreach = models.ForeignKey(
        Outreach, models.CASCADE, null=True, related_name="scheduled_calls", verbose_name=_("campaign or Canvas")
    )
    request = models.JSONField(_("request"), default=dict)
    due_at = models.DateTimeField(_("due"))
    local_at = models.CharField(_("time on the wall"), max_length=32, blank=True)
    ran_until = models.DateTimeField(null=True)
    result = models.CharField(_("result"), max_length=9, choices=Result, default=Result.WAITING)
    note = models.TextField(_("note"), blank=True)
    created_at = models.DateTimeField(_("created"), default=timezone.now)
    finished_at = models.DateTimeField(_("finished"), null=True)

    class Meta:
        verbose_name = _("scheduled API call")
        verbose_name_plural = _("scheduled API calls")
        ordering = ["-created_at"]
        indexes = [
            # the timetable: which calls are due
            models.Index(fields=["due_at"], name="scheduled_call_due", condition=Q(finished_at__isnull=True))
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.key}"


class SendName(models.Model):
    """A `send_id` that was made for a campaign, to follow its sends by."""

    outreach = models.ForeignKey(Outreach, models.CASCADE, related_name="send_names")
    send_id = models.CharField(_("send ID"), max_length=64, unique=True)
    created_at = models.DateTimeField(_("created"), default=timezone.now)

    class Meta:
        verbose_name = _("send ID")
        verbose_name_plural = _("send IDs")

    def __str__(self) -> str:
        return self.send_id


class DirectSend(models.Model):
    """A webhook composed in an API call, and whom it goes to. Where `outreach` is set, it is counted there.

    Its messages have its id as cause, or that of `dispatch` where they belong to a campaign's sender. `audience` is a
    filter tree, planned in chunks up to `cursor`; `digest` finds a webhook that was composed the same way before.
    """

    key = models.UUIDField(_("dispatch ID"), default=uuid.uuid4, unique=True, editable=False)
    sender = models.ForeignKey(Sender, models.PROTECT, related_name="+", verbose_name=_("sender"))
    content = models.ForeignKey(Content, models.PROTECT, related_name="+", verbose_name=_("webhook"))
    digest = models.CharField(max_length=64, db_index=True)
    outreach = models.ForeignKey(
        Outreach, models.CASCADE, null=True, related_name="direct_sends", verbose_name=_("campaign or Canvas")
    )
    dispatch = models.ForeignKey("outreach.Dispatch", models.PROTECT, null=True, related_name="+")
    variant = models.BigIntegerField(default=0)
    send_id = models.CharField(_("send ID"), max_length=64, blank=True)
    audience = models.JSONField(_("audience"), null=True)
    cursor = models.BigIntegerField(default=0)
    planned_count = models.PositiveIntegerField(_("messages"), default=0)
    due_at = models.DateTimeField(_("due"), default=timezone.now)
    created_at = models.DateTimeField(_("created"), default=timezone.now)
    finished_at = models.DateTimeField(_("planned"), null=True)

    class Meta:
        verbose_name = _("API message")
        verbose_name_plural = _("API messages")
        indexes = [
            # the timetable: which are not planned to their end
            models.Index(fields=["due_at"], name="direct_send_open", condition=Q(finished_at__isnull=True))
        ]

    def __str__(self) -> str:
        return str(self.key)
