"""The Canvas pages."""

from django.contrib import admin
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from canvas.models import Canvas


@admin.register(Canvas)
class CanvasAdmin(ModelAdmin):
    list_display = ("name", "status", "updated_at")
    search_fields = ("name", "description")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False
