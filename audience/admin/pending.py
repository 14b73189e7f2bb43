"""The outbox, for operators."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.admin import ModelAdmin

from audience.models import PendingEvent
from workspace import queues


@admin.register(PendingEvent)
class PendingEventAdmin(ModelAdmin):
    """What was recorded and not reacted to yet. On a healthy system the list is empty."""

    empty_text = _("Every event has been dealt with. Those that wait for a worker, or that failed, would be here.")
    list_display = ("id", "kind", "name", "profile", "received_at", "attempts", "due_at", "error")
    list_filter = ("kind", ("error", admin.EmptyFieldListFilter))
    search_fields = ("name", "profile__external_id")
    list_select_related = ("profile",)
    ordering = ("due_at", "id")
    show_full_result_count = False
    actions = ("try_again",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.action(description=_("Try again now"), permissions=["delete"])
    def try_again(self, request: HttpRequest, queryset: QuerySet[PendingEvent]) -> None:
        count = queryset.update(due_at=timezone.now())
        queues.wake("events")
        said = ngettext("%d event is tried again.", "%d events are tried again.", count)
        self.message_user(request, said % count)
