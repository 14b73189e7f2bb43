"""Reasons to send: planned runs, API calls and events."""

import uuid

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .outreach import Outreach


class Dispatch(models.Model):
    """One reason to send to people: an occurrence, an API call, an event. Unique by outreach, kind and source."""

    class Kind(models.TextChoices):
        OCCURRENCE = "occurrence", _("scheduled run")
        API = "api", _("API call")
        EVENT = "event", _("event")

    outreach = models.ForeignKey(
        Outreach, models.CASCADE, related_name="dispatches", db_index=False, verbose_name=_("campaign or Canvas")
    )
    kind = models.CharField(max_length=10, choices=Kind)
    source = models.CharField(max_length=255)
    key = models.UUIDField(
        _("dispatch ID"), default=uuid.uuid4, editable=False
    )  # dispatch_id, as Liquid and reports show it
    send_id = models.CharField(_("send ID"), max_length=64, blank=True)
    context = models.JSONField(null=True)  # trigger properties for all of its messages
    audience = models.JSONField(null=True)  # a filter tree that narrows the audience for this once
    created_at = models.DateTimeField(_("created"), default=timezone.now)

    class Meta:
        verbose_name = _("dispatch")
        verbose_name_plural = _("dispatches")
        constraints = [models.UniqueConstraint(fields=["outreach", "kind", "source"], name="dispatch_once")]
        indexes = [
            # an API call that is made again
            models.Index(fields=["outreach", "send_id"], name="dispatch_by_send_id", condition=~Q(send_id=""))
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.source}"


class Occurrence(models.Model):
    """One planned run of a schedule. `cursor` is the id of the last profile planned.

    A run in local time names the day and time on the wall that each profile's zone is asked for, and `planned_at` is
    when the first zone gets there. `phase` is 1 for the test and 2 for the winner of a winning-variant test.
    """

    class Result(models.TextChoices):
        RUNNING = "running", _("planning")
        PLANNED = "planned", _("planned")
        MISSED = "missed", _("missed")
        CANCELLED = "cancelled", _("cancelled")

    outreach = models.ForeignKey(Outreach, models.CASCADE, related_name="occurrences", db_index=False)
    planned_at = models.DateTimeField()
    dispatch = models.OneToOneField(Dispatch, models.PROTECT, null=True, related_name="occurrence")
    local_day = models.DateField(null=True)
    local_time = models.TimeField(null=True)
    phase = models.PositiveSmallIntegerField(default=0)
    cursor = models.BigIntegerField(default=0)
    limit = models.PositiveIntegerField(null=True)
    rank_limit = models.BigIntegerField(null=True)  # whose rank is above it is past the limit
    considered_count = models.PositiveIntegerField(default=0)
    planned_count = models.PositiveIntegerField(default=0)
    result = models.CharField(max_length=9, choices=Result, default=Result.RUNNING)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("occurrence")
        verbose_name_plural = _("occurrences")
        constraints = [models.UniqueConstraint(fields=["outreach", "planned_at"], name="occurrence_once")]
        indexes = [
            # the timetable: which planned runs are not finished
            models.Index(fields=["planned_at"], name="occurrence_open", condition=Q(finished_at__isnull=True))
        ]

    def __str__(self) -> str:
        return f"{self.outreach} at {self.planned_at:%Y-%m-%d %H:%M}"
