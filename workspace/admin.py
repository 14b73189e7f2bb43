"""The house rules and the people."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as BaseGroupAdmin
from django.contrib.auth.admin import UserAdmin as BaseUserAdmin
from django.contrib.auth.models import Group, User
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin, TabularInline
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from workspace.access.admin import SignInActions
from workspace.forms import CredentialForm, NotificationPreferencesForm
from workspace.models import Credential, Membership, NotificationPreferences, Tag, Team, Workspace

admin.site.unregister(User)
admin.site.unregister(Group)


@admin.register(User)
class UserAdmin(SignInActions, BaseUserAdmin, ModelAdmin):
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    actions = ("end_sessions", "remove_second_factor")


@admin.register(Group)
class GroupAdmin(BaseGroupAdmin, ModelAdmin):
    pass


@admin.register(Workspace)
class WorkspaceAdmin(ModelAdmin):
    fieldsets = (
        (None, {"fields": ("name", "time_zone", "rate_per_minute")}),
        (_("Quiet hours"), {"fields": (("quiet_start", "quiet_end"),)}),
        (
            _("Before a launch"),
            {"fields": ("approves_campaigns", "approves_canvases", "has_four_eyes", "confirm_above")},
        ),
        (
            _("Alerts by email"),
            {
                "fields": ("error_threshold", ("error_percent", "error_percent_of")),
                "description": _("Who gets them is chosen on the page Notification preferences."),
            },
        ),
    )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:workspace_workspace_change", args=[Workspace.current().pk]))


class MembershipInline(TabularInline):
    model = Membership
    extra = 0
    autocomplete_fields = ("user",)


@admin.register(Team)
class TeamAdmin(ModelAdmin):
    empty_text = _(
        "Teams share campaigns, Canvases, segments and templates: only their members see them. What belongs "
        "to no team is seen by all."
    )
    list_display = ("name", "description", "is_archived")
    search_fields = ("name",)
    inlines = [MembershipInline]


@admin.register(Tag)
class TagAdmin(ModelAdmin):
    empty_text = _(
        "Tags sort campaigns and Canvases, for filters, reports and frequency caps. Use / to nest them: season/spring."
    )
    list_display = ("name",)
    search_fields = ("name",)


@admin.register(NotificationPreferences)
class NotificationPreferencesAdmin(ModelAdmin):
    """One's own only."""

    form = NotificationPreferencesForm
    fields = ("kinds",)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        own, _made = NotificationPreferences.objects.get_or_create(user_id=request.user.pk or 0)
        return HttpResponseRedirect(reverse("admin:workspace_notificationpreferences_change", args=[own.pk]))

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).filter(user_id=request.user.pk)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_staff)

    def has_view_permission(self, request: HttpRequest, obj: NotificationPreferences | None = None) -> bool:
        return bool(request.user.is_staff) and (obj is None or obj.user_id == request.user.pk)

    has_change_permission = has_view_permission

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Credential)
class CredentialAdmin(ModelAdmin):
    """Stored secrets: written here, never read here."""

    form = CredentialForm
    empty_text = _(
        "Keep keys and passwords here and use them in webhooks as {{credentials.${name}}}. Nobody can read them again."
    )
    list_display = ("name", "kind", "domain", "updated_at")
    list_filter = ("kind",)
    search_fields = ("name", "domain")
    fields = ("name", "kind", "domain", "value")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("name",) if obj else ()
