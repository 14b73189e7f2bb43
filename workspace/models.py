"""The house rules everything else obeys: zone, languages, teams, tags and stored secrets."""

import uuid
import zoneinfo

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _


def validate_time_zone(name: str) -> None:
    """Accept IANA names only."""
    if name not in zoneinfo.available_timezones():
        raise ValidationError(
            _("“%(name)s” is not a time zone. Use a name such as Europe/Paris or Asia/Seoul."), params={"name": name}
        )


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

    class Meta:
        verbose_name = _("workspace")
        verbose_name_plural = _("workspace")
        constraints = [models.CheckConstraint(condition=models.Q(pk=1), name="workspace_is_one_row")]

    def __str__(self) -> str:
        return self.name

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

    Text is usable in URL, headers and body as `{{credentials.${name}}}`. Connected Content uses a user and password as
    `:basic_auth name`, headers as `:auth_credentials name`, and sends them to `domain` and below it only.
    `sealed_value` holds, sealed, the text, `user:password`, or a JSON list of [name, value].
    """

    class Kind(models.TextChoices):
        TEXT = "text", _("text")
        BASIC = "basic", _("user and password (Connected Content)")
        HEADERS = "headers", _("request headers (Connected Content)")

    name = models.CharField(_("name"), max_length=100, unique=True)
    kind = models.CharField(_("kind"), max_length=8, choices=Kind, default=Kind.TEXT)
    domain = models.CharField(
        _("allowed domain"), max_length=255, blank=True, help_text=_("For example api.example.com. Needed for headers.")
    )
    sealed_value = models.TextField(editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = _("credential")
        verbose_name_plural = _("credentials")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
