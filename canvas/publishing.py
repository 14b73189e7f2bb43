"""Drafts and versions: start a draft, publish it, go back to an older version."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Max

from canvas import experiments, graph, live, retiming, undo
from canvas.models import Canvas, CanvasVersion, Journey, Path, StepContent, StepRevision
from webhooks.lanes import open_lanes
from webhooks.models import Content, Message
from workspace.queues import wake

LEAVE, AFTER_THE_WAIT, NOW = "leave", "after", "now"


def draft_of(canvas: Canvas, author: Any = None) -> CanvasVersion:
    """The draft, made as a copy of the newest version where there is none."""
    with transaction.atomic():
        Canvas.with_tests.select_for_update(of=("self",), no_key=True).get(pk=canvas.pk)
        draft = CanvasVersion.objects.filter(canvas=canvas, number=None).first()
        if draft is None:
            newest = live.versions([canvas.pk]).get(canvas.pk)
            draft = copy(newest, author) if newest else CanvasVersion.objects.create(canvas=canvas, author=author)
    return draft


def shown(canvas: Canvas) -> CanvasVersion:
    """The draft, else the newest version; a first draft where there is neither."""
    return (
        CanvasVersion.objects.filter(canvas=canvas, number=None).first()
        or live.versions([canvas.pk]).get(canvas.pk)
        or draft_of(canvas)
    )


def copy(version: CanvasVersion, author: Any = None) -> CanvasVersion:
    """A draft with the same graph. Webhooks are shared until one is edited."""
    draft = CanvasVersion.objects.create(
        canvas_id=version.canvas_id,
        exit_events=version.exit_events,
        exit_audience=version.exit_audience,
        exits_at_once=version.exits_at_once,
        redirects=version.redirects,
        author=author,
    )
    twins: dict[int, StepRevision] = {}
    for old in version.revisions.order_by("pk"):
        twins[old.pk] = StepRevision(
            version=draft,
            step_id=old.step_id,
            name=old.name,
            note=old.note,
            settings=old.settings,
            is_disabled=old.is_disabled,
        )
    StepRevision.objects.bulk_create(twins.values())
    StepContent.objects.bulk_create(
        StepContent(revision=twins[item.revision_id], slot=item.slot, content_id=item.content_id)
        for item in StepContent.objects.filter(revision__version=version)
    )
    Path.objects.bulk_create(
        Path(
            version=draft,
            step_id=p.step_id,
            variant_id=p.variant_id,
            key=p.key,
            rank=p.rank,
            name=p.name,
            target_id=p.target_id,
        )
        for p in version.paths.all()
    )
    return draft


def publish(
    canvas: Canvas,
    now: datetime,
    author: Any = None,
    note: str = "",
    answers: Mapping[int, tuple[str, int | None]] = {},
    retimed: Iterable[int] = (),
) -> CanvasVersion | None:
    """Make the draft the version in force; None where there is no draft.

    `answers` says for each step that goes what happens to those who wait in it: when they go on, and to which step.
    `retimed` are delays whose new length is for those who wait there, too.
    """
    with transaction.atomic():
        Canvas.with_tests.select_for_update(of=("self",), no_key=True).get(pk=canvas.pk)
        draft = CanvasVersion.objects.select_for_update().filter(canvas=canvas, number=None).first()
        if draft is None:
            return None
        before = live.versions([canvas.pk]).get(canvas.pk)
        top = CanvasVersion.objects.filter(canvas=canvas).aggregate(top=Max("number"))["top"] or 0
        draft.redirects = _redirects(draft, before, answers)
        draft.number, draft.published_at, draft.author, draft.note = top + 1, now, author or draft.author, note
        draft.save()
        if before:
            experiments.end_those_edited(graph.load(before), graph.load(draft), now)
            _hand_over(canvas, graph.load(before), graph.load(draft), now)
        _release(canvas, answers, now)
        _retime(canvas, graph.load(draft), retimed, now)
        undo.forget(draft)
        wake("canvas")
    return draft


def _retime(canvas: Canvas, new: graph.Graph, steps: Iterable[int], now: datetime) -> None:
    for step in steps:
        if (node := new.nodes.get(step)) and retiming.can_be(node):
            retiming.apply(canvas, node, now)


def _redirects(
    draft: CanvasVersion, before: CanvasVersion | None, answers: Mapping[int, tuple[str, int | None]]
) -> dict[str, int | None]:
    """Where people of steps that are gone go: the answers, else the step after it, else what held before."""
    kept = set(draft.revisions.values_list("step_id", flat=True))
    earlier = {int(step): target for step, target in (before.redirects if before else {}).items()}
    found: dict[int, int | None] = {**earlier}
    if before:
        old = graph.load(before)
        for step, node in old.nodes.items():
            if step not in kept:
                found[step] = next((way.target for way in node.ways if way.target), None)
    for step, (when, target) in answers.items():
        found[step] = None if when == LEAVE else target
    return {str(step): target for step, target in found.items() if step not in kept}


def _release(canvas: Canvas, answers: Mapping[int, tuple[str, int | None]], now: datetime) -> None:
    """Those who need not wait for the end of a step that is gone are due now."""
    at_once = [step for step, (when, _target) in answers.items() if when in (NOW, LEAVE)]
    if at_once:
        Journey.objects.filter(canvas=canvas, step_id__in=at_once, ended_at=None).update(wake_at=now)


def _hand_over(canvas: Canvas, old: graph.Graph, new: graph.Graph, now: datetime) -> None:
    """Give messages that were made and not yet sent the new wording; those of steps that are gone are cancelled later,
    when their journeys move on.
    """
    for step, node in new.nodes.items():
        was = dict(old.nodes[step].contents) if step in old.nodes else {}
        for slot, content in node.contents:
            if slot in was and was[slot] != content:
                fresh = Content.objects.prefetch_related("overrides").get(pk=content)
                lane = open_lanes(canvas.sender, [fresh])[content]
                waiting = Message.objects.filter(
                    sender=canvas.sender, content_id=was[slot], finished_at=None, attempts=0
                )
                waiting.filter(slot=slot).update(content_id=content, lane_id=lane)
    gone = [step for step in old.nodes if step not in new.nodes]
    Journey.objects.filter(canvas=canvas, step_id__in=gone, ended_at=None, state="sending").update(wake_at=now)


def discard(canvas: Canvas) -> None:
    """Throw the draft of changes away; the version in force stays."""
    draft = CanvasVersion.objects.filter(canvas=canvas, number=None).first()
    if draft is None or not live.versions([canvas.pk]):
        return
    with transaction.atomic():
        written = list(StepContent.objects.filter(revision__version=draft).values_list("content_id", flat=True))
        undo.forget(draft)
        draft.delete()
        Content.objects.filter(pk__in=written, step_contents=None, variants=None, template=None).delete()


def restore(version: CanvasVersion, author: Any = None) -> CanvasVersion:
    """A draft like an older version; publishing it makes a new one."""
    with transaction.atomic():
        CanvasVersion.objects.filter(canvas_id=version.canvas_id, number=None).delete()
        draft = copy(version, author)
        newest = live.versions([version.canvas_id]).get(version.canvas_id)
        draft.redirects = newest.redirects if newest else {}
        draft.save(update_fields=["redirects"])
    return draft
