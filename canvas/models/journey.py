"""Journeys: one pass of one profile through a Canvas, and each step it visited."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from audience.models import Profile
from canvas.states import Reason, State, Waiting
from outreach.models import Variant

from .canvas import Canvas
from .graph import CanvasVersion, Step


class Journey(models.Model):
    """One pass of one profile. Whatever it waits for, the time is in `wake_at`: there is no sleeping job.

    `token` grows with every transition; who works on a journey outside a transaction names the token it saw. A worker
    that renders takes a lease by moving `wake_at` on. `latched` is an exit reason that takes effect at the next move,
    `choice` the path an action has chosen. `source` says which run, event or call let the profile in. `context` holds
    entry properties and context variables, `event_properties` those of the event that decided the last action path.
    What happened until `began_at` (the time of the event that let it in, else its entry) can't end the journey, and
    what happened until `events_since` doesn't count in the current step; later events do, however late they arrive.

    Foreign keys carry no database constraint: a deleted profile leaves its journeys, and checking costs time.
    """

    canvas = models.ForeignKey(Canvas, models.CASCADE, db_constraint=False, db_index=False, related_name="journeys")
    profile = models.ForeignKey(
        Profile, models.DO_NOTHING, db_constraint=False, db_index=False, related_name="journeys"
    )
    variant = models.ForeignKey(Variant, models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+")
    state = models.CharField(_("state"), max_length=9, choices=State, default=State.ENTERING)
    step = models.ForeignKey(
        Step, models.DO_NOTHING, null=True, db_constraint=False, db_index=False, related_name="journeys"
    )
    step_entered_at = models.DateTimeField(null=True)
    visit_id = models.BigIntegerField(null=True)  # the StepVisit of the current step
    wake_at = models.DateTimeField(_("goes on"), null=True)
    waits_for = models.CharField(_("waits for"), max_length=15, choices=Waiting, default="", blank=True)
    token = models.PositiveIntegerField(default=0)
    attempts = models.PositiveSmallIntegerField(default=0)
    latched = models.CharField(max_length=28, choices=Reason, default="", blank=True)
    choice = models.PositiveSmallIntegerField(null=True)
    choice_at = models.DateTimeField(null=True)
    entered_at = models.DateTimeField(_("entered"))
    entry_second = models.BigIntegerField()
    source = models.CharField(max_length=64)
    began_at = models.DateTimeField()
    events_since = models.DateTimeField()
    version = models.ForeignKey(CanvasVersion, models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+")
    context = models.JSONField(null=True)
    event_properties = models.JSONField(null=True)
    last_message_step = models.BigIntegerField(null=True)
    last_message_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(_("ended"), null=True)
    exit_reason = models.CharField(_("reason"), max_length=28, choices=Reason, default="", blank=True)
    label = models.CharField(max_length=100, default="", blank=True)
    error = models.TextField(default="", blank=True)

    class Meta:
        verbose_name = _("journey")
        verbose_name_plural = _("journeys")
        constraints = [
            # also answers "when did this profile last enter?"
            models.UniqueConstraint(fields=["canvas", "profile", "entry_second"], name="journey_once_a_second"),
            models.UniqueConstraint(fields=["canvas", "profile", "source"], name="journey_once_a_source"),
        ]
        indexes = [
            # the engine: which steps have journeys, and which of them are due, oldest first; who is in a step
            models.Index(fields=["step", "wake_at"], name="journey_due", condition=Q(ended_at__isnull=True)),
            # an event: the live journeys of its profile; merging and deleting profiles
            models.Index(fields=["profile"], name="journey_live", condition=Q(ended_at__isnull=True)),
        ]

    def __str__(self) -> str:
        return f"journey {self.pk}"


class VisitOutcome(models.TextChoices):
    """How a visit ended. None of these: the journey is in the step, or failed there."""

    PROCEEDED = "proceeded", _("went on")
    COMPLETED = "completed", _("completed")
    EXITED = "exited", _("exited")


class StepVisit(models.Model):
    """That a journey came to a step, and how it left. One for each journey and step: the graph has no cycles.

    `path` is the key of the path taken, `version` the number of the version in force on arrival, `late_seconds` how
    long after its time it went on. Its id is the cause of the messages of the visit.
    """

    journey = models.ForeignKey(Journey, models.CASCADE, db_constraint=False, db_index=False, related_name="visits")
    step = models.ForeignKey(Step, models.DO_NOTHING, db_constraint=False, db_index=False, related_name="visits")
    version = models.PositiveIntegerField(default=0)
    entered_at = models.DateTimeField()
    left_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=9, choices=VisitOutcome, default="", blank=True)
    reason = models.CharField(max_length=28, choices=Reason, default="", blank=True)
    path = models.PositiveSmallIntegerField(null=True)
    late_seconds = models.PositiveIntegerField(default=0)
    note = models.CharField(max_length=255, default="", blank=True)

    class Meta:
        verbose_name = _("visit")
        verbose_name_plural = _("visits")
        constraints = [models.UniqueConstraint(fields=["journey", "step"], name="visit_once")]

    def __str__(self) -> str:
        return f"visit {self.pk}"


class ExperimentShare(models.Model):
    """The path a profile was drawn for at an experiment: it stays when it comes again."""

    step = models.ForeignKey(Step, models.CASCADE, db_constraint=False, db_index=False, related_name="shares")
    profile = models.ForeignKey(Profile, models.CASCADE, db_constraint=False, related_name="experiment_shares")
    path = models.PositiveSmallIntegerField()

    class Meta:
        verbose_name = _("experiment share")
        verbose_name_plural = _("experiment shares")
        constraints = [models.UniqueConstraint(fields=["step", "profile"], name="experiment_share_once")]

    def __str__(self) -> str:
        return f"{self.profile_id} on path {self.path}"


class ExperimentResult(models.Model):
    """That an experiment has ended: all go along `winner` from then on, or on by the shares where it is null.

    `figures` are [journeys, conversions] by path key, as they were when it was decided.
    """

    step = models.OneToOneField(Step, models.CASCADE, related_name="result")
    decided_at = models.DateTimeField()
    winner = models.PositiveSmallIntegerField(null=True)
    is_clear = models.BooleanField(default=False)
    was_edited = models.BooleanField(default=False)  # a publication ended it before its time
    figures = models.JSONField(default=dict)

    class Meta:
        verbose_name = _("result of an experiment")
        verbose_name_plural = _("results of experiments")

    def __str__(self) -> str:
        return f"path {self.winner}" if self.winner is not None else "no winner"
