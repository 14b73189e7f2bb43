"""Pages for an admin class whose rows can be files: export one or many, and import after a look at what it would do."""

import json
from collections.abc import Callable
from functools import partial
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.http import content_disposition_header
from django.utils.text import slugify
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminFileFieldWidget

from workspace import files
from workspace.files.document import MOST_BYTES, MOST_DOCUMENTS


class UploadForm(forms.Form):
    file = forms.FileField(
        label=_("A JSON file that was exported here or elsewhere"),
        widget=UnfoldAdminFileFieldWidget(attrs={"accept": ".json,application/json"}),
    )


class FilePages:
    """A mixin: `file_kind` names what the rows are in files."""

    file_kind = ""
    opts: Any
    admin_site: Any
    get_queryset: Callable[[HttpRequest], "QuerySet[Any]"]
    has_view_permission: Callable[..., bool]
    has_add_permission: Callable[..., bool]
    log_addition: Callable[..., Any]

    def get_urls(self) -> list[Any]:
        wrap, name = self.admin_site.admin_view, f"{self.opts.app_label}_{self.opts.model_name}"
        ours = [
            path("import/", wrap(partial(import_file, self)), name=f"{name}_import"),
            path("<int:pk>/file/", wrap(partial(export_file, self)), name=f"{name}_file"),
        ]
        return [*ours, *super().get_urls()]  # type: ignore[misc] # of ModelAdmin

    @admin.action(description=_("Export as a file"), permissions=["view"])
    def as_file(self, request: HttpRequest, rows: "QuerySet[Any]") -> HttpResponse | None:
        found = list(rows.order_by("pk")[: MOST_DOCUMENTS + 1])
        if len(found) > MOST_DOCUMENTS:
            messages.error(request, gettext("A file holds from one to %d documents.") % MOST_DOCUMENTS)
            return None
        return _download(self.file_kind, found)


def export_file(site: FilePages, request: HttpRequest, pk: int) -> HttpResponse:
    if not site.has_view_permission(request):
        raise PermissionDenied
    return _download(site.file_kind, [get_object_or_404(site.get_queryset(request), pk=pk)])


def _download(kind: str, rows: list[Any]) -> HttpResponse:
    data = files.write([files.kinds[kind].document(row) for row in rows])
    answer = HttpResponse(data, content_type="application/json")
    name = slugify(rows[0].name, allow_unicode=True) if len(rows) == 1 else ""
    answer["Content-Disposition"] = content_disposition_header(True, f"{kind}-{name or 'export'}.json") or "attachment"
    return answer


def import_file(site: FilePages, request: HttpRequest) -> HttpResponse:
    """A file is looked through, and what would be made is shown; then it is made. Neither leaves anything by halves."""
    if not site.has_add_permission(request):
        raise PermissionDenied
    context: dict[str, Any] = {"form": UploadForm()}
    if request.method == "POST":
        try:
            data = _sent(request)
            documents = files.read(data, {site.file_kind: files.kinds[site.file_kind]})
            if "confirmed" in request.POST:
                return _made(site, request, files.make(documents, request.user))
            context = {"made": files.rehearse(documents, request.user), "text": _in_one_line(data)}
        except files.BadFile as error:
            context |= {"problems": error.problems}
    shell = {**site.admin_site.each_context(request), "opts": site.opts, "title": gettext("Import a file")}
    return TemplateResponse(request, "workspace/import_file.html", shell | context)


def _sent(request: HttpRequest) -> bytes:
    """The file, or its text once it was looked through."""
    if "confirmed" in request.POST:
        return str(request.POST.get("text", "")).encode("utf-8", "replace")
    upload = request.FILES.get("file")
    if upload is None:
        raise files.BadFile([gettext("Choose a file.")])
    return bytes(upload.read(MOST_BYTES + 1))


def _in_one_line(data: bytes) -> str:
    """The text for a hidden input: forms rewrite the ends of lines."""
    return json.dumps(json.loads(data.decode("utf-8-sig")), ensure_ascii=False, separators=(",", ":"))


def _made(site: FilePages, request: HttpRequest, made: list[files.Made]) -> HttpResponse:
    for each in made:
        if not each.is_old:
            site.log_addition(request, each.row, [{"added": {}}])
        for line in each.lacking:
            messages.warning(request, f"{each.row.name}: {line}")
    new = sum(not each.is_old for each in made)
    messages.success(request, ngettext("%d was made from the file.", "%d were made from the file.", new) % new)
    name = f"admin:{site.opts.app_label}_{site.opts.model_name}"
    if len(made) == 1:
        return HttpResponseRedirect(reverse(f"{name}_change", args=[made[0].row.pk]))
    return HttpResponseRedirect(reverse(f"{name}_changelist"))
