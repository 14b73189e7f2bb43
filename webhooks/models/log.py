"""The Message Activity Log: failures, aborts and test sends, with what was sent and what came back."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from audience.models import Profile

from .sender import Sender


class LogKind(models.TextChoices):
    WEBHOOK_ERROR = "webhook_error", _("webhook error")
    ABORTED = "aborted", _("aborted message")
    LIQUID_ERROR = "liquid_error", _("Liquid error")
    CONNECTED_CONTENT_ERROR = "connected_content", _("Connected Content error")
    TEST_SEND = "test_send", _("test send")
    GUARD_REFUSED = "guard_refused", _("guard refused")
    HOST_HALTED = "host_halted", _("host halted")
    RATE_LIMITED = "rate_limited", _("rate-limited or stale")
    CAPPED = "capped", _("frequency-capped")
    API_RECORD = "api_record", _("API message record")
    API_ERROR = "api_error", _("API error")
    SENT = "sent", _("sent")


class MessageActivityLog(models.Model):
    """One attempt worth looking at. Append-only; secrets are masked before a row is made.

    `request` is {"method", "url", "headers": [[name, value]], "body"}; `response` is {"headers": [[name, value]],
    "body", "is_cut"}. `duration_ms` is the time of the attempt. `covers` counts the messages a summary row stands for.
    """

    at = models.DateTimeField(_("time"), default=timezone.now)
    kind = models.CharField(_("type"), max_length=20, choices=LogKind)
    sender = models.ForeignKey(
        Sender,
        models.DO_NOTHING,
        null=True,
        db_constraint=False,
        db_index=False,
        related_name="log_rows",
        verbose_name=_("sender"),
    )
    profile = models.ForeignKey(
        Profile,
        models.DO_NOTHING,
        null=True,
        db_constraint=False,
        db_index=False,
        related_name="log_rows",
        verbose_name=_("profile"),
    )
    message_id = models.BigIntegerField(null=True)
    content_id = models.BigIntegerField(null=True)
    variant = models.BigIntegerField(default=0)
    host = models.CharField(_("host"), max_length=255, blank=True)
    text = models.TextField(_("message"), blank=True)
    status = models.PositiveSmallIntegerField(_("status code"), null=True)
    attempt = models.PositiveSmallIntegerField(_("attempt"), default=1)
    is_final = models.BooleanField(_("final"), default=True)
    next_try_at = models.DateTimeField(_("next try"), null=True)
    duration_ms = models.PositiveIntegerField(_("time taken (ms)"), null=True)
    request = models.JSONField(_("request"), null=True)
    response = models.JSONField(_("response"), null=True)
    covers = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name = _("log entry")
        verbose_name_plural = _("Message Activity Log")
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["at"], name="log_by_time"),  # retention
            models.Index(fields=["kind", "-id"], name="log_by_kind"),
            models.Index(fields=["sender", "-id"], name="log_by_sender"),
            models.Index(fields=["profile", "-id"], name="log_by_profile"),
            models.Index(fields=["status", "-id"], name="log_by_status"),
            models.Index(fields=["host", "-id"], name="log_by_host"),
            # the composer: earlier tests of a webhook
            models.Index(fields=["content_id", "-id"], name="log_tests", condition=models.Q(kind="test_send")),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.text[:80]}"


class LogHour(models.Model):
    """How many log rows of a type a sender's content made in a clock hour: beyond a bound only their number is kept.

    `summary_id` is the log row that stands for those without details, 0 while there is none.
    """

    sender_id = models.BigIntegerField(default=0)
    content_id = models.BigIntegerField(default=0)
    kind = models.CharField(max_length=20)
    hour = models.DateTimeField()
    count = models.BigIntegerField(default=0)
    summary_id = models.BigIntegerField(default=0)

    class Meta:
        verbose_name = _("log hour")
        verbose_name_plural = _("log hours")
        constraints = [
            models.UniqueConstraint(fields=["sender_id", "content_id", "kind", "hour"], name="log_hour_once")
        ]
        indexes = [models.Index(fields=["hour"], name="log_hour_by_time")]  # retention

    def __str__(self) -> str:
        return f"{self.kind} {self.hour:%Y-%m-%d %H}:00: {self.count}"


class ErrorCount(models.Model):
    """How often a host answered a content's requests with an error within five minutes, retries included: for alerts.

    `kind` tells webhooks from Connected Content; `url` is the last one, without its query and masked.
    """

    kind = models.CharField(max_length=20, choices=LogKind)
    content_id = models.BigIntegerField(default=0)
    host = models.CharField(max_length=255, blank=True)
    status = models.PositiveSmallIntegerField()
    since = models.DateTimeField()
    count = models.BigIntegerField(default=0)
    last_at = models.DateTimeField()
    url = models.TextField(blank=True)

    class Meta:
        verbose_name = _("error count")
        verbose_name_plural = _("error counts")
        constraints = [
            models.UniqueConstraint(fields=["since", "kind", "content_id", "host", "status"], name="error_count_once")
        ]

    def __str__(self) -> str:
        return f"{self.count} × {self.status} from {self.host}"
