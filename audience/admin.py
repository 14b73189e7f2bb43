"""Admin pages of the audience."""

from django.contrib import admin
from unfold.admin import ModelAdmin

from audience.models import Profile, Segment


@admin.register(Profile)
class ProfileAdmin(ModelAdmin):
    list_display = ("__str__", "email", "country", "language", "created_at")
    search_fields = ("external_id", "email", "phone", "aliases__name")
    readonly_fields = ("braze_id", "random_bucket", "created_at", "updated_at")
    show_full_result_count = False


@admin.register(Segment)
class SegmentAdmin(ModelAdmin):
    list_display = ("name", "is_archived", "updated_at")
    list_filter = ("is_archived", "tags", "teams")
    search_fields = ("name", "description")
    autocomplete_fields = ("teams", "tags")
