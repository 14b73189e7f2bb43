"""Segments: the builder, where they are used, how large they are."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.http import content_disposition_header
from django.utils.text import get_valid_filename
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin

from audience import counting, exports, lookup, search, segments, uses
from audience.admin import builder
from audience.forms import SegmentForm
from audience.models import Segment
from workspace import teams
from workspace.files.admin import FilePages


@admin.register(Segment)
class SegmentAdmin(FilePages, ModelAdmin):
    actions = ("as_file",)
    file_kind = "segment"
    form = SegmentForm
    empty_text = _(
        "A segment is a saved group of profiles, such as everyone who bought in the last 30 days. Campaigns "
        "and Canvases choose their audience by it."
    )
    list_display = ("name", "size", "counted_at", "is_archived", "updated_at")
    list_filter = ("is_archived", "tags", "teams")
    search_fields = ("name", "description")
    autocomplete_fields = ("teams", "tags")
    warn_unsaved_form = True
    change_form_outer_after_template = "audience/segment_details.html"
    fieldsets = (
        (None, {"fields": ("name", "description", "filters")}),
        (_("Teams and tags"), {"fields": ("teams", "tags", "tracks_size", "is_archived")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Segment]:
        return teams.visible(super().get_queryset(request), request.user)

    @admin.display(description=_("profiles"), ordering="exact_count")
    def size(self, segment: Segment) -> str:
        return "–" if segment.exact_count is None else f"{segment.exact_count:,}"

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """What uses one of them keeps it from being deleted, and is listed."""
        deleted, counts, missing, protected = super().get_deleted_objects(objs, request)
        found = {use: None for segment in objs for use in uses.of_segment(segment)}
        links = [format_html('<a class="hl-link" href="{}">{}</a>', use.url, use) if use.url else use for use in found]
        return deleted, counts, missing, [*protected, *links]

    def save_model(self, request: HttpRequest, obj: Segment, form: Any, change: bool) -> None:
        if "filters" in form.changed_data:
            obj.exact_count = obj.counted_at = obj.count_asked_at = None
        super().save_model(request, obj, form, change)

    def get_urls(self) -> list[Any]:
        wrap = self.admin_site.admin_view
        ours = [
            path("filters/", wrap(builder.builder), name="audience_filters"),
            path("filters/estimate/", wrap(builder.estimate), name="audience_filters_estimate"),
            path("<int:pk>/export/", wrap(self.export_view), name="audience_segment_export"),
            path("<int:pk>/lookup/", wrap(self.lookup_view), name="audience_segment_lookup"),
            path("<int:pk>/count/", wrap(self.count_view), name="audience_segment_count"),
        ]
        return ours + list(super().get_urls())

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        segment = self.get_queryset(request).filter(pk=object_id).first() if object_id.isdigit() else None
        found = uses.of_segment(segment) if segment else []
        return super().change_view(
            request, object_id, form_url, {"segment": segment, "uses": found, **(extra_context or {})}
        )

    def count_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The exact count as a fragment that refreshes itself while it is being made; POST asks for it, or cancels."""
        segment = get_object_or_404(self.get_queryset(request), pk=pk)
        if request.method == "POST":
            if request.POST.get("cancel"):
                counting.cancel(segment)
            else:
                counting.ask(segment, timezone.now())
            if not request.headers.get("HX-Request"):
                return HttpResponseRedirect(reverse("admin:audience_segment_change", args=[pk]))
        segment.refresh_from_db()
        return TemplateResponse(request, "audience/segment_count.html", {"segment": segment})

    def export_view(self, request: HttpRequest, pk: int) -> StreamingHttpResponse:
        """The profiles that are in the segment now, as CSV. Noted in the history."""
        segment = self._of_people(request, pk)
        lines = exports.lines(segments.members([segment], {}, timezone.now()), exports.known_attributes())
        self.log_change(request, segment, gettext("Exported as CSV."))
        answer = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
        name = get_valid_filename(segment.name)
        answer["Content-Disposition"] = content_disposition_header(True, f"{name}.csv") or "attachment"
        return answer

    def lookup_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Whether a profile is in the segment, and which of its filters it meets, as a fragment."""
        segment = self._of_people(request, pk)
        text = request.GET.get("who", "")
        profile = search.find(text).first() if text.strip() else None
        context: dict[str, Any] = {"text": text, "profile": profile}
        if profile:
            context |= lookup.explain(profile, segment.filters, timezone.now())
        return TemplateResponse(request, "audience/segment_lookup.html", context)

    def _of_people(self, request: HttpRequest, pk: int) -> Segment:
        """The segment, for those who may see the people in it."""
        if not self.has_view_permission(request) or not request.user.has_perm("audience.view_profile"):
            raise PermissionDenied
        return get_object_or_404(self.get_queryset(request), pk=pk)
