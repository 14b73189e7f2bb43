"""What API calls have left behind: sends for later, which can be cancelled here, and what was sent to many at once."""

import json
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.admin import ModelAdmin

from outreach import later
from outreach.models import DirectSend, Dispatch, Occurrence, ScheduledCall


class ReadOnlyAdmin(ModelAdmin):
    """Rows that calls make and nobody edits."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def as_json(value: Any) -> str:
    """A document, readable; nothing as a dash."""
    if value is None:
        return "–"
    return format_html('<pre class="hl-code">{}</pre>', json.dumps(value, indent=2, ensure_ascii=False))


@admin.register(ScheduledCall)
class ScheduledCallAdmin(ReadOnlyAdmin):
    list_display = ("key", "kind", "outreach", "people", "when", "result", "created_at")
    list_filter = ("result", "kind")
    list_select_related = ("outreach",)
    search_fields = ("key", "dispatch_key", "outreach__name")
    fields = (
        "key",
        "dispatch_key",
        "kind",
        "outreach",
        "when",
        "result",
        "note",
        "people",
        "request_shown",
        "created_at",
    )
    actions = ("cancel",)

    @admin.display(description=_("due"), ordering="due_at")
    def when(self, call: ScheduledCall) -> Any:
        if call.local_at:
            return _("%s in each profile's own time") % call.local_at.replace("T", " ")
        return date_format(localtime(call.due_at), "DATETIME_FORMAT")

    @admin.display(description=_("to"))
    def people(self, call: ScheduledCall) -> Any:
        named = [*call.request.get("recipients", ()), *call.request.get("external_user_ids", ())]
        named += call.request.get("user_aliases", ())
        return ngettext("%d recipient", "%d recipients", len(named)) % len(named) if named else _("everybody it is for")

    @admin.display(description=_("request"))
    def request_shown(self, call: ScheduledCall) -> str:
        return as_json(call.request)

    def has_cancel_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("outreach.change_scheduledcall"))

    @admin.action(description=_("Cancel what has not been sent"), permissions=["cancel"])
    def cancel(self, request: HttpRequest, calls: QuerySet[ScheduledCall]) -> None:
        waiting = [*calls.filter(finished_at=None)]
        for call in waiting:
            later.cancel(call, timezone.now())
            self.log_change(request, call, _("Cancelled."))
        count = len(waiting)
        words = ngettext("%d send was cancelled.", "%d sends were cancelled.", count) % count
        self.message_user(request, words, messages.SUCCESS if count else messages.WARNING)


@admin.register(Dispatch)
class DispatchAdmin(ReadOnlyAdmin):
    """Calls that set a campaign or a Canvas off: a broadcast leaves no other trace of what was asked for."""

    list_display = ("key", "outreach", "send_id", "whom", "planned", "created_at")
    list_select_related = ("outreach", "occurrence")
    search_fields = ("key", "send_id", "outreach__name")
    show_full_result_count = False
    fields = ("key", "outreach", "send_id", "whom", "planned", "context_shown", "audience_shown", "created_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Dispatch]:
        return super().get_queryset(request).filter(kind=Dispatch.Kind.API).order_by("-pk")

    @admin.display(description=_("to"))
    def whom(self, dispatch: Dispatch) -> Any:
        return _("everybody it is for") if self._run(dispatch) else _("named recipients")

    @admin.display(description=_("planned"))
    def planned(self, dispatch: Dispatch) -> int | None:
        run = self._run(dispatch)
        return run.planned_count if run else None

    @admin.display(description=_("properties"))
    def context_shown(self, dispatch: Dispatch) -> str:
        return as_json(dispatch.context)

    @admin.display(description=_("audience"))
    def audience_shown(self, dispatch: Dispatch) -> str:
        return as_json(dispatch.audience)

    def _run(self, dispatch: Dispatch) -> Occurrence | None:
        return getattr(dispatch, "occurrence", None)


@admin.register(DirectSend)
class DirectSendAdmin(ReadOnlyAdmin):
    """Webhooks that were composed in API calls."""

    list_display = ("key", "content", "outreach", "planned_count", "created_at", "finished_at")
    list_select_related = ("outreach", "content")
    search_fields = ("key",)
    fields = (
        "key",
        "content",
        "outreach",
        "send_id",
        "audience",
        "planned_count",
        "due_at",
        "created_at",
        "finished_at",
    )
