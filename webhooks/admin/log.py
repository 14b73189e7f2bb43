"""The Message Activity Log: read-only, newest first, without a full count."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.admin import ModelAdmin

from webhooks import replay
from webhooks.models import MessageActivityLog
from workspace.paging import BoundedPaginator


@admin.register(MessageActivityLog)
class MessageActivityLogAdmin(ModelAdmin):
    list_display = ("at", "kind", "sender", "profile", "status", "text_shown", "attempt", "is_final", "next_try_at")
    list_filter = ("kind", "status", "is_final", ("at", admin.DateFieldListFilter))
    list_select_related = ("sender", "profile")
    search_fields = ("text", "host")
    search_help_text = _("Searches the message and the host.")
    paginator = BoundedPaginator
    show_full_result_count = False
    list_per_page = 50
    ordering = ("-id",)
    actions = ("send_again",)
    fieldsets = (
        (None, {"fields": ("kind", "text", "at", "sender", "profile")}),
        (_("Attempt"), {"fields": ("status", "attempt", "is_final", "next_try_at", "duration_ms", "host")}),
        (_("What was sent and what came back"), {"fields": ("exchange",)}),
    )

    @admin.action(description=_("Send again"), permissions=["replay"])
    def send_again(self, request: HttpRequest, rows: "QuerySet[MessageActivityLog]") -> HttpResponse | None:
        """Ask first, then make the failed messages of these rows pending again."""
        ids = {row.message_id for row in rows if row.message_id is not None}
        failed = replay.failed(replay.Filter()).filter(pk__in=ids).count()
        if "confirmed" not in request.POST and failed:
            shown = {**self.admin_site.each_context(request), "title": _("Send again?"), "rows": rows, "count": failed}
            return render(request, "webhooks/send_again.html", shown)
        count = replay.again(ids, timezone.now())
        words = ngettext("%d message is sent again.", "%d messages are sent again.", count) % count
        self.message_user(request, words if count else _("None of these messages has failed for good."))
        return None

    def has_replay_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("webhooks.change_message"))

    @admin.display(description=_("message"), ordering="text")
    def text_shown(self, row: MessageActivityLog) -> str:
        return row.text if len(row.text) <= 120 else row.text[:117] + "…"

    @admin.display(description=_("request and response"))
    def exchange(self, row: MessageActivityLog) -> str:
        return render_to_string("webhooks/exchange.html", {"row": row})

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [name for _, options in self.fieldsets for name in options["fields"]]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
