"""Saved filters over profiles, and who is kept out of everything."""

import uuid

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from workspace.models import Tag, Team


class Segment(models.Model):
    """A saved filter tree over profiles. Who is in it is always computed from current data when needed."""

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)  # the API identifier
    name = models.CharField(_("name"), max_length=255, unique=True)
    description = models.TextField(_("description"), blank=True)
    filters = models.JSONField(
        _("filters"),
        default=dict,
        blank=True,
        help_text=_('A filter tree, for example {"all": [{"filter": "country", "op": "any_of", "values": ["KR"]}]}.'),
    )
    teams = models.ManyToManyField(Team, blank=True, related_name="segments", verbose_name=_("teams"))
    tags = models.ManyToManyField(Tag, blank=True, related_name="segments", verbose_name=_("tags"))
    is_archived = models.BooleanField(_("archived"), default=False)
    tracks_size = models.BooleanField(_("record its size every day"), default=True)
    exact_count = models.BigIntegerField(_("profiles"), null=True, editable=False)
    counted_at = models.DateTimeField(_("counted"), null=True, editable=False)
    count_seconds = models.FloatField(null=True, editable=False)
    count_asked_at = models.DateTimeField(null=True, editable=False)  # an exact count waits to be made, or runs
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated"), auto_now=True)

    class Meta:
        verbose_name = _("segment")
        verbose_name_plural = _("segments")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class SegmentSize(models.Model):
    """How large a segment was on a day."""

    segment = models.ForeignKey(Segment, models.CASCADE, related_name="sizes")
    day = models.DateField(_("day"))
    size = models.BigIntegerField(_("profiles"))

    class Meta:
        verbose_name = _("segment size")
        verbose_name_plural = _("segment sizes")
        constraints = [models.UniqueConstraint(fields=["segment", "day"], name="segment_size_once")]

    def __str__(self) -> str:
        return f"{self.segment_id} on {self.day}: {self.size}"


class SuppressionList(models.Model):
    """Filters that describe whom nobody messages; outreach with one of the exception tags may."""

    class Status(models.TextChoices):
        INACTIVE = "inactive", _("inactive")
        ACTIVE = "active", _("active")
        ARCHIVED = "archived", _("archived")

    MOST_ACTIVE = 5

    name = models.CharField(_("name"), max_length=255, unique=True)
    description = models.TextField(_("description"), blank=True)
    filters = models.JSONField(_("filters"), default=dict, blank=True)
    status = models.CharField(_("status"), max_length=8, choices=Status, default=Status.INACTIVE)
    exception_tags = models.ManyToManyField(
        Tag,
        blank=True,
        related_name="+",
        verbose_name=_("exception tags"),
        help_text=_("Campaigns and Canvases with one of these tags may message the people on this list."),
    )
    spares_api = models.BooleanField(_("not for API-triggered sends"), default=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated"), auto_now=True)

    class Meta:
        verbose_name = _("suppression list")
        verbose_name_plural = _("suppression lists")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class GlobalControl(models.Model):
    """A share of all profiles that no outreach reaches: ranges of random buckets, drawn once, never edited.

    `ranges` and `treatment_ranges` (a sample of the same size to compare with) are lists of [first, last] buckets.
    Former groups stay so that reports over past periods stay right.
    """

    percentage = models.PositiveSmallIntegerField(
        _("share (%)"), validators=[MinValueValidator(1), MaxValueValidator(15)]
    )
    ranges = models.JSONField(default=list, editable=False)
    treatment_ranges = models.JSONField(default=list, editable=False)
    exclusion_tags = models.ManyToManyField(
        Tag,
        blank=True,
        related_name="+",
        verbose_name=_("exclusion tags"),
        help_text=_("Campaigns and Canvases with one of these tags reach the control group too."),
    )
    started_at = models.DateTimeField(_("started"), default=timezone.now, editable=False)
    ended_at = models.DateTimeField(_("ended"), null=True, editable=False)

    class Meta:
        verbose_name = _("global control group")
        verbose_name_plural = _("global control groups")
        ordering = ["-started_at"]
        constraints = [
            models.UniqueConstraint(
                models.Value(1),
                condition=models.Q(ended_at__isnull=True),
                name="one_running_global_control",
                violation_error_message=_("There is a global control group. Disable it first."),
            ),
            models.CheckConstraint(
                condition=models.Q(percentage__gte=1, percentage__lte=15), name="global_control_1_to_15_percent"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.percentage} %"
