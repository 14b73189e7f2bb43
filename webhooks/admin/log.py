"""The Message Activity Log: read-only, newest first, without a full count."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import path
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.admin import ModelAdmin

from webhooks import help, replay
from webhooks.models import LogKind, MessageActivityLog
from workspace.paging import BoundedPaginator

COUNTED = 1_000
SEARCHED = 50_000


class StatusFilter(admin.SimpleListFilter):
    """The status codes of the latest entries: asking for all there ever were would read the whole log."""

    title = _("status code")
    parameter_name = "status"
    LATEST = 5_000

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        latest = MessageActivityLog.objects.order_by("-pk").values_list("status", flat=True)[: self.LATEST]
        found = {str(status) for status in latest if status is not None} | {self.value() or ""}
        return [(status, status) for status in sorted(found) if status]

    def queryset(self, request: HttpRequest, rows: QuerySet[Any]) -> QuerySet[Any]:
        asked = self.value() or ""
        return rows.filter(status=int(asked)) if asked.isdigit() and len(asked) < 5 else rows


@admin.register(MessageActivityLog)
class MessageActivityLogAdmin(ModelAdmin):
    empty_text = _(
        "Failures, aborted messages and test sends are listed here, with what was sent and what came back. "
        "Nothing of the kind has happened."
    )
    list_display = ("at", "kind", "sender", "profile", "status", "text_shown", "attempt", "what_next")
    csv_columns = (
        "at",
        "kind",
        "sender",
        "profile",
        "text",
        "status",
        "attempt",
        "is_final",
        "next_try_at",
        "host",
        "duration_ms",
        "message_id",
        "request",
        "response",
    )
    list_before_template = "webhooks/log_tail.html"
    list_filter = ("kind", StatusFilter, "is_final", ("at", admin.DateFieldListFilter))
    list_select_related = ("sender", "profile")
    search_fields = ("text", "host")
    search_help_text = _("A whole host name, or words of the newest 50,000 messages.")
    paginator = BoundedPaginator
    show_full_result_count = False
    list_per_page = 50
    ordering = ("-id",)
    actions = ("send_again",)
    fieldsets = (
        (None, {"fields": ("kind", "text", "at", "sender", "profile")}),
        (_("Attempt"), {"fields": ("status", "attempt", "what_next", "duration_ms", "host")}),
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

    def get_search_results(self, request: HttpRequest, rows: QuerySet[Any], term: str) -> Any:
        """A host by its index; words among the newest entries only, so that a search in vain reads no whole log."""
        if not term.strip():
            return rows, False
        oldest = rows.order_by("-pk").values_list("pk", flat=True)[SEARCHED : SEARCHED + 1].first()
        words = rows.filter(text__icontains=term.strip(), pk__gte=oldest or 0)
        host = rows.filter(host=term.strip().lower())
        return (host if host.exists() else words), False

    def get_urls(self) -> list[Any]:
        newer = path("newer/", self.admin_site.admin_view(self.newer_view), name="webhooks_messageactivitylog_newer")
        return [newer, *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        newest = MessageActivityLog.objects.order_by("-pk").values_list("pk", flat=True).first()
        return super().changelist_view(request, {**(extra_context or {}), "newest": newest or 0})

    def newer_view(self, request: HttpRequest) -> HttpResponse:
        """How many entries have come since the list was opened, under its filters. The list itself stays still."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        asked = request.GET.copy()
        after = (asked.pop("after", None) or ["0"])[0]
        request.GET = asked  # type: ignore[assignment] # a changelist takes every parameter for a filter
        rows = self.get_changelist_instance(request).queryset.filter(pk__gt=int(after) if after.isdigit() else 0)
        count = len(rows.order_by().values_list("pk", flat=True)[:COUNTED])
        context = {"newest": after, "newer": count, "is_more": count == COUNTED, "query": asked.urlencode()}
        return TemplateResponse(request, "webhooks/log_newer.html", context)

    def has_replay_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("webhooks.change_message"))

    @admin.display(description=_("message"), ordering="text")
    def text_shown(self, row: MessageActivityLog) -> str:
        return row.text if len(row.text) <= 120 else row.text[:117] + "…"

    @admin.display(description=_("what follows"), ordering="next_try_at")
    def what_next(self, row: MessageActivityLog) -> str:
        if row.next_try_at is None:
            return str(_("no further try") if row.is_final else _("waits"))
        return _("again at %s") % date_format(timezone.localtime(row.next_try_at), "DATETIME_FORMAT")

    @admin.display(description=_("request and response"))
    def exchange(self, row: MessageActivityLog) -> str:
        is_failure = row.kind not in (LogKind.SENT, LogKind.TEST_SEND) or (row.status or 0) >= 300
        shown = {"row": row, "help": help.of_status(row.status) if is_failure else None}
        return render_to_string("webhooks/exchange.html", shown)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [name for _, options in self.fieldsets for name in options["fields"]]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
