"""Profiles."""

from django.contrib import admin
from unfold.admin import ModelAdmin

from audience.models import Profile


@admin.register(Profile)
class ProfileAdmin(ModelAdmin):
    list_display = ("__str__", "email", "country", "language", "created_at")
    search_fields = ("external_id", "email", "phone", "aliases__name")
    readonly_fields = ("braze_id", "random_bucket", "created_at", "updated_at")
    show_full_result_count = False
