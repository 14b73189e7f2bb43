"""The Message Activity Log: read-only, newest first, without a full count."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin

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
    fieldsets = (
        (None, {"fields": ("kind", "text", "at", "sender", "profile")}),
        (_("Attempt"), {"fields": ("status", "attempt", "is_final", "next_try_at", "duration_ms", "host")}),
        (_("What was sent and what came back"), {"fields": ("exchange",)}),
    )

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
