"""What a campaign and a Canvas share: arms, who was enrolled, planned runs, reasons to send, and the counts."""

import uuid

from django.conf import settings
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from audience.models import Profile, Segment
from webhooks.models import Content, Sender
from workspace.models import Tag, Team


class Status(models.TextChoices):
    DRAFT = "draft", _("draft")
    ACTIVE = "active", _("active")
    PAUSED = "paused", _("paused")
    STOPPED = "stopped", _("stopped")
    ARCHIVED = "archived", _("archived")


class Outreach(models.Model):
    """A campaign or a Canvas. `version` grows with every saved change and guards against overwriting another's edit.

    The audience is everyone who is in all `segments` and matches `filters`; "everyone" is said by `to_everyone`, never
    by an empty filter.
    """

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)  # the API identifier
    name = models.CharField(_("name"), max_length=255)
    description = models.TextField(_("description"), blank=True)
    status = models.CharField(_("status"), max_length=8, choices=Status, default=Status.DRAFT, editable=False)
    sender = models.OneToOneField(Sender, models.PROTECT, related_name="outreach", editable=False)
    teams = models.ManyToManyField(Team, blank=True, related_name="outreach", verbose_name=_("teams"))
    tags = models.ManyToManyField(Tag, blank=True, related_name="outreach", verbose_name=_("tags"))
    to_everyone = models.BooleanField(_("all profiles"), default=False)
    segments = models.ManyToManyField(
        Segment,
        blank=True,
        related_name="outreach",
        verbose_name=_("segments"),
        help_text=_("A profile must be in all of them."),
    )
    filters = models.JSONField(_("additional filters"), default=dict, blank=True)
    version = models.PositiveIntegerField(default=1, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, editable=False, related_name="+"
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("last edited"), auto_now=True)
    launched_at = models.DateTimeField(_("launched"), null=True, editable=False)

    class Meta:
        verbose_name = _("outreach")
        verbose_name_plural = _("outreach")
        indexes = [models.Index(fields=["status"], name="outreach_by_status")]  # lists, the timetable

    def __str__(self) -> str:
        return self.name


class Variant(models.Model):
    """One arm of a test. The control group is an arm that sends nothing. Shares are per cents that add up to 100."""

    outreach = models.ForeignKey(Outreach, models.CASCADE, related_name="variants")
    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(_("name"), max_length=100)
    position = models.PositiveSmallIntegerField(default=0)
    share = models.PositiveSmallIntegerField(_("share (%)"), default=100, validators=[MaxValueValidator(100)])
    is_control = models.BooleanField(_("control group"), default=False)
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
    """That a profile belongs to an outreach and to which arm: the first assignment, kept for good."""

    outreach = models.ForeignKey(Outreach, models.CASCADE, db_index=False, related_name="enrolments")
    profile = models.ForeignKey(Profile, models.CASCADE, db_constraint=False, related_name="enrolments")
    variant = models.ForeignKey(Variant, models.CASCADE, db_constraint=False, db_index=False, related_name="enrolments")
    enrolled_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("enrolment")
        verbose_name_plural = _("enrolments")
        constraints = [models.UniqueConstraint(fields=["outreach", "profile"], name="enrolment_once")]

    def __str__(self) -> str:
        return f"{self.profile_id} in {self.outreach_id}"


class Dispatch(models.Model):
    """One reason to send to people: an occurrence, an API call, an event. Unique by outreach, kind and source."""

    class Kind(models.TextChoices):
        OCCURRENCE = "occurrence", _("scheduled run")
        API = "api", _("API call")
        EVENT = "event", _("event")

    outreach = models.ForeignKey(Outreach, models.CASCADE, related_name="dispatches", db_index=False)
    kind = models.CharField(max_length=10, choices=Kind)
    source = models.CharField(max_length=255)
    key = models.UUIDField(default=uuid.uuid4, editable=False)  # dispatch_id, as Liquid and reports show it
    send_id = models.CharField(max_length=64, blank=True)
    context = models.JSONField(null=True)  # trigger properties for all of its messages
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("dispatch")
        verbose_name_plural = _("dispatches")
        constraints = [models.UniqueConstraint(fields=["outreach", "kind", "source"], name="dispatch_once")]

    def __str__(self) -> str:
        return f"{self.kind} {self.source}"


class Occurrence(models.Model):
    """One planned run of a schedule. `cursor` is the id of the last profile planned."""

    class Result(models.TextChoices):
        RUNNING = "running", _("planning")
        PLANNED = "planned", _("planned")
        MISSED = "missed", _("missed")
        CANCELLED = "cancelled", _("cancelled")

    outreach = models.ForeignKey(Outreach, models.CASCADE, related_name="occurrences", db_index=False)
    planned_at = models.DateTimeField()
    dispatch = models.OneToOneField(Dispatch, models.PROTECT, null=True, related_name="occurrence")
    cursor = models.BigIntegerField(default=0)
    limit = models.PositiveIntegerField(null=True)
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


class Metric(models.TextChoices):
    """What DailyCount counts. planned = received + failed + aborted + skipped + cancelled + pending, always."""

    PLANNED = "planned", _("planned")
    RECEIVED = "received", _("received")
    FAILED = "failed", _("failed")
    ABORTED = "aborted", _("aborted")
    SKIPPED = "skipped", _("skipped")
    CANCELLED = "cancelled", _("cancelled")
    ERRORS = "errors", _("errors")  # attempts that were not answered 2xx
    ENROLLED = "enrolled", _("enrolled")


class DailyCount(models.Model):
    """A total for a day in the workspace's zone. `variant` and `step` are ids (0: none); `reason` splits an outcome.

    Written last in a batch's transaction, in key order, so that two batches never wait for each other in a ring.
    """

    outreach = models.ForeignKey(Outreach, models.CASCADE, db_constraint=False, related_name="daily_counts")
    variant = models.BigIntegerField(default=0)
    step = models.BigIntegerField(default=0)
    day = models.DateField()
    metric = models.CharField(max_length=12, choices=Metric)
    reason = models.CharField(max_length=64, default="", blank=True)
    count = models.BigIntegerField(default=0)

    class Meta:
        verbose_name = _("daily count")
        verbose_name_plural = _("daily counts")
        constraints = [
            models.UniqueConstraint(
                fields=["outreach", "day", "variant", "step", "metric", "reason"], name="daily_count_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.metric} {self.day}: {self.count}"
