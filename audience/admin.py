from django.contrib import admin
from unfold.admin import ModelAdmin

from audience.models import Profile, Segment


@admin.register(Profile)
class ProfileAdmin(ModelAdmin):
    search_fields = ("external_id",)


@admin.register(Segment)
class SegmentAdmin(ModelAdmin):
    search_fields = ("name",)
