"""The page of the live test: start one, watch it, let more people in, take them out, end it."""

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from canvas import lifecycle, live, publishing, stories, words
from canvas.admin.pages import Site, canvas_of, goto, may_edit, page
from canvas.errors import EditError
from canvas.forms.livetest import PeopleForm, StartForm
from canvas.livetest import twin as twins
from canvas.livetest import wipe
from canvas.models import Canvas, Journey
from outreach.errors import NotLaunchable, OutreachError
from outreach.models import Status

DAY = timedelta(days=1)


def show(site: Site, request: HttpRequest, pk: int) -> HttpResponse:
    """What the test of a Canvas comes to. POST changes it: for those who may edit the Canvas and send tests."""
    canvas = _canvas(site, request, pk)
    twin = wipe.twin_of(canvas)
    asked = request.POST.get("do", "") if request.method == "POST" else ""
    if asked and not _may_test(site, request, canvas):
        raise PermissionDenied
    inside = (
        frozenset(Journey.objects.filter(canvas=twin).values_list("profile_id", flat=True)) if twin else frozenset()
    )
    begin = StartForm(canvas, request.POST if asked == "start" else None)
    more = PeopleForm(canvas, request.POST if asked == "add" else None, inside)
    if asked in ("end", "wipe", "reset") and twin:
        _undo(site, request, canvas, twin, asked)
        return goto("live_test", pk)
    if asked == "start" and begin.is_valid() and _start(site, request, canvas, begin):
        return goto("live_test", pk)
    if asked == "add" and twin and twin.status == Status.ACTIVE and more.is_valid():
        twins.add(canvas, twin, more.wanted(), timezone.now())
        return goto("live_test", pk)
    context = {**_state(canvas, twin), "begin": begin, "more": more, "may_test": _may_test(site, request, canvas)}
    return page(site, request, canvas, "canvas/livetest.html", _("Live test"), "live_test", **context)


def state(site: Site, request: HttpRequest, pk: int) -> HttpResponse:
    """The part that moves, as a fragment."""
    canvas = _canvas(site, request, pk)
    context = {"canvas": canvas, **_state(canvas, wipe.twin_of(canvas)), "may_test": _may_test(site, request, canvas)}
    return TemplateResponse(request, "canvas/livetest_state.html", context)


def _canvas(site: Site, request: HttpRequest, pk: int) -> Canvas:
    canvas = canvas_of(site, request, pk)
    if not request.user.has_perm("audience.view_profile"):
        raise PermissionDenied
    return canvas


def _may_test(site: Site, request: HttpRequest, canvas: Canvas) -> bool:
    return may_edit(site, request, canvas) and request.user.has_perm("webhooks.view_content")


def _state(canvas: Canvas, twin: Canvas | None) -> dict[str, Any]:
    if twin is None:
        return {"twin": None}
    journeys = list(Journey.objects.filter(canvas=twin).select_related("variant").order_by("entered_at", "pk"))
    copied = live.versions([twin.pk]).get(twin.pk)
    return {
        "twin": twin,
        "stories": stories.of(twin, journeys),
        "is_moving": any(journey.ended_at is None for journey in journeys),
        "is_older": copied is not None and copied.note != twins.state_of(publishing.shown(canvas)),
        "day": words.lasting(DAY / twin.time_factor),
    }


def _start(site: Site, request: HttpRequest, canvas: Canvas, form: StartForm) -> bool:
    """Whether it began; what forbids it is said."""
    try:
        twins.start(canvas, form.wanted(), timezone.now(), request.user)
    except NotLaunchable as error:
        for problem in error.problems:
            messages.error(request, problem)
        return False
    except EditError as error:
        messages.error(request, str(error))
        return False
    site.log_change(request, canvas, _("Started a live test."))
    return True


def _undo(site: Site, request: HttpRequest, canvas: Canvas, twin: Canvas, asked: str) -> None:
    """End the test and keep its story, wipe it, or take one profile out."""
    profile = request.POST.get("profile", "")
    try:
        if asked == "wipe":
            wipe.everything(canvas, timezone.now())
            messages.success(request, _("The test is gone, with all its numbers."))
        elif asked == "end":
            lifecycle.archive(twin, timezone.now())
            messages.success(request, _("The test has ended. Everybody in it leaves."))
        elif profile.isdigit():
            wipe.people(twin, [int(profile)])
            messages.success(request, _("It is as if this profile had never entered."))
    except OutreachError as error:
        messages.warning(request, str(error))
    else:
        site.log_change(request, canvas, _("Changed the live test."))
