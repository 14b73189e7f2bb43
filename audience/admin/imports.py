"""Imports: upload, check the columns, watch, download what was left out."""

import contextlib
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin

from audience.forms import ColumnsForm, UploadForm
from audience.imports import columns, setup
from audience.imports.errors import UnusableFile
from audience.models import Import


@admin.register(Import)
class ImportAdmin(ModelAdmin):
    form = UploadForm
    empty_text = _(
        "Upload a CSV file of your customers: every row is checked first, and nothing is changed before you say so."
    )
    list_display = (
        "name",
        "content",
        "status",
        "row_count",
        "created_count",
        "updated_count",
        "skipped_count",
        "created_at",
    )
    list_filter = ("status", "content", "is_dry_run")
    search_fields = ("name",)
    fields = ("file", "name", "content", "may_trigger", "makes_segment")

    def has_change_permission(self, request: HttpRequest, obj: Import | None = None) -> bool:
        return False  # its page is the progress page

    def has_delete_permission(self, request: HttpRequest, obj: Import | None = None) -> bool:
        return super().has_delete_permission(request, obj) and not (obj and obj.is_active)

    def save_model(self, request: HttpRequest, obj: Import, form: Any, change: bool) -> None:
        obj.created_by = request.user  # type: ignore[assignment]
        super().save_model(request, obj, form, change)
        with contextlib.suppress(UnusableFile):  # the next page says so, and offers another encoding
            setup.examine(obj)
        obj.save()

    def response_add(self, request: HttpRequest, obj: Import, post_url_continue: str | None = None) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:audience_import_columns", args=[obj.pk]))

    def delete_model(self, request: HttpRequest, obj: Import) -> None:
        obj.file.delete(save=False)
        obj.report.delete(save=False)
        super().delete_model(request, obj)

    def get_urls(self) -> list[Any]:
        wrap = self.admin_site.admin_view
        ours = [
            path("<int:pk>/columns/", wrap(self.columns_view), name="audience_import_columns"),
            path("<int:pk>/progress/", wrap(self.progress_view), name="audience_import_progress"),
            path("<int:pk>/<str:action>/now/", wrap(self.action_view), name="audience_import_action"),
            path("<int:pk>/download/<str:what>/", wrap(self.download_view), name="audience_import_download"),
        ]
        return ours + list(super().get_urls())

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        source = self._visible(request, object_id)
        if source.status == Import.Status.UPLOADED:
            return HttpResponseRedirect(reverse("admin:audience_import_columns", args=[source.pk]))
        return TemplateResponse(request, "audience/import.html", self._context(request, source))

    def progress_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Counts and the bar, as a fragment that refreshes itself while the import setup."""
        source = self._visible(request, pk)
        return TemplateResponse(request, "audience/import_progress.html", self._context(request, source))

    def columns_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """What was found in the file: encoding, columns, first values. POST only checks, or imports."""
        source = self._visible(request, pk)
        if source.is_active or not source.file:
            return HttpResponseRedirect(page_url(pk))
        form = ColumnsForm(source, request.POST or None)
        if request.method == "POST":
            self._must_add(request)
            if form.is_valid() and "start" in request.POST:
                source.column_types = form.chosen_types()
                source.save(update_fields=["column_types", "encoding"])
                setup.start(source, is_dry_run=request.POST["start"] == "check")
                return HttpResponseRedirect(page_url(pk))
        same = Import.objects.filter(digest=source.digest, is_dry_run=False).exclude(pk=pk).exclude(digest="")
        context = self._context(request, source) | {"form": form, "types": columns.TYPES, "same": same[:3]}
        return TemplateResponse(request, "audience/import_columns.html", context)

    def action_view(self, request: HttpRequest, pk: int, action: str) -> HttpResponse:
        """Cancel, or go on; POST only."""
        source = self._visible(request, pk)
        if request.method != "POST":
            raise PermissionDenied
        self._must_add(request)
        if action == "cancel":
            setup.cancel(source, timezone.now())
        elif action == "go-on":
            setup.go_on(source)
        else:
            raise Http404
        return HttpResponseRedirect(page_url(pk))

    def download_view(self, request: HttpRequest, pk: int, what: str) -> FileResponse:
        """The file as it was uploaded, or the report on it."""
        source = self._visible(request, pk)
        file = {"file": source.file, "report": source.report}.get(what)
        if not file or not file.storage.exists(str(file.name)):
            raise Http404
        name = f"{source.name}.csv" if what == "file" else f"report on {source.name}.csv"
        return FileResponse(file.open("rb"), as_attachment=True, filename=name, content_type="text/csv")

    def _visible(self, request: HttpRequest, pk: Any) -> Import:
        if not self.has_view_permission(request):
            raise PermissionDenied
        return get_object_or_404(Import, pk=pk if str(pk).isdigit() else 0)

    def _must_add(self, request: HttpRequest) -> None:
        if not self.has_add_permission(request):
            raise PermissionDenied

    def _context(self, request: HttpRequest, source: Import) -> dict[str, Any]:
        return {
            **self.admin_site.each_context(request),
            "title": source.name,
            "opts": self.opts,
            "source": source,
            "may_add": self.has_add_permission(request),
        }


def page_url(pk: int) -> str:
    return reverse("admin:audience_import_change", args=[pk])
