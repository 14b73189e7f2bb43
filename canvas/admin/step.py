"""The page of one step: its settings in the order they are evaluated, the webhook, and what it has done so far."""

from collections.abc import Callable, Mapping
from typing import Any

from django import forms
from django.contrib import messages
from django.forms import inlineformset_factory
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _

from canvas import counts, durations, editing, experiments, results, steps, words
from canvas.admin.pages import Site, canvas_of, comments_on, edit, goto, may_edit, page, shown
from canvas.counts import StepMetric
from canvas.editing import Saved
from canvas.forms.editor import Editor
from canvas.forms.editors import EDITORS
from canvas.graph import Graph, Node
from canvas.models import Canvas, CanvasVersion, ExperimentResult, Journey, Kind, StepRevision
from canvas.states import Reason
from canvas.steps import experiment_paths
from outreach import reasons
from outreach.models import Status
from webhooks.admin import writing
from webhooks.forms import ContentForm, OverrideForm, OverrideFormSet
from webhooks.models import Content, ContentOverride

Overrides = inlineformset_factory(Content, ContentOverride, form=OverrideForm, formset=OverrideFormSet, extra=1)
OVERRIDES = "overrides"


class Composer:
    """The webhook a page shows, with its languages: the composer's own forms."""

    def __init__(self, content: Content, slot: int, data: Any = None) -> None:
        self.content, self.slot = content, slot
        self.form = ContentForm(data, instance=content)
        self.overrides = Overrides(data, instance=content, prefix=OVERRIDES)
        named = [(self.form, "name"), *((form, "language") for form in self.overrides.forms)]
        for form, name in named:
            form.fields[name].widget.attrs["class"] = "hl-input hl-short"

    def is_valid(self) -> bool:
        return bool(self.form.is_valid() and self.overrides.is_valid())

    @property
    def has_changed(self) -> bool:
        return self.form.has_changed() or any(form.has_changed() for form in self.overrides.forms)

    def written_anew(self) -> Content:
        """A content with what was typed; the one that was there stays as it is."""
        values = {name: getattr(self.form.instance, name) for name in Content.FIELDS_OF_A_COPY}
        twin = Content.objects.create(**values)
        kept = [form.cleaned_data for form in self.overrides.forms if form not in self.overrides.deleted_forms]
        ContentOverride.objects.bulk_create(
            ContentOverride(content=twin, **{name: row[name] for name in OverrideForm.Meta.fields})
            for row in kept
            if row.get("language")
        )
        return twin

    @property
    def media(self) -> forms.Media:
        return self.form.media


def show(site: Site, request: HttpRequest, pk: int, step: int) -> HttpResponse:
    """One step. POST saves it in the draft; what is not complete yet may be saved, and is named."""
    canvas = canvas_of(site, request, pk)
    version, graph = shown(request, canvas)
    node = graph.nodes.get(step)
    if node is None:
        raise Http404
    revision = get_object_or_404(StepRevision.objects.select_related("step"), version=version, step_id=step)
    data = request.POST if request.method == "POST" else None
    editor = EDITORS[node.kind](node, data, is_live=editing.is_live(step))
    composer = _composer(request, revision, data)
    if data is not None and editor.is_valid() and (composer is None or composer.is_valid()):
        return _save(site, request, canvas, node, editor, composer)
    if data is None:
        _point_out(editor, node)
    else:
        messages.error(request, _("Nothing was saved yet: see what is marked below."))
    context = _context(canvas, version, graph, node, revision, editor, composer)
    is_editable = may_edit(site, request, canvas) and not request.GET.get("version")
    return page(site, request, canvas, "canvas/step.html", node.name, "flow", **context, is_editable=is_editable)


def _composer(request: HttpRequest, revision: StepRevision, data: Any) -> Composer | None:
    items = list(revision.step_contents.select_related("content"))
    if not items:
        return None
    asked = request.POST.get("slot") or request.GET.get("webhook") or ""
    item = next((item for item in items if str(item.slot) == asked), items[0])
    return Composer(item.content, item.slot, data)


def _point_out(editor: Editor, node: Node) -> None:
    """Put what is wrong with the saved step where it belongs."""
    for problem in steps.of(node.kind).problems(node, timezone.now()):
        section = next((each for each in editor.sections if each.key == problem.field), editor.sections[0])
        section.problems.append(problem.text)


def _save(
    site: Site, request: HttpRequest, canvas: Canvas, node: Node, editor: Editor, composer: Composer | None
) -> HttpResponse:
    command = request.POST.get("do", "")

    def work(draft: CanvasVersion, expected: int | None) -> None:
        revision = get_object_or_404(StepRevision, version=draft, step_id=node.id)
        head = editor.head.cleaned_data
        fresh = editing.new_key(revision)
        saved = Saved(head["name"], head["note"], editor.settings(), head["is_disabled"], editor.groups(command, fresh))
        contents = {composer.slot: composer.written_anew()} if composer and composer.has_changed else {}
        editing.save(revision, saved, contents, expected)
        if command == "add-webhook":
            editing.add_content(revision)
        elif command.startswith("drop-webhook-"):
            editing.remove_content(revision, int(command.removeprefix("drop-webhook-")))

    if edit(site, request, canvas, work) and not command:
        messages.success(request, _("“%s” was saved.") % editor.head.cleaned_data["name"])
    if request.POST.get("then") == "map":
        return goto("flow", canvas.pk, anchor=f"step-{node.id}")
    answer = goto("step", canvas.pk, node.id, anchor="hl-paths" if command else "")
    if composer and composer.slot and not command:
        answer["Location"] += f"?webhook={composer.slot}"
    return answer


