"""The graph: steps that keep their ids for life, and what each version says of them."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from outreach.models import Variant
from webhooks.models import Content

from .canvas import Canvas


class Kind(models.TextChoices):
    MESSAGE = "message", _("Message")
    DELAY = "delay", _("Delay")
    DECISION_SPLIT = "decision", _("Decision split")
    AUDIENCE_PATHS = "audience", _("Audience paths")
    ACTION_PATHS = "action", _("Action paths")
    EXPERIMENT_PATHS = "experiment", _("Experiment paths")
    USER_UPDATE = "update", _("User update")
    CONTEXT = "context", _("Context")
    EXIT = "exit", _("Exit")


class CanvasVersion(models.Model):
    """The graph and the exit criteria as of one publication; without a number it is the draft.

    A published version never changes. `edition` grows with every saved change of a draft and guards against
    overwriting another's edit. `redirects` says where those go who wait in a step that this version no longer has:
    {step id: step id, or null to leave}.
    """

    canvas = models.ForeignKey(Canvas, models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField(_("version"), null=True)
    edition = models.PositiveIntegerField(default=1)
    exit_events = models.JSONField(_("exit events"), default=list, blank=True)
    exit_audience = models.JSONField(_("exit audience"), default=dict, blank=True)
    exits_at_once = models.BooleanField(_("leave at once"), default=True)
    redirects = models.JSONField(default=dict)
    note = models.CharField(_("what changed"), max_length=255, blank=True)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    published_at = models.DateTimeField(_("published"), null=True)

    class Meta:
        verbose_name = _("Canvas version")
        verbose_name_plural = _("Canvas versions")
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(fields=["canvas", "number"], name="canvas_version_once"),
            models.UniqueConstraint(fields=["canvas"], condition=Q(number=None), name="canvas_one_draft"),
        ]

    def __str__(self) -> str:
        return f"{self.canvas_id} v{self.number}" if self.number else f"{self.canvas_id} draft"


class Step(models.Model):
    """One node, for life: its kind never changes, and it is never deleted, so that its numbers stay."""

    canvas = models.ForeignKey(Canvas, models.CASCADE, related_name="steps")
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("step")
        verbose_name_plural = _("steps")

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.pk}"


class StepRevision(models.Model):
    """What a version says of a step. `settings` are read by the step's kind (`canvas.steps`)."""

    version = models.ForeignKey(CanvasVersion, models.CASCADE, related_name="revisions", db_index=False)
    step = models.ForeignKey(Step, models.CASCADE, related_name="revisions")
    name = models.CharField(_("name"), max_length=100)
    note = models.TextField(_("internal note"), blank=True)
    settings = models.JSONField(default=dict)
    is_disabled = models.BooleanField(
        _("switched off"), default=False, help_text=_("Profiles pass through without effect.")
    )
    contents: "models.ManyToManyField[Content, StepContent]" = models.ManyToManyField(
        Content, through="StepContent", related_name="step_revisions"
    )

    class Meta:
        verbose_name = _("step revision")
        verbose_name_plural = _("step revisions")
        constraints = [models.UniqueConstraint(fields=["version", "step"], name="step_revision_once")]

    def __str__(self) -> str:
        return self.name


class DraftChange(models.Model):
    """What a draft looked like before a change, so that the change can be undone; gone once the draft is published."""

    version = models.ForeignKey(CanvasVersion, models.CASCADE, related_name="changes")
    what = models.CharField(_("what changed"), max_length=255)
    before = models.JSONField()
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    made_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("change of a draft")
        verbose_name_plural = _("changes of drafts")
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.what


class StepContent(models.Model):
    """A webhook of a message step. Versions share a content until a draft changes it: then the draft gets its own."""

    revision = models.ForeignKey(StepRevision, models.CASCADE, related_name="step_contents", db_index=False)
    slot = models.PositiveSmallIntegerField(default=0)
    content = models.ForeignKey(Content, models.PROTECT, related_name="step_contents")

    class Meta:
        verbose_name = _("webhook of a step")
        verbose_name_plural = _("webhooks of steps")
        ordering = ["slot"]
        constraints = [models.UniqueConstraint(fields=["revision", "slot"], name="step_slot_once")]

    def __str__(self) -> str:
        return f"{self.revision}, webhook {self.slot + 1}"


class Path(models.Model):
    """A way out of a step, or from a variant into its first step; without a target it ends the journey.

    `key` is the path's number within its step, for life; visits and counts name it. `rank` orders paths on the page
    and decides which of several that fit is taken.
    """

    version = models.ForeignKey(CanvasVersion, models.CASCADE, related_name="paths")
    step = models.ForeignKey(Step, models.CASCADE, null=True, related_name="+", db_index=False)
    variant = models.ForeignKey(Variant, models.CASCADE, null=True, related_name="+", db_index=False)
    key = models.PositiveSmallIntegerField(default=0)
    rank = models.PositiveSmallIntegerField(default=0)
    name = models.CharField(_("name"), max_length=100, blank=True)
    target = models.ForeignKey(Step, models.CASCADE, null=True, related_name="+", db_index=False)

    class Meta:
        verbose_name = _("path")
        verbose_name_plural = _("paths")
        ordering = ["rank", "key"]
        constraints = [
            models.UniqueConstraint(fields=["version", "step", "key"], name="path_once"),
            models.UniqueConstraint(fields=["version", "variant"], name="variant_start_once"),
            models.CheckConstraint(
                condition=Q(step__isnull=True) ^ Q(variant__isnull=True), name="path_from_step_or_variant"
            ),
        ]

    def __str__(self) -> str:
        return self.name or f"path {self.key}"
