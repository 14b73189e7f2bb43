"""Keys in the admin: made, rotated and revoked here; the key itself is on one page, once."""

from datetime import datetime
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin

from api import examples, keys
from api.forms import ApiKeyForm
from api.models import ApiKey
from webhooks import origins
from workspace import secrets

_ONCE = "api_key_once"


@admin.register(ApiKey)
class ApiKeyAdmin(ModelAdmin):
    """Permissions and addresses are for life; a revoked key stays in the list, so that it is known who had it."""

    form = ApiKeyForm
    list_display = ("name", "prefix_shown", "permission_count", "seen", "is_good", "created_by", "created_at")
    list_filter = ("revoked_at",)
    search_fields = ("name", "prefix")
    change_form_outer_after_template = "api/key_actions.html"
    list_before_template = "api/keys_help.html"

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        made = ("name", "prefix_shown", "permissions_shown", "networks_shown", "seen", "created_by", "created_at")
        return made if obj else ("name", "permissions", "networks")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.get_fields(request, obj)[1:] if obj else ()

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        if obj:
            kwargs["form"] = forms.ModelForm
        return super().get_form(request, obj, change, **kwargs)

    @admin.display(description=_("key"), ordering="prefix")
    def prefix_shown(self, key: ApiKey) -> str:
        return f"{key.prefix}…"

    @admin.display(description=_("permissions"))
    def permission_count(self, key: ApiKey) -> int:
        return len(key.permissions)

    @admin.display(description=_("permissions"))
    def permissions_shown(self, key: ApiKey) -> str:
        return ", ".join(key.permissions)

    @admin.display(description=_("allowed addresses"))
    def networks_shown(self, key: ApiKey) -> str:
        return ", ".join(key.networks) or str(_("any"))

    @admin.display(description=_("last seen"), ordering="last_seen_at", empty_value="N/A")
    def seen(self, key: ApiKey) -> Any:
        return shown(key.last_seen_at)

    @admin.display(description=_("works"), boolean=True, ordering="revoked_at")
    def is_good(self, key: ApiKey) -> bool:
        return key.revoked_at is None

    def save_model(self, request: HttpRequest, obj: ApiKey, form: Any, change: bool) -> None:
        if change:
            super().save_model(request, obj, form, change)
            return
        made, text = keys.make(obj.name, obj.permissions, obj.networks, user=request.user)
        obj.pk = made.pk
        obj.refresh_from_db()
        _keep(request, made, text)

    def response_add(self, request: HttpRequest, obj: ApiKey, post_url_continue: str | None = None) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:api_apikey_shown", args=[obj.pk]))

    def get_urls(self) -> list[Any]:
        def view(name: str, function: Any) -> Any:
            return path(f"<int:pk>/{name}/", self.admin_site.admin_view(function), name=f"api_apikey_{name}")

        ours = [view("shown", self.shown), view("rotate", self.rotate), view("revoke", self.revoke)]
        page = self.admin_site.admin_view(self.addresses)
        ours.append(path("addresses/", page, name="api_apikey_addresses"))
        return ours + list(super().get_urls())

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        key = ApiKey.objects.filter(pk=object_id, revoked_at=None).first() if object_id.isdigit() else None
        extra = {"key": key, "may_change": self.has_change_permission(request), **(extra_context or {})}
        return super().change_view(request, object_id, form_url, extra)

    def shown(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The key, once, with a line to try it; afterwards only a way back."""
        key = self._key(request, pk)
        kept = request.session.pop(_ONCE, None)
        text = secrets.unseal(kept["text"]) if kept and kept["key"] == pk else ""
        line = examples.curl(key.permissions, settings.SITE_URL, text) if text else ""
        return self._page(request, key, "api/key_shown.html", text=text, line=line)

    def rotate(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Asks; POST gives the key a new text. The former one works for another day."""
        key = self._key(request, pk)
        if request.method != "POST":
            return self._page(request, key, "api/key_confirm.html", action="rotate")
        _keep(request, key, keys.rotate(key, timezone.now()))
        self.log_change(request, key, _("Rotated."))
        return HttpResponseRedirect(reverse("admin:api_apikey_shown", args=[pk]))

    def revoke(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Asks; POST makes the key unknown, for good."""
        key = self._key(request, pk)
        if request.method != "POST":
            return self._page(request, key, "api/key_confirm.html", action="revoke")
        keys.revoke(key, timezone.now())
        self.log_change(request, key, _("Revoked."))
        return HttpResponseRedirect(reverse("admin:api_apikey_changelist"))

    def addresses(self, request: HttpRequest) -> HttpResponse:
        """Where webhooks leave from, to be told to receivers."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        context = {**self.admin_site.each_context(request), "title": _("Addresses that webhooks leave from")}
        return TemplateResponse(request, "api/addresses.html", {**context, "addresses": origins.addresses()})

    def _key(self, request: HttpRequest, pk: int) -> ApiKey:
        if not self.has_change_permission(request):
            raise PermissionDenied
        return get_object_or_404(ApiKey, pk=pk, revoked_at=None)

    def _page(self, request: HttpRequest, key: ApiKey, template: str, **context: Any) -> HttpResponse:
        common = {**self.admin_site.each_context(request), "title": key.name, "key": key, "opts": self.opts}
        return TemplateResponse(request, template, {**common, **context}, headers={"Cache-Control": "no-store"})


def shown(moment: datetime | None) -> str | None:
    """A time as the admin writes it; None for never."""
    return date_format(localtime(moment), "DATETIME_FORMAT") if moment else None


def _keep(request: HttpRequest, key: ApiKey, text: str) -> None:
    """For the page that shows it once: sealed, as sessions lie in the database."""
    request.session[_ONCE] = {"key": key.pk, "text": secrets.seal(text)}
