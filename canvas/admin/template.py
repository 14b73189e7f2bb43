"""Saved templates: renamed and deleted here, made on the versions page of a Canvas, used when one is added."""

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin

from canvas.models import CanvasTemplate


@admin.register(CanvasTemplate)
class CanvasTemplateAdmin(ModelAdmin):
    empty_text = _("Save a Canvas as a template, and it can be chosen here and for every new Canvas.")
    list_display = ("name", "description", "author", "made_at")
    search_fields = ("name", "description")
    fields = ("name", "description")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False
