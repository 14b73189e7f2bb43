"""The map of a Canvas, and what is done on it: add, move, connect, duplicate, switch off, delete, undo."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _

from canvas import conversions, counts, durations, editing, launch, live, publishing, undo, words
from canvas import graph as graphs
from canvas.admin import drawing
from canvas.admin.drawing import Figures
from canvas.admin.pages import Site, canvas_of, comments_on, edit, goto, may_edit, page, shown, undoable
from canvas.counts import StepMetric
from canvas.errors import NotAllowed
from canvas.graph import Graph, Node
from canvas.models import Canvas, CanvasVersion, Journey, Kind, Path, StepRevision
from outreach.models import DailyCount, Status


def show(site: Site, request: HttpRequest, pk: int) -> HttpResponse:
    """The map: every step with its numbers, every path with a place to add a step."""
    canvas = canvas_of(site, request, pk)
    version, graph = shown(request, canvas)
    variants = list(canvas.variants.filter(is_removed=False))
    now = timezone.now()
    findings = list(launch.graph_problems(canvas, graph, now))
    is_editable = may_edit(site, request, canvas) and not request.GET.get("version")
    return page(
        site,
        request,
        canvas,
        "canvas/flow.html",
        canvas.name,
        "flow",
        version=version,
        graph=graph,
        drawing=drawing.draw(graph, variants, figures(canvas, graph, findings)),
        outline=outline(graph),
        variants=variants,
        problems=[finding for finding in findings if not finding.step],
        problem_count=len(findings),
        longest=words.lasting(durations.longest(graph, now)),
        totals=counts.by_step(canvas.pk).get(0, {}),
        undoable=undoable(version),
        is_editable=is_editable,
        is_draft_of_live=version.number is None and canvas.status != Status.DRAFT,
        published=live.versions([canvas.pk]).get(canvas.pk),
        comments=comments_on(canvas),
        old=request.GET.get("version", ""),
    )


def figures(canvas: Canvas, graph: Graph, findings: Any) -> Figures:
    """The numbers on the map. A few queries on totals, whatever the number of journeys."""
    problems: dict[int, list[str]] = {}
    for finding in findings:
        problems.setdefault(finding.step, []).append(finding.text)
    if canvas.status == Status.DRAFT:
        return Figures(problems=problems)
    totals = counts.reasons(canvas.pk, StepMetric.PATH)
    entered = DailyCount.objects.filter(outreach=canvas, step=0, metric=StepMetric.ENTERED)
    by_variant: dict[int, int] = {}
    for variant, number in entered.values_list("variant", "count"):
        by_variant[variant] = by_variant.get(variant, 0) + number
    converted = conversions.by_step(canvas.pk)
    by_step = {step: {**row, "converted": converted.get(step, 0)} for step, row in counts.by_step(canvas.pk).items()}
    return Figures(by_step, totals, by_variant, problems, changed_since_live(canvas, graph), True)


def changed_since_live(canvas: Canvas, graph: Graph) -> frozenset[int]:
    """Steps of a draft that are new or differ from the version in force."""
    newest = live.versions([canvas.pk]).get(canvas.pk)
    if newest is None or graph.number:
        return frozenset()
    old = graphs.load(newest).nodes
    return frozenset(step for step, node in graph.nodes.items() if old.get(step) != node)


def outline(graph: Graph) -> list[dict[str, Any]]:
    """The steps as a list, in order, each with what follows."""
    return [
        {
            "place": graph.order[step] + 1,
            "node": graph.nodes[step],
            "summary": words.summary(graph.nodes[step]),
            "next": [
                (f"step-{step}-{way.key}", way.name, *_where(graph, graph.present(way.target)))
                for way in graph.nodes[step].ways
            ],
        }
        for step in graph.order
    ]


def _where(graph: Graph, target: int | None) -> tuple[Node | None, int]:
    return (graph.nodes[target], graph.order[target] + 1) if target is not None else (None, 0)


# --- on a path


def path_named(version: CanvasVersion, source: str) -> Path:
    """The path that a name such as `step-3-1` or `variant-2` stands for. Raises Http404."""
    kind, *numbers = source.split("-")
    if not all(number.isdigit() for number in numbers):
        raise Http404
    paths = Path.objects.filter(version=version)
    if kind == "variant" and len(numbers) == 1:
        return get_object_or_404(paths, variant=int(numbers[0]))
    if kind == "step" and len(numbers) == 2:
        return get_object_or_404(paths, step=int(numbers[0]), key=int(numbers[1]))
    raise Http404


def path(site: Site, request: HttpRequest, pk: int, source: str) -> HttpResponse:
    """What can be put on a path: a new step, or a way to a step that is there."""
    canvas = canvas_of(site, request, pk)
    version, graph = shown(request, canvas)
    if request.method == "POST":
        return _put(site, request, canvas, source)
    here = path_named(version, source)
    return page(
        site,
        request,
        canvas,
        "canvas/path.html",
        _("Add a step"),
        version=version,
        source=source,
        path=here,
        after=graph.nodes.get(here.step_id or 0),
        before=graph.nodes.get(graph.present(here.target_id) or 0),
        kinds=[(kind.value, kind.label, words.ICONS[kind], words.PURPOSES[kind]) for kind in Kind],
        targets=_targets(graph, here),
    )


def _targets(graph: Graph, here: Path) -> list[Any]:
    """Steps a path may lead to: none that leads back to it."""
    if here.step_id is None:
        return list(graph.nodes.values())
    return [node for step, node in graph.nodes.items() if here.step_id not in graph.reachable([step])]


def _put(site: Site, request: HttpRequest, canvas: Canvas, source: str) -> HttpResponse:
    made: list[StepRevision] = []

    def work(draft: CanvasVersion, expected: int | None) -> None:
        here = path_named(draft, source)
        if request.POST.get("kind") in Kind.values:
            made.append(editing.add_step(draft, Kind(request.POST["kind"]), here, expected=expected))
        else:
            target = request.POST.get("target", "")
            editing.connect(draft, here, int(target) if target.isdigit() else None, expected)

    edit(site, request, canvas, work)
    if made:
        messages.success(request, _("“%s” was added. Set it up here.") % made[0].name)
        return goto("step", canvas.pk, made[0].step_id)
    return goto("flow", canvas.pk)


# --- on a step


def menu(site: Site, request: HttpRequest, pk: int, step: int) -> HttpResponse:
    """What can be done with a step besides editing it."""
    canvas = canvas_of(site, request, pk)
    version, graph = shown(request, canvas)
    if step not in graph.nodes:
        raise Http404
    if request.method == "POST":
        return _act(site, request, canvas, step)
    node = graph.nodes[step]
    return page(
        site,
        request,
        canvas,
        "canvas/menu.html",
        node.name,
        version=version,
        node=node,
        waiting=Journey.objects.filter(canvas=canvas, step_id=step, ended_at=None).count(),
        after=next((target for _name, target in words.what_next(graph, node) if target), None),
        places=_places(graph, canvas, step),
        is_live=editing.is_live(step),
    )


def _places(graph: Graph, canvas: Canvas, step: int) -> list[tuple[str, str]]:
    """Where the step could move to: (name of the path, words)."""
    behind = graph.reachable([step]) if len(graph.nodes[step].ways) > 1 else {step}
    found = [
        (f"variant-{variant.pk}", _("at the start of “%s”") % variant.name)
        for variant in canvas.variants.filter(is_removed=False, is_control=False)
        if graph.present(graph.starts.get(variant.pk)) != step
    ]
    for other in sorted(set(graph.nodes) - behind, key=lambda each: graph.order[each]):
        node = graph.nodes[other]
        for way in node.ways:
            if graph.present(way.target) != step:
                name = f"“{node.name}” › {way.name}" if len(node.ways) > 1 else f"“{node.name}”"
                found.append((f"step-{other}-{way.key}", _("after %s") % name))
    return found


def _act(site: Site, request: HttpRequest, canvas: Canvas, step: int) -> HttpResponse:
    action = request.POST.get("action", "")

    def work(draft: CanvasVersion, expected: int | None) -> None:
        revision = get_object_or_404(StepRevision, version=draft, step=step)
        match action:
            case "move":
                editing.move_step(draft, step, path_named(draft, request.POST.get("to", "")), expected)
            case "duplicate":
                editing.copy_step(draft, step, expected)
            case "switch":
                editing.change(revision, is_disabled=not revision.is_disabled, expected=expected)
            case "delete":
                editing.remove_step(draft, step, expected)
            case _:
                raise NotAllowed(_("Choose what to do."))

    done = edit(site, request, canvas, work)
    if done and action == "delete":
        messages.success(request, _("The step was deleted. Undo brings it back."))
    return goto("flow", canvas.pk, anchor="" if action == "delete" else f"step-{step}")


# --- on the draft


def take_back(site: Site, request: HttpRequest, pk: int) -> HttpResponse:
    """Undo the last change of the draft."""
    canvas = canvas_of(site, request, pk)
    edit(
        site,
        request,
        canvas,
        lambda draft, expected: messages.success(request, _("Undone: %s") % undo.take_back(draft)),
    )
    return goto("flow", pk)


def discard(site: Site, request: HttpRequest, pk: int) -> HttpResponse:
    """Throw the draft of changes away."""
    canvas = canvas_of(site, request, pk)
    if edit(site, request, canvas, lambda draft, expected: publishing.discard(canvas)):
        messages.success(request, _("The changes were thrown away. The version in force is as it was."))
    return goto("flow", pk)
