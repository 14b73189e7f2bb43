"""The house rules everything else obeys: zone, languages, teams, tags and stored secrets."""

import uuid
import zoneinfo
from datetime import time

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from workspace.access.models import Session

__all__ = ["Credential", "Membership", "Session", "Tag", "Team", "Workspace"]


def validate_time_zone(name: str) -> None:
    """Accept IANA names only."""
    if name not in zoneinfo.available_timezones():
        raise ValidationError(
            _("“%(name)s” is not a time zone. Use a name such as Europe/Paris or Asia/Seoul."), params={"name": name}
        )


def _minutes(at: time) -> int:
    return at.hour * 60 + at.minute


class Workspace(models.Model):
    """The one row (pk 1) of rules that hold for all outreach of this installation."""

    name = models.CharField(_("name"), max_length=100, default="Hookline")
    key = models.UUIDField(default=uuid.uuid4, editable=False, help_text=_("Makes webhook-id values unique to us."))
    time_zone = models.CharField(_("time zone"), max_length=64, default="UTC", validators=[validate_time_zone])
    rate_per_minute = models.PositiveIntegerField(
        _("messages a minute"),
        null=True,
        blank=True,
        validators=[MinValueValidator(10), MaxValueValidator(500_000)],
        help_text=_("Over all campaigns and Canvases together. Empty: no limit."),
    )
    next_free_at = models.DateTimeField(null=True, editable=False)
    quiet_start = models.TimeField(_("quiet from"), null=True, blank=True, help_text=_("In each profile's own time."))
    quiet_end = models.TimeField(_("quiet until"), null=True, blank=True)
    approves_campaigns = models.BooleanField(_("campaigns need approval before launch"), default=False)
    approves_canvases = models.BooleanField(_("Canvases need approval before launch"), default=False)
    has_four_eyes = models.BooleanField(_("nobody may approve a change of their own"), default=False)
    confirm_above = models.PositiveIntegerField(
        _("type the number to launch to more than"), default=10_000, help_text=_("Profiles.")
    )

    error_threshold = models.PositiveIntegerField(
        _("alert after so many endpoint errors in 24 hours"),
        default=100_000,
        validators=[MinValueValidator(1)],
        help_text=_("Retries included; webhooks and Connected Content each by themselves."),
    )
    error_percent = models.PositiveSmallIntegerField(
        _("alert when this share of requests fails within 15 minutes (%)"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(100)],
        help_text=_("Empty: no such alert."),
    )
    error_percent_of = models.PositiveIntegerField(
        _("of at least so many requests"), default=200, validators=[MinValueValidator(1)]
    )

    class Meta:
        verbose_name = _("workspace")
        verbose_name_plural = _("workspace")
        constraints = [models.CheckConstraint(condition=models.Q(pk=1), name="workspace_is_one_row")]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        if (self.quiet_start is None) != (self.quiet_end is None):
            raise ValidationError({"quiet_end": _("Quiet hours need a start and an end.")})
        if self.quiet_start is not None and self.quiet_end is not None:
            length = (_minutes(self.quiet_end) - _minutes(self.quiet_start)) % 1440
            if not 0 < length <= 1200:
                raise ValidationError({"quiet_end": _("Quiet hours last more than nothing and at most 20 hours.")})

    @classmethod
    def current(cls) -> "Workspace":
        """The workspace row, made with its defaults if the database is new."""
        return cls.objects.get_or_create(pk=1)[0]


class Team(models.Model):
    """People who share outreach, segments and templates; object permissions follow it."""

    name = models.CharField(_("name"), max_length=100, unique=True)
    description = models.TextField(_("description"), blank=True)
    is_archived = models.BooleanField(_("archived"), default=False)
    members: "models.ManyToManyField[models.Model, Membership]" = models.ManyToManyField(
        settings.AUTH_USER_MODEL, through="Membership", related_name="teams", verbose_name=_("members")
    )

    class Meta:
        verbose_name = _("team")
        verbose_name_plural = _("teams")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """That a person belongs to a team."""

    team = models.ForeignKey(Team, models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="memberships")

    class Meta:
        verbose_name = _("membership")
        verbose_name_plural = _("memberships")
        constraints = [models.UniqueConstraint(fields=["team", "user"], name="membership_once")]

    def __str__(self) -> str:
        return f"{self.user} in {self.team}"


