"""Subscription groups: lists that a profile is in or has left."""

import uuid

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .profile import Profile


class SubscriptionGroup(models.Model):
    """A list that people subscribe to and leave. An archived one takes no changes and is not offered in filters."""

    MOST = 100

    key = models.UUIDField(_("API identifier"), default=uuid.uuid4, unique=True, editable=False)  # the API identifier
    name = models.CharField(_("name"), max_length=255, unique=True)
    description = models.CharField(_("description"), max_length=255, blank=True)
    channel = models.CharField(_("channel"), max_length=16, default="webhook")
    is_archived = models.BooleanField(_("archived"), default=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("subscription group")
        verbose_name_plural = _("subscription groups")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class SubscriptionState(models.Model):
    """What a profile said about a subscription group. No row: it never said anything."""

    class State(models.TextChoices):
        SUBSCRIBED = "subscribed", _("subscribed")
        UNSUBSCRIBED = "unsubscribed", _("unsubscribed")

    profile = models.ForeignKey(Profile, models.CASCADE, related_name="subscription_states", db_index=False)
    group = models.ForeignKey(SubscriptionGroup, models.CASCADE, related_name="states", db_index=False)
    state = models.CharField(_("state"), max_length=12, choices=State)
    changed_at = models.DateTimeField(_("changed"), default=timezone.now)

    class Meta:
        verbose_name = _("subscription state")
        verbose_name_plural = _("subscription states")
        constraints = [models.UniqueConstraint(fields=["profile", "group"], name="subscription_state_once")]
        indexes = [
            models.Index(fields=["group", "state", "profile"], name="subscription_state_by_group"),  # filters
        ]

    def __str__(self) -> str:
        return f"{self.profile_id} {self.state}"
