"""Who can be messaged: profiles, what they did, and saved filters over them."""

import random
import uuid

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from workspace.models import Tag, Team, validate_time_zone

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
    phone = models.CharField(_("phone"), max_length=32, blank=True)
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
    push_subscribe = models.CharField(
        _("push subscription"), max_length=12, choices=Subscription, default=Subscription.SUBSCRIBED
    )
    random_bucket = models.PositiveSmallIntegerField(_("random bucket"), default=random_bucket, editable=False)
    custom_attributes = models.JSONField(_("custom attributes"), default=dict, blank=True)
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
            models.Index(fields=["random_bucket"], name="profile_by_bucket"),  # estimates read a range of buckets
        ]
        constraints = [
            models.CheckConstraint(condition=models.Q(random_bucket__lt=BUCKETS), name="profile_bucket_in_range"),
            models.CheckConstraint(condition=~models.Q(external_id=""), name="profile_external_id_not_empty"),
        ]

    def __str__(self) -> str:
        return self.external_id or self.email or str(self.braze_id)


class CustomEvent(models.Model):
    """Something a profile did, with properties. `occurred_at` is the event's own time, `received_at` when we got it."""

    profile = models.ForeignKey(Profile, models.CASCADE, related_name="events")
    name = models.CharField(_("name"), max_length=255)
    occurred_at = models.DateTimeField(_("time"), default=timezone.now)
    received_at = models.DateTimeField(_("received"), default=timezone.now)
    properties = models.JSONField(_("properties"), default=dict, blank=True)
    event_id = models.CharField(max_length=255, null=True, blank=True, unique=True)

    class Meta:
        verbose_name = _("custom event")
        verbose_name_plural = _("custom events")
        indexes = [
            # filters: did this profile do it, how often, when
            models.Index(fields=["profile", "name", "occurred_at"], name="event_by_profile_name_time"),
            models.Index(fields=["name", "occurred_at"], name="event_by_name_time"),
        ]

    def __str__(self) -> str:
        return self.name


class Purchase(models.Model):
    """A purchase of `quantity` × `price` in `currency` (ISO 4217); a negative price is a refund."""

    profile = models.ForeignKey(Profile, models.CASCADE, related_name="purchases")
    product_id = models.CharField(_("product"), max_length=255)
    currency = models.CharField(_("currency"), max_length=3)
    price = models.DecimalField(_("price"), max_digits=16, decimal_places=4)
    quantity = models.PositiveSmallIntegerField(
        _("quantity"), default=1, validators=[MinValueValidator(1), MaxValueValidator(100)]
    )
    occurred_at = models.DateTimeField(_("time"), default=timezone.now)
    received_at = models.DateTimeField(_("received"), default=timezone.now)
    properties = models.JSONField(_("properties"), default=dict, blank=True)

    class Meta:
        verbose_name = _("purchase")
        verbose_name_plural = _("purchases")
        indexes = [
            models.Index(fields=["profile", "product_id", "occurred_at"], name="purchase_by_profile"),
            models.Index(fields=["product_id", "occurred_at"], name="purchase_by_product"),
        ]

    def __str__(self) -> str:
        return self.product_id


class Segment(models.Model):
    """A saved filter tree over profiles. Who is in it is always computed from current data when needed."""

    name = models.CharField(_("name"), max_length=255, unique=True)
    description = models.TextField(_("description"), blank=True)
    filters = models.JSONField(
        _("filters"),
        default=dict,
        help_text=_('A filter tree, for example {"all": [{"filter": "country", "op": "any_of", "values": ["KR"]}]}.'),
    )
    teams = models.ManyToManyField(Team, blank=True, related_name="segments", verbose_name=_("teams"))
    tags = models.ManyToManyField(Tag, blank=True, related_name="segments", verbose_name=_("tags"))
    is_archived = models.BooleanField(_("archived"), default=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated"), auto_now=True)

    class Meta:
        verbose_name = _("segment")
        verbose_name_plural = _("segments")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class PendingEvent(models.Model):
    """An event that somebody listens to, stored with the event itself and deleted with its effects (the outbox)."""

    class Kind(models.TextChoices):
        CUSTOM_EVENT = "event", _("custom event")
        PURCHASE = "purchase", _("purchase")
        SESSION_START = "session", _("session start")
        ATTRIBUTES = "attributes", _("attributes changed")
        SUBSCRIPTION = "subscription", _("subscription changed")
        OUTREACH = "outreach", _("interaction with a campaign or Canvas")

    profile = models.ForeignKey(Profile, models.CASCADE, related_name="+")
    kind = models.CharField(max_length=16, choices=Kind)
    name = models.CharField(max_length=255, blank=True)
    source_id = models.BigIntegerField(null=True)  # the row of CustomEvent or Purchase
    payload = models.JSONField(default=dict)  # properties, or what changed as {name: [before, after]}
    occurred_at = models.DateTimeField()
    received_at = models.DateTimeField(default=timezone.now)
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(default=timezone.now)  # moved on when a reaction failed
    error = models.TextField(blank=True)

    class Meta:
        verbose_name = _("pending event")
        verbose_name_plural = _("pending events")
        indexes = [models.Index(fields=["due_at", "id"], name="pending_event_due")]  # the dispatcher's claim

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"
