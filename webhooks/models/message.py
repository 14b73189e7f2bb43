"""The message: one content for one profile, due at a time. The unit that is queued, sent, retried and counted."""

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from audience.models import Profile

from .content import Content
from .sender import Lane, Sender


class Outcome(models.TextChoices):
    """How a message ended. None of these: it is pending."""

    RECEIVED = "received", _("received")
    FAILED = "failed", _("failed")
    ABORTED = "aborted", _("aborted")
    SKIPPED = "skipped", _("skipped")
    CANCELLED = "cancelled", _("cancelled")


class Message(models.Model):
    """One row for one reason to send: unique by sender, cause, profile and slot, so planning twice creates nothing.

    `cause` is the id of an outreach Dispatch or a Canvas StepVisit, `slot` the position among the variant's webhooks,
    and `variant` the id of the arm: rows of higher apps, opaque here. A claim writes `lease` (a fresh number) and
    `leased_until`; whoever writes later names that number. `context` holds what only this message knows: trigger and
    entry properties for Liquid.

    Foreign keys carry no database constraint: checking them tripled the time to plan a send. A deleted profile leaves
    its rows. No index covers lease or outcome beyond "unfinished", so a claim rewrites no index (HOT on PostgreSQL).
    """

    sender = models.ForeignKey(Sender, models.DO_NOTHING, db_constraint=False, db_index=False, related_name="messages")
    lane = models.ForeignKey(Lane, models.DO_NOTHING, db_constraint=False, db_index=False, related_name="messages")
    content = models.ForeignKey(
        Content, models.DO_NOTHING, db_constraint=False, db_index=False, related_name="messages"
    )
    profile = models.ForeignKey(
        Profile, models.DO_NOTHING, db_constraint=False, db_index=False, related_name="messages"
    )
    cause = models.BigIntegerField()
    slot = models.PositiveSmallIntegerField(default=0)
    variant = models.BigIntegerField(default=0)
    due_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)
    lease = models.BigIntegerField(default=0)
    leased_until = models.DateTimeField(null=True)
    first_attempt_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=9, choices=Outcome, default="", blank=True)
    reason = models.CharField(max_length=64, default="", blank=True)
    last_status = models.PositiveSmallIntegerField(null=True)
    context = models.JSONField(null=True)

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        constraints = [
            models.UniqueConstraint(fields=["sender", "cause", "profile", "slot"], name="message_once"),
            models.CheckConstraint(
                condition=Q(finished_at__isnull=True, outcome="") | (Q(finished_at__isnull=False) & ~Q(outcome="")),
                name="message_finished_has_outcome",
            ),
        ]
        indexes = [
            # the claim: what is due in a lane, oldest first
            models.Index(fields=["lane", "due_at"], name="message_due", condition=Q(finished_at__isnull=True)),
            # the claim of a sender with a rate: retries go ahead
            models.Index(
                fields=["lane", "due_at"],
                name="message_again",
                condition=Q(finished_at__isnull=True, attempts__gt=0),
            ),
            # "does something of this sender still wait for this profile?", merging and deleting profiles
            models.Index(fields=["profile"], name="message_waiting", condition=Q(finished_at__isnull=True)),
            # deleting people: whose messages hold something personal
            models.Index(fields=["profile"], name="message_with_context", condition=Q(context__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"message {self.pk}"


class FrozenRequest(models.Model):
    """The first rendering of a message whose attempt failed: retries send the same bytes. Deleted at its end."""

    message = models.OneToOneField(
        Message, models.DO_NOTHING, primary_key=True, db_constraint=False, related_name="frozen_request"
    )
    sealed = models.BinaryField()
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("frozen request")
        verbose_name_plural = _("frozen requests")

    def __str__(self) -> str:
        return f"request of message {self.pk}"


class Receipt(models.Model):
    """That a profile received (`received_at`), or that a cap holds a place for it meanwhile (`received_at` null).

    One row for a reason to send, whatever its number of webhooks: caps, re-eligibility, filters and conversions read
    it. It stays when the finished message is pruned.
    """

    sender = models.ForeignKey(Sender, models.DO_NOTHING, db_constraint=False, db_index=False, related_name="receipts")
    profile = models.ForeignKey(
        Profile, models.DO_NOTHING, db_constraint=False, db_index=False, related_name="receipts"
    )
    cause = models.BigIntegerField()
    variant = models.BigIntegerField(default=0)
    content_id = models.BigIntegerField(default=0)
    reserved_at = models.DateTimeField()
    received_at = models.DateTimeField(null=True)
    counts_for_caps = models.BooleanField(default=True)

    class Meta:
        verbose_name = _("receipt")
        verbose_name_plural = _("receipts")
        # In this order it answers re-eligibility too. With `cause` before `profile` PostgreSQL, whose statistics do not
        # know a sender of today, read all receipts of the sender for each profile.
        constraints = [models.UniqueConstraint(fields=["sender", "profile", "cause"], name="receipt_once")]
        indexes = [
            models.Index(fields=["profile", "reserved_at"], name="receipt_by_profile"),  # caps, the profile's page
        ]

    def __str__(self) -> str:
        return f"receipt of {self.profile_id} from {self.sender_id}"
