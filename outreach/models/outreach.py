"""What a campaign and a Canvas share, and the controls both have."""

import uuid
from typing import ClassVar, Self, TypeVar

from django.conf import settings
from django.core.validators import MaxValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from audience.models import Segment, SubscriptionGroup
from webhooks.models import Sender
from workspace.models import Tag, Team


class Status(models.TextChoices):
    DRAFT = "draft", _("draft")
    ACTIVE = "active", _("active")
    PAUSED = "paused", _("paused")
    STOPPED = "stopped", _("stopped")
    ARCHIVED = "archived", _("archived")


class Quiet(models.TextChoices):
    WORKSPACE = "workspace", _("the workspace's quiet hours")
    OWN = "own", _("quiet hours of its own")
    NONE = "none", _("none")


class Subscribed(models.TextChoices):
    """Who may receive. A webhook has no subscription of its own, so by default everybody may."""

    ALL = "", _("everybody")
    EMAIL = "email", _("subscribed or opted in to email")
    EMAIL_OPTED_IN = "email_opted_in", _("opted in to email")
    PUSH = "push", _("subscribed or opted in to push")
    PUSH_OPTED_IN = "push_opted_in", _("opted in to push")
    GROUP = "group", _("subscribed to a group")


class Optimisation(models.TextChoices):
    NONE = "", _("none: the shares stay as they are")
    WINNER = "winner", _("winning variant")
    SELECTION = "selection", _("intelligent selection")


Row = TypeVar("Row", bound="Outreach", covariant=True)


class Public(models.Manager[Row]):
    """Without live tests: what lists, searches, reports and the API show."""

    def get_queryset(self) -> "models.QuerySet[Row]":
        return super().get_queryset().filter(test_of=None)


class Outreach(models.Model):
    """A campaign or a Canvas. `version` grows with every saved change and guards against overwriting another's edit.

    The audience is everyone who is in all `segments` and matches `filters`; "everyone" is said by `to_everyone`, never
    by an empty filter. `held_share`, `winner_at` and `sends_best_anyway` belong to a winning-variant test.

    `test_of` makes it a live test of another, which is hidden (`objects`) from everything but what sends
    (`with_tests`); whoever deletes the other deletes its test before.
    """

    objects: ClassVar[Public[Self]] = Public()
    with_tests: ClassVar[models.Manager[Self]] = models.Manager()

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
    quiet_mode = models.CharField(_("quiet hours"), max_length=9, choices=Quiet, default=Quiet.WORKSPACE)
    quiet_start = models.TimeField(_("quiet from"), null=True, blank=True)
    quiet_end = models.TimeField(_("quiet until"), null=True, blank=True)
    quiet_waits = models.BooleanField(
        _("in quiet hours, wait for their end"), default=False, help_text=_("Otherwise the message is dropped.")
    )
    obeys_caps = models.BooleanField(_("obey frequency caps"), default=True)
    counts_for_caps = models.BooleanField(_("count towards caps although it doesn't obey them"), default=False)
    subscribed = models.CharField(_("send to"), max_length=14, choices=Subscribed, default=Subscribed.ALL, blank=True)
    subscription_group = models.ForeignKey(
        SubscriptionGroup, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("subscription group")
    )
    optimisation = models.CharField(_("optimisation"), max_length=9, choices=Optimisation, default="", blank=True)
    held_share = models.PositiveSmallIntegerField(
        _("held back for the winner (%)"), default=0, validators=[MaxValueValidator(100)]
    )
    winner_at = models.DateTimeField(_("the winner goes out"), null=True, blank=True)
    sends_best_anyway = models.BooleanField(_("without a clear winner, send the best"), default=True)
    decided_at = models.DateTimeField(null=True, editable=False)  # when the test or the selection ended
    recalculated_at = models.DateTimeField(null=True, editable=False)
    version = models.PositiveIntegerField(default=1, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, editable=False, related_name="+"
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("last edited"), auto_now=True)
    launched_at = models.DateTimeField(_("launched"), null=True, editable=False)
    test_of = models.OneToOneField(
        "self", models.DO_NOTHING, null=True, editable=False, db_constraint=False, related_name="test"
    )

    class Meta:
        verbose_name = _("campaign or Canvas")
        verbose_name_plural = _("campaigns and Canvases")
        indexes = [models.Index(fields=["status"], name="outreach_by_status")]  # lists, the timetable

    def __str__(self) -> str:
        return self.name
