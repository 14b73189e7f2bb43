"""Profiles and what identifies and describes them."""

import random
import uuid

from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from workspace.models import validate_time_zone

BUCKETS = 10_000


def random_bucket() -> int:
    return random.randrange(BUCKETS)  # noqa: S311 - a fair share, not a secret


class Subscription(models.TextChoices):
    OPTED_IN = "opted_in", _("opted in")
    SUBSCRIBED = "subscribed", _("subscribed")
    UNSUBSCRIBED = "unsubscribed", _("unsubscribed")


class Gender(models.TextChoices):
    MALE = "M", _("male")
    FEMALE = "F", _("female")
    OTHER = "O", _("other")
    NOT_APPLICABLE = "N", _("not applicable")
    UNDISCLOSED = "P", _("prefer not to say")


class Profile(models.Model):
    """A customer. `external_id` is the key in the user's own systems: case-sensitive, at most 512 characters."""

    braze_id = models.UUIDField(_("internal ID"), default=uuid.uuid4, unique=True, editable=False)
    external_id = models.CharField(_("external ID"), max_length=512, unique=True, null=True, blank=True)
    email = models.CharField(_("email"), max_length=320, blank=True)
    phone = models.CharField(_("phone"), max_length=32, blank=True, help_text=_("With country code: +82 10 1234 5678."))
    unformatted_phone = models.CharField(_("unformatted phone"), max_length=255, blank=True, editable=False)
    first_name = models.CharField(_("first name"), max_length=255, blank=True)
    last_name = models.CharField(_("last name"), max_length=255, blank=True)
    gender = models.CharField(_("gender"), max_length=1, blank=True, choices=Gender)
    date_of_birth = models.DateField(_("date of birth"), null=True, blank=True)
    country = models.CharField(_("country"), max_length=2, blank=True, help_text=_("Two letters, for example KR."))
    home_city = models.CharField(_("home city"), max_length=255, blank=True)
    language = models.CharField(_("language"), max_length=16, blank=True, help_text=_("For example en or pt-BR."))
    time_zone = models.CharField(_("time zone"), max_length=64, blank=True, validators=[validate_time_zone])
    email_subscribe = models.CharField(
        _("email subscription"), max_length=12, choices=Subscription, default=Subscription.SUBSCRIBED
    )
    email_subscribe_at = models.DateTimeField(_("email subscription changed"), null=True, editable=False)
    push_subscribe = models.CharField(
        _("push subscription"), max_length=12, choices=Subscription, default=Subscription.SUBSCRIBED
    )
    push_subscribe_at = models.DateTimeField(_("push subscription changed"), null=True, editable=False)
    random_bucket = models.PositiveSmallIntegerField(_("random bucket"), default=random_bucket, editable=False)
    custom_attributes = models.JSONField(_("custom attributes"), default=dict, blank=True)
    other_attributes = models.JSONField(default=dict, blank=True, editable=False)  # kept as sent, used nowhere
    first_session_at = models.DateTimeField(_("first session"), null=True, blank=True)
    last_session_at = models.DateTimeField(_("last session"), null=True, blank=True)
    created_at = models.DateTimeField(_("created"), default=timezone.now)
    updated_at = models.DateTimeField(_("updated"), auto_now=True)

    class Meta:
        verbose_name = _("profile")
        verbose_name_plural = _("profiles")
        indexes = [
            models.Index(Lower("email"), name="profile_by_email"),  # find one, and imports that name people by email
            models.Index(fields=["phone"], name="profile_by_phone"),
            # find one by a number that is none
            models.Index(
                fields=["unformatted_phone"], name="profile_by_raw_phone", condition=~models.Q(unformatted_phone="")
            ),
            models.Index(fields=["random_bucket"], name="profile_by_bucket"),  # estimates read a range of buckets
        ]
        constraints = [
            models.CheckConstraint(condition=models.Q(random_bucket__lt=BUCKETS), name="profile_bucket_in_range"),
            models.CheckConstraint(condition=~models.Q(external_id=""), name="profile_external_id_not_empty"),
        ]

    def __str__(self) -> str:
        return self.external_id or self.email or str(self.braze_id)


class Alias(models.Model):
    """Another name of a profile: `name` belongs to one profile within its `label`; a profile has one name a label."""

    profile = models.ForeignKey(Profile, models.CASCADE, related_name="aliases")
    label = models.CharField(_("label"), max_length=255)
    name = models.CharField(_("name"), max_length=512)
    created_at = models.DateTimeField(_("created"), default=timezone.now)

    class Meta:
        verbose_name = _("alias")
        verbose_name_plural = _("aliases")
        constraints = [
            models.UniqueConstraint(fields=["name", "label"], name="alias_once"),  # finds a profile by name alone too
            models.UniqueConstraint(fields=["profile", "label"], name="alias_one_name_a_label"),
        ]

    def __str__(self) -> str:
        return f"{self.label}: {self.name}"


class FormerId(models.Model):
    """An external ID that was renamed: it still finds its profile."""

    profile = models.ForeignKey(Profile, models.CASCADE, related_name="former_ids")
    external_id = models.CharField(_("external ID"), max_length=512, unique=True)
    created_at = models.DateTimeField(_("renamed"), default=timezone.now)

    class Meta:
        verbose_name = _("former external ID")
        verbose_name_plural = _("former external IDs")

    def __str__(self) -> str:
        return self.external_id


class Attribute(models.Model):
    """A custom attribute that is known by name. Its type is that of the first value, or fixed by an admin."""

    class Type(models.TextChoices):
        TEXT = "text", _("text")
        NUMBER = "number", _("number")
        BOOLEAN = "boolean", _("true or false")
        TIME = "time", _("time")
        LIST = "list", _("list")
        OBJECT = "object", _("object")
        OBJECTS = "objects", _("list of objects")

    name = models.CharField(_("name"), max_length=255, unique=True)
    type = models.CharField(_("type"), max_length=8, choices=Type)
    is_type_fixed = models.BooleanField(
        _("type fixed"), default=False, help_text=_("Values of another type are then refused.")
    )
    is_blocked = models.BooleanField(
        _("blocked"), default=False, help_text=_("New values are refused, and filters no longer offer it.")
    )
    is_personal = models.BooleanField(_("personal data"), default=False)
    description = models.CharField(_("description"), max_length=255, blank=True)
    created_at = models.DateTimeField(_("first seen"), default=timezone.now)

    class Meta:
        verbose_name = _("custom attribute")
        verbose_name_plural = _("custom attributes")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
