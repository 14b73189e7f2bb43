"""Profiles: find one, see everything that is known, change, hand out and erase it."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.models import DELETION, LogEntry
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.admin import ModelAdmin

from audience import erasure, person, search
from audience.forms import ProfileForm
from audience.models import EventSummary, Profile, Segment
from workspace import teams
from workspace.paging import BoundedPaginator

MOST_SEGMENTS = 300


@admin.register(Profile)
class ProfileAdmin(ModelAdmin):
    form = ProfileForm
    empty_text = _(
        "Profiles are your customers. Import a CSV file, send them through the API, or add yourself as the first one."
    )
    empty_links = ((_("Import a CSV file"), "admin:audience_import_add"),)
    list_display = ("__str__", "email", "first_name", "last_name", "country", "language", "created_at")
    list_per_page = 50
    search_fields = ("external_id",)  # what `get_search_results` does with it
    search_help_text = _("External ID (or its beginning), email, phone, alias or internal ID.")
    paginator = BoundedPaginator
    show_full_result_count = False
    ordering = ("-pk",)
    change_form_outer_after_template = "audience/profile_details.html"
    readonly_fields = ("braze_id", "random_bucket", "unformatted_phone", "created_at", "updated_at")
    fieldsets = (
        (None, {"fields": ("external_id", "email", "phone", "unformatted_phone", "first_name", "last_name")}),
        (_("Custom attributes"), {"fields": ("custom_attributes",)}),
        (
            _("About"),
            {"fields": ("gender", "date_of_birth", "country", "home_city", "language", "time_zone")},
        ),
        (_("Subscriptions"), {"fields": ("email_subscribe", "push_subscribe")}),
        (_("Kept by Hookline"), {"fields": ("braze_id", "random_bucket", "created_at", "updated_at")}),
    )

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[Profile], search_term: str) -> Any:
        return (queryset & search.find(search_term), False) if search_term.strip() else (queryset, False)

    # --- changes go the way that API and imports go, so that they trigger what waits for them

    def save_model(self, request: HttpRequest, obj: Profile, form: Any, change: bool) -> None:
        if not change:
            Profile.objects.bulk_create([new := Profile(external_id=obj.external_id or None)])
            obj.pk, obj.braze_id = new.pk, new.braze_id
        elif "external_id" in form.changed_data:
            Profile.objects.filter(pk=obj.pk).update(external_id=obj.external_id or None)
        for problem in form.track(obj, timezone.now()):
            self.message_user(request, problem, messages.WARNING)
        obj.refresh_from_db()

    # --- erasing

    def delete_model(self, request: HttpRequest, obj: Profile) -> None:
        erasure.erase([obj.pk])

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Profile]) -> None:
        erasure.erase(queryset.values_list("pk", flat=True))

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Counts instead of every event: a confirmation with what it will touch."""
        ids = [profile.pk for profile in objs]
        missing = set() if self.has_delete_permission(request) else {self.opts.verbose_name}
        counts = {str(self.opts.verbose_name_plural): len(ids), **erasure.extent(ids)}
        return [*map(str, objs[:100])], counts, missing, []

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        """The history says that somebody was erased, not who."""
        profiles = [*queryset]
        said = ngettext("%d profile", "%d profiles", len(profiles)) % len(profiles)
        return LogEntry.objects.create(user=request.user, action_flag=DELETION, object_repr=said)  # type: ignore[misc]

    # --- pages

    def get_urls(self) -> list[Any]:
        wrap = self.admin_site.admin_view
        ours = [
            path("<int:pk>/json/", wrap(self.json_view), name="audience_profile_json"),
            path("<int:pk>/segments/", wrap(self.segments_view), name="audience_profile_segments"),
        ]
        return ours + list(super().get_urls())

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        profile = Profile.objects.filter(pk=object_id).first() if object_id.isdigit() else None
        extra = {"profile": profile, **_details(profile)} if profile else {}
        return super().change_view(request, object_id, form_url, {**extra, **(extra_context or {})})

    def json_view(self, request: HttpRequest, pk: int) -> JsonResponse:
        """Everything that is kept about the person, to hand out."""
        profile = self._visible(request, pk)
        answer = JsonResponse(person.facts(profile), json_dumps_params={"indent": 2, "ensure_ascii": False})
        answer["Content-Disposition"] = f'attachment; filename="profile-{profile.braze_id}.json"'
        return answer

    def segments_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The segments the profile is in now, as a fragment: each is worked out, so it comes after the page."""
        profile = self._visible(request, pk)
        rows = teams.visible(Segment.objects.filter(is_archived=False), request.user)
        mine = [*rows[: MOST_SEGMENTS + 1]]
        found = person.segments_of(profile, mine[:MOST_SEGMENTS], timezone.now())
        context = {"segments": found, "most": MOST_SEGMENTS if len(mine) > MOST_SEGMENTS else 0}
        return TemplateResponse(request, "audience/profile_segments.html", context)

    def _visible(self, request: HttpRequest, pk: int) -> Profile:
        profile = get_object_or_404(Profile, pk=pk)
        if not self.has_view_permission(request, profile):
            raise PermissionDenied
        return profile


def _details(profile: Profile) -> dict[str, Any]:
    summaries = profile.summaries.filter(kind__in=[EventSummary.Kind.EVENT, EventSummary.Kind.PRODUCT])
    return {
        "aliases": profile.aliases.order_by("label"),
        "groups": profile.subscription_states.select_related("group").order_by("group__name"),
        "summaries": summaries.order_by("-last_at")[:100],
        "timeline": person.timeline(profile),
        "sections": person.sections(profile),
    }
