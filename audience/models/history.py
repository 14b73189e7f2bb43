"""What profiles did, what is kept of it for ever, and what somebody still has to react to."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .profile import Profile


class CustomEvent(models.Model):
    """Something a profile did, with properties. `occurred_at` is the event's own time, `received_at` when we got it."""

    profile = models.ForeignKey(Profile, models.CASCADE, related_name="events", db_index=False)  # see the indexes
    name = models.CharField(_("name"), max_length=255)
    occurred_at = models.DateTimeField(_("time"), default=timezone.now)
    received_at = models.DateTimeField(_("received"), default=timezone.now)
    properties = models.JSONField(_("properties"), default=dict, blank=True)
    event_id = models.CharField(max_length=255, null=True, blank=True)
    app_id = models.CharField(max_length=255, blank=True, editable=False)  # kept as sent

    class Meta:
        verbose_name = _("custom event")
        verbose_name_plural = _("custom events")
        constraints = [
            # most events have none, and then cost this index nothing
            models.UniqueConstraint(fields=["event_id"], condition=models.Q(event_id__isnull=False), name="event_once")
        ]
        indexes = [
            # filters: did this profile do it, how often, when
            models.Index(fields=["profile", "name", "occurred_at"], name="event_by_profile_name_time"),
            models.Index(fields=["name", "occurred_at"], name="event_by_name_time"),
        ]

    def __str__(self) -> str:
        return self.name


class Purchase(models.Model):
    """A purchase of `quantity` × `price` in `currency` (ISO 4217); a negative price is a refund."""

    profile = models.ForeignKey(Profile, models.CASCADE, related_name="purchases", db_index=False)
    product_id = models.CharField(_("product"), max_length=255)
    currency = models.CharField(_("currency"), max_length=3)
    price = models.DecimalField(_("price"), max_digits=16, decimal_places=4)
    quantity = models.PositiveSmallIntegerField(
        _("quantity"), default=1, validators=[MinValueValidator(1), MaxValueValidator(100)]
    )
    occurred_at = models.DateTimeField(_("time"), default=timezone.now)
    received_at = models.DateTimeField(_("received"), default=timezone.now)
    properties = models.JSONField(_("properties"), default=dict, blank=True)
    app_id = models.CharField(max_length=255, blank=True, editable=False)  # kept as sent

    class Meta:
        verbose_name = _("purchase")
        verbose_name_plural = _("purchases")
        indexes = [
            models.Index(fields=["profile", "product_id", "occurred_at"], name="purchase_by_profile"),
            models.Index(fields=["product_id", "occurred_at"], name="purchase_by_product"),
        ]

    def __str__(self) -> str:
        return self.product_id


class EventSummary(models.Model):
    """How often, and from when to when, a profile did something: kept for ever, single occurrences are pruned.

    Purchases count once under their product, once under their currency (with the money spent in it) and once under
    `purchase`, whose name is empty. `count` is the number of pieces bought.
    """

    class Kind(models.TextChoices):
        EVENT = "event", _("custom event")
        PURCHASE = "purchase", _("purchase")
        PRODUCT = "product", _("product")
        CURRENCY = "currency", _("currency")

    profile = models.ForeignKey(Profile, models.CASCADE, related_name="summaries", db_index=False)
    kind = models.CharField(max_length=8, choices=Kind)
    name = models.CharField(max_length=255, blank=True)
    count = models.BigIntegerField(default=0)
    amount = models.DecimalField(max_digits=24, decimal_places=4, default=0)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()

    class Meta:
        verbose_name = _("event summary")
        verbose_name_plural = _("event summaries")
        constraints = [models.UniqueConstraint(fields=["profile", "kind", "name"], name="event_summary_once")]
        indexes = [
            # filters over all profiles: who did it so often, and when last
            models.Index(fields=["kind", "name", "last_at"], name="event_summary_by_name"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.name} × {self.count}"


class EventName(models.Model):
    """A custom event or product that is known by name, to offer while editing."""

    class Kind(models.TextChoices):
        EVENT = "event", _("custom event")
        PRODUCT = "product", _("product")

    kind = models.CharField(_("kind"), max_length=8, choices=Kind)
    name = models.CharField(_("name"), max_length=255)
    is_blocked = models.BooleanField(
        _("blocked"), default=False, help_text=_("New occurrences are refused, and filters no longer offer it.")
    )
    description = models.CharField(_("description"), max_length=255, blank=True)
    created_at = models.DateTimeField(_("first seen"), default=timezone.now)

    class Meta:
        verbose_name = _("event name")
        verbose_name_plural = _("event names")
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["kind", "name"], name="event_name_once")]

    def __str__(self) -> str:
        return self.name


class CurrencyRate(models.Model):
    """What one unit of a currency is worth in the workspace's currency (setting `CURRENCY`), for filters on money."""

    code = models.CharField(_("currency"), max_length=3, unique=True, help_text=_("ISO 4217, for example EUR."))
    rate = models.DecimalField(_("rate"), max_digits=20, decimal_places=10)
    updated_at = models.DateTimeField(_("updated"), auto_now=True)

    class Meta:
        verbose_name = _("currency rate")
        verbose_name_plural = _("currency rates")
        ordering = ["code"]
        constraints = [models.CheckConstraint(condition=models.Q(rate__gt=0), name="currency_rate_positive")]

    def __str__(self) -> str:
        return f"{self.code} {self.rate}"


class PendingEvent(models.Model):
    """An event that somebody listens to, stored with the event itself and deleted with its effects (the outbox)."""

    class Kind(models.TextChoices):
        CUSTOM_EVENT = "event", _("custom event")
        PURCHASE = "purchase", _("purchase")
        SESSION_START = "session", _("session start")
        ATTRIBUTES = "attributes", _("attributes changed")
        SUBSCRIPTION = "subscription", _("subscription changed")
        OUTREACH = "outreach", _("interaction with a campaign or Canvas")

    profile = models.ForeignKey(Profile, models.CASCADE, related_name="+", db_index=False, verbose_name=_("profile"))
    kind = models.CharField(_("kind"), max_length=16, choices=Kind)
    name = models.CharField(_("name"), max_length=255, blank=True)
    source_id = models.BigIntegerField(_("source"), null=True)  # the row of CustomEvent or Purchase
    payload = models.JSONField(_("properties"), default=dict)  # properties, or what changed as {name: [before, after]}
    occurred_at = models.DateTimeField(_("time"))
    received_at = models.DateTimeField(_("received"), default=timezone.now)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    due_at = models.DateTimeField(_("due"), default=timezone.now)  # moved on when a reaction failed
    error = models.TextField(_("error"), blank=True)

    class Meta:
        verbose_name = _("pending event")
        verbose_name_plural = _("pending events")
        indexes = [
            models.Index(fields=["due_at", "id"], name="pending_event_due"),  # the dispatcher's claim
            models.Index(fields=["profile", "id"], name="pending_event_by_profile"),  # is it its profile's first one?
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"
