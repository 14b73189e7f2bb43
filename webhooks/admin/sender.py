"""Senders: how fast a campaign, Canvas or API sends, and how its requests are signed."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.admin import ModelAdmin

from webhooks import log, signing
from webhooks.admin import waiting
from webhooks.models import Sender


@admin.register(Sender)
class SenderAdmin(ModelAdmin):
    empty_text = _("Every campaign and Canvas brings a sender of its own. Make one first.")
    list_display = ("name_shown", "speed", "sends_now", "signs", "waiting_count")
    list_before_template = "webhooks/senders_help.html"
    list_filter = ("is_open", "is_signed")
    search_fields = ("name",)
    fields = ("name_shown", "rate_per_minute", "sends_now", "signs", "log_everything_until")
    readonly_fields = ("name_shown", "sends_now", "signs", "log_everything_until")
    actions = ("sign", "stop_signing", "log_everything")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Sender]:
        return super().get_queryset(request).annotate(waiting_count=waiting.column("l.sender_id = webhooks_sender.id"))

    @admin.display(description=_("sender"), ordering="name")
    def name_shown(self, sender: Sender) -> str:
        return str(sender)

    @admin.display(description=_("speed"), ordering="rate_per_minute")
    def speed(self, sender: Sender) -> str:
        if sender.rate_per_minute is None:
            return str(_("no limit"))
        return _("%(count)s messages a minute") % {"count": f"{sender.rate_per_minute:,}"}

    @admin.display(description=_("sends"), ordering="is_open")
    def sends_now(self, sender: Sender) -> str:
        return str(_("yes") if sender.is_open else _("not now: a draft, paused or stopped"))

    @admin.display(description=_("signs requests"), ordering="is_signed")
    def signs(self, sender: Sender) -> str:
        return str(_("yes") if sender.is_signed else _("no"))

    @admin.display(description=_("messages waiting"))
    def waiting_count(self, sender: Any) -> str:
        return waiting.shown(sender.waiting_count)

    @admin.action(description=_("Sign requests with a new secret"), permissions=["change"])
    def sign(self, request: HttpRequest, senders: QuerySet[Sender]) -> None:
        """The secret is shown here and never again; the one before it signs along for a day."""
        for sender in senders:
            secret = signing.rotate(sender, timezone.now())
            words = _("%(sender)s signs with %(secret)s. Copy it now: it is not shown again. ") % {
                "sender": sender,
                "secret": secret,
            }
            self.message_user(request, words + str(_("The secret before it stays valid for a day.")), messages.WARNING)

    @admin.action(description=_("Stop signing"), permissions=["change"])
    def stop_signing(self, request: HttpRequest, senders: QuerySet[Sender]) -> None:
        for sender in senders:
            signing.stop(sender)
        count = len(senders)
        self.message_user(request, ngettext("%d sender signs no more.", "%d senders sign no more.", count) % count)

    @admin.action(description=_("Log every request for an hour"), permissions=["change"])
    def log_everything(self, request: HttpRequest, senders: QuerySet[Sender]) -> None:
        count = len(senders)
        log.log_everything([sender.pk for sender in senders], timezone.now())
        words = ngettext("%d sender logs", "%d senders log", count) % count
        self.message_user(request, f"{words} " + str(_("what is received as well, for an hour.")))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
