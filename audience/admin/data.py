"""What data there is: custom attributes, events, products, and what money is worth."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin

from audience.models import Attribute, CurrencyRate, EventName


@admin.register(Attribute)
class AttributeAdmin(ModelAdmin):
    """Attributes become known with their first value. Whoever changes a type fixes it."""

    empty_text = _("Custom attributes appear by themselves as soon as an import, the API or a user update writes one.")
    list_display = ("name", "type", "is_type_fixed", "is_blocked", "is_personal", "description", "created_at")
    list_filter = ("type", "is_type_fixed", "is_blocked", "is_personal")
    search_fields = ("name", "description")
    fields = ("name", "type", "is_blocked", "is_personal", "description", "created_at")
    readonly_fields = ("created_at",)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return (*self.readonly_fields, "name") if obj else self.readonly_fields

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Attribute, form: Any, change: bool) -> None:
        obj.is_type_fixed = obj.is_type_fixed or "type" in form.changed_data
        super().save_model(request, obj, form, change)


@admin.register(EventName)
class EventNameAdmin(ModelAdmin):
    """Events and products become known when they first occur."""

    empty_text = _("Names of events and products appear as soon as the first one is recorded, by import or API.")
    list_display = ("name", "kind", "is_blocked", "description", "created_at")
    list_filter = ("kind", "is_blocked")
    search_fields = ("name", "description")
    fields = ("kind", "name", "is_blocked", "description", "created_at")
    readonly_fields = ("created_at",)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return (*self.readonly_fields, "kind", "name") if obj else self.readonly_fields

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(CurrencyRate)
class CurrencyRateAdmin(ModelAdmin):
    empty_text = _(
        "Only needed if purchases come in several currencies: filters on money spent then compare in one of them."
    )
    list_display = ("code", "rate", "updated_at")
    search_fields = ("code",)
