"""One composed webhook, and saved ones in the gallery."""

from typing import Any

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from workspace.models import Credential, Tag, Team


class Method(models.TextChoices):
    POST = "POST", "POST"
    GET = "GET", "GET"
    PUT = "PUT", "PUT"
    PATCH = "PATCH", "PATCH"
    DELETE = "DELETE", "DELETE"


class BodyKind(models.TextChoices):
    PAIRS = "pairs", _("JSON key–value pairs")
    RAW = "raw", _("Raw text")


class PairType(models.TextChoices):
    TEXT = "text", _("text")
    NUMBER = "number", _("number")
    BOOLEAN = "boolean", _("yes or no")
    NULL = "null", _("null")
    JSON = "json", _("list or object (JSON)")


class Success(models.TextChoices):
    """What an answer must say, beyond a 2xx status, to count as received."""

    ANY = "", _("any answer of 200–299")
    EQUALS = "equals", _("a value in it equals")
    CONTAINS = "contains", _("it contains")
    LACKS = "lacks", _("it does not contain")
    EXISTS = "exists", _("a value in it exists")
    ABSENT = "absent", _("a value in it does not exist")


class Content(models.Model):
    """One webhook as composed: URL, method, headers and body, all of which may hold Liquid.

    `pairs` is a list of {"key", "value", "type", "omit_blank"}; `headers` a list of {"name", "value", "is_secret"},
    where a secret value is stored sealed; `translations` the texts of `{% translation id %}`, {language: {id: text}}.
    `version` grows with every change, so workers know when to parse afresh.
    """

    name = models.CharField(_("message name"), max_length=100, blank=True)
    url = models.TextField(_("webhook URL"), blank=True, help_text=_("The address to call. May contain Liquid."))
    method = models.CharField(_("HTTP method"), max_length=6, choices=Method, default=Method.POST)
    body_kind = models.CharField(_("request body"), max_length=5, choices=BodyKind, default=BodyKind.PAIRS)
    pairs = models.JSONField(_("key–value pairs"), default=list, blank=True)
    raw_body = models.TextField(_("raw text"), blank=True)
    headers = models.JSONField(_("request headers"), default=list, blank=True)
    translations = models.JSONField(_("translations"), default=dict, blank=True)
    sends_body_on_delete = models.BooleanField(_("send a body with DELETE"), default=False)
    success_test = models.CharField(_("counts as received"), max_length=8, choices=Success, default="", blank=True)
    success_path = models.CharField(
        _("where in the JSON answer"),
        max_length=200,
        blank=True,
        help_text=_("For example status or result.errors[0].code. Empty: the whole answer as text."),
    )
    success_value = models.CharField(_("value"), max_length=500, blank=True)
    success_retries = models.BooleanField(
        _("try again where it does not"), default=False, help_text=_("Otherwise the message fails at once.")
    )
    client_certificate = models.ForeignKey(
        Credential,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        limit_choices_to={"kind": Credential.Kind.CERTIFICATE},
        verbose_name=_("client certificate"),
        help_text=_("For endpoints that ask for one (mutual TLS). Store it under Credentials."),
    )
    made_from = models.CharField(_("made from template"), max_length=255, blank=True, editable=False)
    version = models.PositiveIntegerField(default=1, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = _("webhook")
        verbose_name_plural = _("webhooks")

    def __str__(self) -> str:
        return self.name or self.url or str(_("(empty webhook)"))

    FIELDS_OF_A_COPY = (
        "name", "url", "method", "body_kind", "pairs", "raw_body", "headers", "translations", "sends_body_on_delete",
        "success_test", "success_path", "success_value", "success_retries", "client_certificate",
    )  # fmt: skip

    def copy(self, **changes: Any) -> "Content":
        """A new row with the same webhook and language overrides; later edits of either don't reach the other."""
        values = {field: getattr(self, field) for field in self.FIELDS_OF_A_COPY}
        twin = Content.objects.create(**(values | changes))
        ContentOverride.objects.bulk_create(
            ContentOverride(content=twin, language=o.language, url=o.url, pairs=o.pairs, raw_body=o.raw_body)
            for o in self.overrides.all()
        )
        return twin


class ContentOverride(models.Model):
    """URL and body for one language; an empty field falls back to the default content."""

    content = models.ForeignKey(Content, models.CASCADE, related_name="overrides")
    language = models.CharField(_("language"), max_length=16)
    url = models.TextField(_("webhook URL"), blank=True)
    pairs = models.JSONField(_("key–value pairs"), default=list, blank=True)
    raw_body = models.TextField(_("raw text"), blank=True)

    class Meta:
        verbose_name = _("language")
        verbose_name_plural = _("languages")
        ordering = ["language"]
        constraints = [models.UniqueConstraint(fields=["content", "language"], name="content_language_once")]

    def __str__(self) -> str:
        return self.language


class Template(models.Model):
    """A saved webhook to start from. It is copied when picked, so later edits do not reach campaigns made from it."""

    name = models.CharField(_("name"), max_length=255, unique=True)
    description = models.TextField(_("description"), blank=True)
    content = models.OneToOneField(Content, models.PROTECT, related_name="template")
    teams = models.ManyToManyField(Team, blank=True, related_name="templates", verbose_name=_("teams"))
    tags = models.ManyToManyField(Tag, blank=True, related_name="templates", verbose_name=_("tags"))
    is_archived = models.BooleanField(_("archived"), default=False)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    updated_at = models.DateTimeField(_("last edited"), auto_now=True)

    class Meta:
        verbose_name = _("webhook template")
        verbose_name_plural = _("webhook templates")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