def _context(
    canvas: Canvas,
    version: CanvasVersion,
    graph: Graph,
    node: Node,
    revision: StepRevision,
    editor: Editor,
    composer: Composer | None,
) -> dict[str, Any]:
    order = sorted(graph.order, key=lambda each: graph.order[each])
    place = order.index(node.id)
    return {
        "version": version,
        "node": node,
        "revision": revision,
        "icon": words.ICONS[node.kind],
        "kind_label": node.kind.label,
        "purpose": words.PURPOSES[node.kind],
        "summary": words.summary(node),
        "editor": editor,
        "composer": composer,
        "earlier": writing.earlier_tests(composer.content.pk) if composer else (),
        "webhooks": list(revision.step_contents.select_related("content")),
        "place": place + 1,
        "step_count": len(order),
        "previous": graph.nodes[order[place - 1]] if place else None,
        "following": graph.nodes[order[place + 1]] if place + 1 < len(order) else None,
        "before": words.before(graph, node.id),
        "next": [*words.what_next(graph, node)],
        "figures": _figures(canvas, node),
        "exits": _by_reason(canvas, node, StepMetric.EXITED, dict(Reason.choices).get),
        "unsent": _by_reason(canvas, node, StepMetric.NOT_SENT, reasons.in_words),
        "waiting": _waiting(canvas, node),
        "experiment": _experiment(canvas, node),
        "history": _history(node.id),
        "can_add_group": node.kind in editing.BRANCHING
        and node.kind != Kind.DECISION_SPLIT
        and not editor.is_live
        and len(node.ways) < editing.most_groups(node.kind),
        "can_add_control": node.kind == Kind.EXPERIMENT_PATHS and not editor.is_live and node.way(0) is None,
        "can_have_paths": node.kind in editing.BRANCHING,
        "comments": comments_on(canvas, node.id),
        "media": editor.media + (composer.media if composer else forms.Media()),
        "longest": durations.longest(graph, timezone.now()),
    }


def _figures(canvas: Canvas, node: Node) -> list[tuple[str, Any, int]]:
    """What the step counted so far, as (key, words, number)."""
    if canvas.status == Status.DRAFT:
        return []
    found = counts.by_step(canvas.pk).get(node.id, {})
    always = ("entered", "waiting", "proceeded", "completed", "exited", "stuck")
    labels: Mapping[str, Any] = dict(StepMetric.choices) | {"waiting": _("waiting now")}
    others = [name for name in StepMetric.values if name not in always and name != StepMetric.PATH and found.get(name)]
    return [(name, labels[name], found.get(name, 0)) for name in (*always, *others)]


def _by_reason(canvas: Canvas, node: Node, metric: StepMetric, in_words: Callable[[str], Any]) -> list[tuple[str, int]]:
    """How many of the step were counted for each reason, the commonest first."""
    found = counts.reasons(canvas.pk, metric)
    here = [(str(in_words(reason) or reason), n) for (step, reason), n in found.items() if step == node.id]
    return sorted(here, key=lambda pair: -pair[1])


def _waiting(canvas: Canvas, node: Node) -> Any:
    """When the next one who waits here goes on."""
    here = Journey.objects.filter(canvas=canvas, step_id=node.id, ended_at=None, wake_at__isnull=False)
    return here.order_by("wake_at").values_list("wake_at", flat=True).first()


def _experiment(canvas: Canvas, node: Node) -> dict[str, Any] | None:
    """How an experiment stands: conversions by path, and what was decided."""
    if node.kind is not Kind.EXPERIMENT_PATHS or canvas.status == Status.DRAFT:
        return None
    found = experiments.figures(canvas.pk, node)
    control = found.get(experiment_paths.CONTROL)
    rows = [
        (
            way.name,
            results.compared(_swapped(found.get(way.key, (0, 0))), _swapped(control) if control and way.key else None),
        )
        for way in node.ways
    ]
    result = ExperimentResult.objects.filter(step=node.id).first()
    way = node.way(result.winner) if result and result.winner is not None else None
    return {"rows": rows, "result": result, "winner": way.name if way else ""}


def _swapped(figures: tuple[int, int]) -> tuple[int, int]:
    journeys, converted = figures
    return converted, journeys


def _history(step: int) -> list[CanvasVersion]:
    """The published versions that have this step, newest first."""
    found = CanvasVersion.objects.filter(revisions__step_id=step, number__isnull=False).select_related("author")
    return list(found.order_by("-number")[:10])
