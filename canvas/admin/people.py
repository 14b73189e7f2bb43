"""The pages of the journeys: who is where, what may be done about it, and one journey's story."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Page
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from audience import search
from audience.models import Profile
from canvas import counts, operators, stories
from canvas.admin.pages import Site, canvas_of, goto, may_edit, page
from canvas.counts import StepMetric
from canvas.models import Canvas, Journey
from canvas.states import State
from workspace.paging import BoundedPaginator

SHOWN = 50


def show(site: Site, request: HttpRequest, pk: int) -> HttpResponse:
    """Journeys by step and state, newest first. POST does something to those that are chosen, or to all that fit."""
    canvas = _canvas(site, request, pk)
    if request.method == "POST":
        return _act(site, request, canvas)
    shown = BoundedPaginator(_found(canvas, request.GET), SHOWN).get_page(request.GET.get("page"))
    names = stories.step_names(canvas)
    kept = request.GET.copy()
    kept.pop("page", None)
    context = {
        "shown": shown,
        "rows": _rows(shown, names),
        "names": names.items(),
        "states": State.choices,
        "actions": operators.ACTIONS.items(),
        "asked": request.GET,
        "query": kept.urlencode(),
        "failed": counts.by_step(pk).get(0, counts.NOTHING)[StepMetric.FAILED],
    }
    return page(site, request, canvas, "canvas/journeys.html", _("Journeys"), "journeys", **context)


def _canvas(site: Site, request: HttpRequest, pk: int) -> Canvas:
    canvas = canvas_of(site, request, pk)
    if not request.user.has_perm("audience.view_profile"):
        raise PermissionDenied
    return canvas


def _chosen(canvas: Canvas, asked: Any) -> Q:
    """The filter that a query says."""
    chosen = Q()
    if asked.get("step", "").isdigit():
        chosen &= Q(step=int(asked["step"]))
    if asked.get("state") in State.values:
        chosen &= Q(state=asked["state"])
    if text := asked.get("who", "").strip():
        chosen &= Q(profile__in=list(search.find(text).values_list("pk", flat=True)[:100]))
    return chosen


def _found(canvas: Canvas, asked: Any) -> Any:
    return Journey.objects.filter(_chosen(canvas, asked), canvas=canvas).order_by("-pk")


def _rows(shown: "Page[Journey]", names: dict[int, str]) -> list[dict[str, Any]]:
    people = Profile.objects.in_bulk([journey.profile_id for journey in shown])
    return [
        {"journey": each, "who": people.get(each.profile_id), "step": names.get(each.step_id or 0, "")}
        for each in shown
    ]


def _act(site: Site, request: HttpRequest, canvas: Canvas) -> HttpResponse:
    """Asks first, with the number; then does it, and says so in the history."""
    action = request.POST.get("action", "")
    if not may_edit(site, request, canvas) or action not in operators.ACTIONS:
        raise PermissionDenied
    ids = [int(each) for each in request.POST.getlist("journey") if each.isdigit()]
    chosen = Q(pk__in=ids) if ids else _chosen(canvas, request.POST)
    count = operators.concerned(canvas, action, chosen).count()
    if not request.POST.get("sure"):
        asked = [(name, value) for name in ("step", "state", "who") if (value := request.POST.get(name, ""))]
        context = {"action": action, "label": operators.ACTIONS[action], "count": count, "ids": ids, "asked": asked}
        return page(site, request, canvas, "canvas/journeys_confirm.html", _("Journeys"), "journeys", **context)
    done = operators.act(canvas, action, chosen, timezone.now())
    site.log_change(request, canvas, f"{operators.ACTIONS[action]}: {done}")
    text = ngettext("%d journey will be moved within seconds.", "%d journeys will be moved within seconds.", done)
    messages.success(request, text % done)
    return goto("journeys", canvas.pk)


def story(site: Site, request: HttpRequest, pk: int, journey: int) -> HttpResponse:
    """One journey: each step with its times, why it went on, and what became of its messages."""
    canvas = _canvas(site, request, pk)
    one = get_object_or_404(Journey.objects.select_related("variant"), canvas=canvas, pk=journey)
    told = stories.of(canvas, [one])[0]
    return page(site, request, canvas, "canvas/journey.html", _("One journey"), "journeys", story=told)
