"""Senders: how fast a campaign, Canvas or API sends, and how its requests are signed."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.admin import ModelAdmin

from webhooks import signing
from webhooks.models import Message, Sender


@admin.register(Sender)
class SenderAdmin(ModelAdmin):
    list_display = ("name_shown", "speed", "sends_now", "signs", "waiting_count")
    list_before_template = "webhooks/senders_help.html"
    list_filter = ("is_open", "is_signed")
    search_fields = ("name",)
    fields = ("name_shown", "rate_per_minute", "sends_now", "signs")
    readonly_fields = ("name_shown", "sends_now", "signs")
    actions = ("sign", "stop_signing")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Sender]:
        waiting = Message.objects.filter(lane__sender=OuterRef("pk"), finished_at=None).order_by()
        count = waiting.values("lane__sender").annotate(count=Count("pk")).values("count")
        return super().get_queryset(request).annotate(waiting_count=Subquery(count))

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
    def waiting_count(self, sender: Any) -> int:
        return int(sender.waiting_count or 0)

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

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
