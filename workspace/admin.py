"""The house rules and the people."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as BaseGroupAdmin
from django.contrib.auth.admin import UserAdmin as BaseUserAdmin
from django.contrib.auth.models import Group, User
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from unfold.admin import ModelAdmin, TabularInline
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from workspace.forms import CredentialForm
from workspace.models import Credential, Membership, Tag, Team, Workspace

admin.site.unregister(User)
admin.site.unregister(Group)


@admin.register(User)
class UserAdmin(BaseUserAdmin, ModelAdmin):
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm


@admin.register(Group)
class GroupAdmin(BaseGroupAdmin, ModelAdmin):
    pass


@admin.register(Workspace)
class WorkspaceAdmin(ModelAdmin):
    fields = ("name", "time_zone", "rate_per_minute")

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
    list_display = ("name", "description", "is_archived")
    search_fields = ("name",)
    inlines = [MembershipInline]


@admin.register(Tag)
class TagAdmin(ModelAdmin):
    list_display = ("name",)
    search_fields = ("name",)


@admin.register(Credential)
class CredentialAdmin(ModelAdmin):
    """Stored secrets: written here, never read here."""

    form = CredentialForm
    list_display = ("name", "kind", "domain", "updated_at")
    list_filter = ("kind",)
    search_fields = ("name", "domain")
    fields = ("name", "kind", "domain", "value")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("name",) if obj else ()
