"""What the Canvas pages share: who may, the frame around them, and how an edit is made."""

from collections.abc import Callable
from typing import Any, Protocol

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from canvas import graph, idle, live, publishing, undo
from canvas.errors import EditError, Stale
from canvas.graph import Graph
from canvas.models import Canvas, CanvasVersion, Comment
from outreach.models import Status
from workspace import teams

Work = Callable[[CanvasVersion, int | None], Any]


class Site(Protocol):
    """What the pages need of the admin class."""

    admin_site: Any
    opts: Any

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool: ...
    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool: ...
    def log_change(self, request: HttpRequest, obj: Any, message: str) -> Any: ...


def canvas_of(site: Site, request: HttpRequest, pk: int) -> Canvas:
    """The Canvas, if the user may see it."""
    canvas = get_object_or_404(teams.visible(Canvas.objects.all(), request.user), pk=pk)
    if not site.has_view_permission(request, canvas):
        raise PermissionDenied
    return canvas


def may_edit(site: Site, request: HttpRequest, canvas: Canvas) -> bool:
    return site.has_change_permission(request, canvas) and canvas.status != Status.ARCHIVED


def may_launch(request: HttpRequest) -> bool:
    return bool(request.user.has_perm("canvas.launch_canvas"))


def to(name: str, *args: Any) -> str:
    return reverse(f"admin:canvas_canvas_{name}", args=args)


def goto(name: str, *args: Any, anchor: str = "") -> HttpResponseRedirect:
    return HttpResponseRedirect(to(name, *args) + (f"#{anchor}" if anchor else ""))


def shown(request: HttpRequest, canvas: Canvas) -> tuple[CanvasVersion, Graph]:
    """The version the page shows (`?version=3`, else what is being edited) and its graph."""
    asked = request.GET.get("version", "")
    version = None
    if asked.isdigit():
        version = get_object_or_404(CanvasVersion, canvas=canvas, number=int(asked))
    version = version or publishing.shown(canvas)
    return version, graph.load(version)


def frame(site: Site, request: HttpRequest, canvas: Canvas, tab: str = "") -> dict[str, Any]:
    """What the head of every page of a Canvas needs."""
    return {
        "opts": site.opts,
        "canvas": canvas,
        "tab": tab,
        "may_edit": may_edit(site, request, canvas),
        "may_launch": may_launch(request),
        "has_draft": canvas.versions.filter(number=None).exists(),
        "is_live": canvas.status != Status.DRAFT,
        "idle": idle.of(canvas, timezone.now()),
    }


def page(
    site: Site, request: HttpRequest, canvas: Canvas, template: str, title: str, tab: str = "", **context: Any
) -> HttpResponse:
    """A page inside the frame of a Canvas."""
    version = context.get("version")
    shell = {
        **site.admin_site.each_context(request),
        **frame(site, request, canvas, tab),
        "title": title,
        "edition": edition_of(version) if version else "",
    }
    return TemplateResponse(request, template, shell | context)


def edition_of(version: CanvasVersion) -> str:
    """What a page was made from, as its forms send it back."""
    return f"{version.pk}-{version.edition}"


def edit(site: Site, request: HttpRequest, canvas: Canvas, work: Work) -> bool:
    """Do the work on the draft the page was made from; what forbids it is said. Whether it was done."""
    if request.method != "POST" or not may_edit(site, request, canvas):
        raise PermissionDenied
    try:
        draft, expected = _draft(request, canvas)
        work(draft, expected)
    except EditError as error:
        messages.error(request, str(error))
        return False
    return True


def _draft(request: HttpRequest, canvas: Canvas) -> tuple[CanvasVersion, int | None]:
    """The draft to edit, and the edition it must still have."""
    seen, _dash, edition = request.POST.get("edition", "").partition("-")
    existing = CanvasVersion.objects.filter(canvas=canvas, number=None).select_related("author").first()
    if existing and seen and seen != str(existing.pk):
        who = existing.author.get_username() if existing.author else _("Somebody else")
        raise Stale(_("%s has begun a draft meanwhile. Reload the page, then make your change again.") % who)
    if existing and seen and edition != str(existing.edition):
        who = existing.author.get_username() if existing.author else _("Somebody else")
        raise Stale(_("%s changed this draft meanwhile. Reload the page, then make your change again.") % who)
    newest = live.versions([canvas.pk]).get(canvas.pk)
    if newest and seen and not existing and seen != str(newest.pk):
        who = newest.author.get_username() if newest.author else _("Somebody else")
        raise Stale(_("%s published another version meanwhile. Reload the page, then make your change again.") % who)
    draft = existing or publishing.draft_of(canvas, request.user)
    CanvasVersion.objects.filter(pk=draft.pk).update(author=request.user)
    return draft, draft.edition if existing and seen else None


def undoable(version: CanvasVersion) -> str:
    """What "Undo" would take back; empty: nothing."""
    change = undo.last(version) if version.number is None else None
    return change.what if change else ""


# --- comments


def comments_on(canvas: Canvas, step: int | None = None) -> list[Comment]:
    """Open comments first."""
    found = canvas.comments.filter(step=step).select_related("author", "resolved_by", "step")
    return sorted(found, key=lambda comment: (comment.resolved_at is not None, comment.pk))


def comment(site: Site, request: HttpRequest, pk: int) -> HttpResponse:
    """Say something about a Canvas or a step, or resolve what was said. Whoever may see the Canvas may."""
    canvas = canvas_of(site, request, pk)
    if request.method != "POST":
        raise PermissionDenied
    step = request.POST.get("step", "")
    where = int(step) if step.isdigit() and canvas.steps.filter(pk=step).exists() else None
    if done := request.POST.get("resolve", ""):
        waiting = canvas.comments.filter(pk=done if done.isdigit() else 0, resolved_at=None)
        waiting.update(resolved_at=timezone.now(), resolved_by=request.user)
    elif text := request.POST.get("text", "").strip():
        Comment.objects.create(canvas=canvas, step_id=where, text=text[:2_000], author_id=request.user.pk)
    return goto("step", pk, where, anchor="comments") if where else goto("flow", pk, anchor="comments")
