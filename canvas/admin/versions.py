"""The page of the versions: who published what, with the differences; go back to one, copy, keep as a template."""

from django.contrib import messages
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _

from canvas import differences, presets, publishing, setup
from canvas.admin.pages import Site, canvas_of, goto, may_edit, page
from canvas.models import Canvas, CanvasVersion


def show(site: Site, request: HttpRequest, pk: int) -> HttpResponse:
    """Every version with what it changed. POST makes a draft like an older one."""
    canvas = canvas_of(site, request, pk)
    if request.method == "POST":
        return _restore(site, request, canvas)
    found = list(canvas.versions.filter(number__isnull=False).select_related("author").order_by("-number")[:50])
    older = [*found[1:], None][: len(found)]
    rows = [(version, differences.between(before, version)) for version, before in zip(found, older, strict=True)]
    draft = canvas.versions.filter(number=None).select_related("author").first()
    pending = differences.between(found[0], draft) if found and draft else []
    context = {"rows": rows, "draft": draft, "pending": pending, "history": _history(canvas)}
    return page(site, request, canvas, "canvas/versions.html", _("Versions"), "versions", **context)


def _restore(site: Site, request: HttpRequest, canvas: Canvas) -> HttpResponse:
    if not may_edit(site, request, canvas):
        raise PermissionDenied
    number = request.POST.get("number", "")
    version = get_object_or_404(CanvasVersion, canvas=canvas, number=int(number) if number.isdigit() else 0)
    publishing.restore(version, request.user)
    messages.success(request, _("The draft is now as version %s was. Look at it, then publish it.") % number)
    return goto("flow", canvas.pk)


def _history(canvas: Canvas) -> list[tuple[object, str, str]]:
    """What people did with the Canvas, as the admin noted it: time, who, what."""
    kind = ContentType.objects.get_for_model(Canvas)
    rows = LogEntry.objects.filter(content_type=kind, object_id=str(canvas.pk)).select_related("user")
    return [(row.action_time, row.user.get_username(), row.get_change_message()) for row in rows[:50]]


def copy(site: Site, request: HttpRequest, pk: int) -> HttpResponse:
    """Duplicate the Canvas, or keep it as a template; POST only."""
    canvas = canvas_of(site, request, pk)
    allowed = request.user.has_perm("canvas.add_canvas")
    if request.method != "POST" or not allowed:
        raise PermissionDenied
    if request.POST.get("as") == "template":
        name = request.POST.get("name", "").strip() or canvas.name
        presets.save(canvas, name, request.POST.get("description", "").strip(), request.user)
        messages.success(request, _("“%s” can now be chosen when a Canvas is made.") % name)
        return goto("versions", pk)
    twin = setup.duplicate(canvas, request.user)
    messages.success(request, _("This is the copy. It has no journeys and no numbers yet."))
    return goto("flow", twin.pk)