class Tag(models.Model):
    """A label on outreach, segments and templates; `/` nests, up to five levels."""

    name = models.CharField(_("name"), max_length=100, help_text=_("Use / to nest, for example season/spring."))

    class Meta:
        verbose_name = _("tag")
        verbose_name_plural = _("tags")
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                Lower("name"), name="tag_name_once", violation_error_message=_("There is a tag of that name.")
            )
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        parts = self.name.split("/")
        if len(parts) > 5 or not all(part.strip() for part in parts):
            raise ValidationError({"name": _("Up to five non-empty levels, for example season/spring/vip.")})


class Credential(models.Model):
    """A named secret; the value is never shown again.

    Text is usable in URL, headers and body as `{{credentials.${name}}}`, and so is the token that OAuth 2 client
    credentials bring (RFC 6749, section 4.4). A webhook names the client certificate it is sent with. Connected Content
    uses a user and password as `:basic_auth name`, headers as `:auth_credentials name`, and sends them to `domain` and
    below it only. `sealed_value` holds, sealed, the text, `user:password`, a JSON list of [name, value], or PEM blocks.
    """

    class Kind(models.TextChoices):
        TEXT = "text", _("text")
        BASIC = "basic", _("user and password (Connected Content)")
        HEADERS = "headers", _("request headers (Connected Content)")
        OAUTH2 = "oauth2", _("access token (OAuth 2 client credentials)")
        CERTIFICATE = "cert", _("client certificate")

    PRINTABLE = (Kind.TEXT, Kind.OAUTH2)
    FOR_CALLS = (Kind.BASIC, Kind.HEADERS)

    name = models.CharField(_("name"), max_length=100, unique=True)
    kind = models.CharField(_("kind"), max_length=8, choices=Kind, default=Kind.TEXT)
    domain = models.CharField(
        _("allowed domain"), max_length=255, blank=True, help_text=_("For example api.example.com. Needed for headers.")
    )
    sealed_value = models.TextField(editable=False)
    expires_at = models.DateTimeField(_("valid until"), null=True, editable=False)  # of a certificate
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(_("last edited"), auto_now=True)

    class Meta:
        verbose_name = _("credential")
        verbose_name_plural = _("credentials")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class NotificationKind(models.TextChoices):
    """What people can be told about by email."""

    WEBHOOK_ERRORS = "webhook_errors", _("webhook errors")
    CONNECTED_CONTENT_ERRORS = "connected_content_errors", _("Connected Content errors")
    ERROR_RATE = "error_rate", _("a sudden error rate")
    CERTIFICATES = "certificates", _("client certificates that run out")


class NotificationPreferences(models.Model):
    """Which emails a person wants. A kind that nobody wants goes to every administrator."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="notification_preferences", editable=False
    )
    kinds = models.JSONField(_("tell me of"), default=list, blank=True)  # of NotificationKind

    class Meta:
        verbose_name = _("notification preferences")
        verbose_name_plural = _("notification preferences")

    def __str__(self) -> str:
        return str(self.user)


class Notified(models.Model):
    """When people were last told about something, so that they are not told again too soon; `error` if that failed."""

    about = models.CharField(max_length=100, unique=True)
    at = models.DateTimeField(null=True)
    tried_at = models.DateTimeField(null=True)
    error = models.TextField(blank=True)

    class Meta:
        verbose_name = _("notification sent")
        verbose_name_plural = _("notifications sent")

    def __str__(self) -> str:
        return self.about


class SavedView(models.Model):
    """A list as somebody looked at it: its search, filters and order, under a name of their own."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="saved_views")
    path = models.CharField(max_length=200)  # of the list
    query = models.CharField(max_length=2000)  # as in its address, without the page
    name = models.CharField(_("name"), max_length=60)

    class Meta:
        verbose_name = _("saved view")
        verbose_name_plural = _("saved views")
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["user", "path", "name"], name="saved_view_once")]

    def __str__(self) -> str:
        return self.name
