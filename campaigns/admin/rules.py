"""Frequency caps: rules for everybody."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin

from outreach.models import FrequencyRule


@admin.register(FrequencyRule)
class FrequencyRuleAdmin(ModelAdmin):
    """Changing rules needs the right to edit campaigns and to launch them, as rules act on all of them at once."""

    empty_text = _(
        "A frequency cap keeps anyone from getting too much: for example at most three messages in seven "
        "days, over all campaigns."
    )
    list_display = ("__str__", "most", "every", "unit", "tag")
    list_select_related = ("tag",)
    autocomplete_fields = ("tag",)
    fields = (("most", "every", "unit"), "tag")

    def _may(self, request: HttpRequest) -> bool:
        user = request.user
        return user.has_perm("campaigns.change_campaign") and user.has_perm("campaigns.launch_campaign")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and self._may(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and self._may(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and self._may(request)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """The confirmation says what deleting a rule means."""
        related, counts, needed, protected = super().get_deleted_objects(objs, request)
        return [*related, _("What this cap holds back now is no longer held back.")], counts, needed, protected
