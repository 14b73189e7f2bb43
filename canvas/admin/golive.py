"""Launch, publish, pause, stop, finish, resume, archive, unarchive: each page asks first, with the numbers."""

from collections.abc import Callable, Mapping
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from canvas import counts, differences, durations, impact, launch, lifecycle, live, publishing, words
from canvas import graph as graphs
from canvas.admin.pages import Site, canvas_of, edition_of, goto, may_launch, page
from canvas.impact import Impact
from canvas.models import Canvas, Entry
from outreach import reach
from outreach.errors import NotLaunchable, OutreachError
from outreach.lifecycle import unarchive
from outreach.models import Status

ACTIONS: Mapping[str, tuple[Callable[..., None], Any, Any]] = {
    "pause": (
        lifecycle.pause,
        gettext_lazy("Pause"),
        gettext_lazy("Nobody enters, nothing is sent, and timers stand still. Nobody is lost: on resume all go on."),
    ),
    "stop": (
        lifecycle.stop,
        gettext_lazy("Stop"),
        gettext_lazy("Nobody enters, nothing is sent. Whose waiting time ends before you resume leaves for good."),
    ),
    "finish": (
        lifecycle.finish,
        gettext_lazy("Finish"),
        gettext_lazy("Nobody enters any more; those inside go on to their end. Then the Canvas stops by itself."),
    ),
    "resume": (
        lifecycle.resume,
        gettext_lazy("Resume"),
        gettext_lazy("Profiles enter again from now on, and those inside go on. Nobody gets a message twice."),
    ),
    "archive": (
        lifecycle.archive,
        gettext_lazy("Archive"),
        gettext_lazy("Everybody inside leaves, for good. The results stay readable."),
    ),
    "unarchive": (
        unarchive,
        gettext_lazy("Unarchive"),
        gettext_lazy("It comes back stopped. Nobody enters and nothing is sent until you resume it."),
    ),
}
FINAL = ("stop", "archive")


def show(site: Site, request: HttpRequest, pk: int) -> HttpResponse:
    """What stands in the way, what to read, and what will happen. POST launches, or publishes the draft."""
    canvas = canvas_of(site, request, pk)
    if not may_launch(request):
        raise PermissionDenied
    is_launch, version = canvas.status == Status.DRAFT, publishing.shown(canvas)
    if request.method == "POST":
        if version.number is None and request.POST.get("edition") != edition_of(version):
            messages.error(request, _("The draft was changed meanwhile. Look at it again first."))
            return goto("launch", canvas.pk)
        return _launch(site, request, canvas) if is_launch else _publish(site, request, canvas)
    now = timezone.now()
    graph = graphs.load(version)
    found = launch.problems(canvas, now) if is_launch else [*launch.graph_problems(canvas, graph, now)]
    newest = live.versions([canvas.pk]).get(canvas.pk)
    context: dict[str, Any] = {
        "version": version,
        "graph": graph,
        "is_launch": is_launch,
        "problems": found,
        "warnings": launch.warnings(canvas, now),
        "longest": words.lasting(durations.longest(graph, now)),
        "variants": canvas.variants.filter(is_removed=False),
        "starts_now": canvas.entry == Entry.SCHEDULED and not canvas.start_at,
    }
    if is_launch:
        context["audience_size"] = reach.audience(canvas, now).count()
    elif version.number is None:
        context |= {"changes": differences.between(newest, version), "impact": impact.of(canvas, version)}
        context["targets"] = [graph.nodes[step] for step in graph.order]
    title = _("Launch") if is_launch else _("Publish")
    return page(site, request, canvas, "canvas/launch.html", title, "launch", **context)


def _launch(site: Site, request: HttpRequest, canvas: Canvas) -> HttpResponse:
    try:
        launch.start(canvas, timezone.now(), request.user)
    except NotLaunchable as error:
        for problem in error.problems:
            messages.error(request, problem)
        return goto("launch", canvas.pk)
    except OutreachError as error:
        messages.warning(request, str(error))
    else:
        site.log_change(request, canvas, _("Launched."))
        messages.success(request, _("“%s” was launched.") % canvas)
    return goto("flow", canvas.pk)


def _publish(site: Site, request: HttpRequest, canvas: Canvas) -> HttpResponse:
    draft = canvas.versions.filter(number=None).first()
    if draft is None:
        messages.info(request, _("There is nothing to publish."))
        return goto("flow", canvas.pk)
    given = impact.of(canvas, draft)
    answers = _answers(request, given)
    if answers is None:
        messages.error(request, _("Say for each deleted step where those go who wait in it."))
        return goto("launch", canvas.pk)
    retimed = [each.node.id for each in given.retimed if request.POST.get(f"retime-{each.node.id}")]
    note = request.POST.get("note", "").strip()[:255]
    try:
        launch.republish(canvas, timezone.now(), request.user, note, answers=answers, retimed=retimed)
    except NotLaunchable as error:
        for problem in error.problems:
            messages.error(request, problem)
        return goto("launch", canvas.pk)
    site.log_change(request, canvas, _("Published: %s") % note if note else _("Published changes."))
    messages.success(request, _("Published. Whoever comes to a step from now on finds it changed."))
    return goto("flow", canvas.pk)


def _answers(request: HttpRequest, given: Impact) -> dict[int, tuple[str, int | None]] | None:
    """What was said of each deleted step where people wait; None where something was not said."""
    found: dict[int, tuple[str, int | None]] = {}
    for each in given.gone:
        when = request.POST.get(f"when-{each.node.id}", "")
        target = request.POST.get(f"to-{each.node.id}", "")
        if when not in (publishing.LEAVE, publishing.AFTER_THE_WAIT, publishing.NOW):
            return None
        found[each.node.id] = (when, int(target) if target.isdigit() else None)
    return found


def act(site: Site, request: HttpRequest, pk: int, action: str) -> HttpResponse:
    """Pause, stop, finish, resume, archive or unarchive; GET asks first."""
    canvas = canvas_of(site, request, pk)
    if not may_launch(request):
        raise PermissionDenied
    if action not in ACTIONS:
        raise Http404
    do, label, text = ACTIONS[action]
    if request.method != "POST":
        totals = counts.by_step(canvas.pk).get(0, counts.NOTHING)
        context = {
            "action": action,
            "label": label,
            "text": text,
            "is_final": action in FINAL,
            "inside": totals["waiting"],
        }
        return page(site, request, canvas, "canvas/confirm.html", _("%s?") % label, **context)
    try:
        do(canvas, timezone.now())
    except OutreachError as error:
        messages.warning(request, str(error))
    else:
        site.log_change(request, canvas, str(label))
        messages.success(
            request,
            _("Done: %(action)s. “%(name)s” is %(status)s.")
            % {"action": label, "name": canvas.name, "status": canvas.get_status_display()},
        )
    return goto("flow", pk)
