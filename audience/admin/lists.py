"""Lists of people: subscription groups, suppression lists, the global control group."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin

from audience import control
from audience.filters.membership import in_ranges
from audience.forms import GlobalControlForm, SuppressionListForm
from audience.models import GlobalControl, Profile, SubscriptionGroup, SuppressionList


@admin.register(SubscriptionGroup)
class SubscriptionGroupAdmin(ModelAdmin):
    empty_text = _(
        "A subscription group is a topic that people opt in to or out of, such as a newsletter. Campaigns can "
        "be limited to its subscribers."
    )
    list_display = ("name", "channel", "is_archived", "created_at")
    list_filter = ("is_archived",)
    search_fields = ("name", "description")
    fields = ("name", "description", "channel", "is_archived", "key")
    readonly_fields = ("key",)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # states of people hang on it; archive it


@admin.register(SuppressionList)
class SuppressionListAdmin(ModelAdmin):
    form = SuppressionListForm
    empty_text = _("Whoever is on an active suppression list gets no campaign and no Canvas, whatever their audience.")
    list_display = ("name", "status", "updated_at")
    list_filter = ("status",)
    search_fields = ("name", "description")
    autocomplete_fields = ("exception_tags",)
    warn_unsaved_form = True
    fieldsets = (
        (None, {"fields": ("name", "description", "filters", "status")}),
        (_("Exceptions"), {"fields": ("exception_tags", "spares_api")}),
    )


@admin.register(GlobalControl)
class GlobalControlAdmin(ModelAdmin):
    """One group runs at a time. It can't be edited: end it and draw a new one; former ones stay for reports."""

    form = GlobalControlForm
    empty_text = _(
        "Set aside a share of all profiles that gets nothing at all, to measure what all your messages "
        "together bring about."
    )
    list_display = ("percentage", "started_at", "ended_at")
    fields = ("percentage", "exclusion_tags")
    autocomplete_fields = ("exclusion_tags",)
    change_form_outer_after_template = "audience/control_details.html"

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: GlobalControl, form: Any, change: bool) -> None:
        made = control.start(obj.percentage, (), timezone.now())
        obj.pk = made.pk
        obj.refresh_from_db()

    def get_urls(self) -> list[Any]:
        ours = [path("<int:pk>/end/", self.admin_site.admin_view(self.end_view), name="audience_globalcontrol_end")]
        return ours + list(super().get_urls())

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        group = GlobalControl.objects.filter(pk=object_id).first() if object_id.isdigit() else None
        extra = {"control": group, "may_end": self.has_add_permission(request), **(extra_context or {})}
        return super().change_view(request, object_id, form_url, extra)

    def end_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Asks, with the number of people who become eligible; POST ends the group."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        group = get_object_or_404(GlobalControl, pk=pk, ended_at=None)
        if request.method == "POST":
            control.end(group, timezone.now())
            self.log_change(request, group, _("Ended."))
            return HttpResponseRedirect(reverse("admin:audience_globalcontrol_changelist"))
        count = Profile.objects.filter(in_ranges(group.ranges)).count()
        context = {**self.admin_site.each_context(request), "title": str(group), "control": group, "count": count}
        return TemplateResponse(request, "audience/control_end.html", context)
