"""A Canvas as a document: its settings, steps, webhooks and variants, without ids, people or numbers.

Templates are kept so, and made into Canvases again; files have more settings (`FILE_SETTINGS`), and names instead of
ids (`KIND`). Steps are named by their place: "1", "2", …
"""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from audience.portable import note_unseen_events
from canvas import graph, publishing, setup, shapes
from canvas.models import Canvas, CanvasVersion, Path, Step, StepContent, StepRevision
from outreach import portable as shared
from outreach.models import Status
from webhooks.models import Sender
from workspace.files import Document, Found, Kind, Links, Named
from workspace.files.document import at

SETTINGS = (
    *("to_everyone", "filters", "entry", "triggers", "reentry", "reentry_seconds", "entry_limit", "entry_cadence"),
    "conversions",
)
FILE_SETTINGS = (
    *(name for name in setup.COPIED if name not in ("description", "subscription_group")),
    *("zone", "end_at", "optimisation"),
)
EXITS = ("exit_events", "exit_audience", "exits_at_once")


def document_of(version: CanvasVersion, settings: Sequence[str] = SETTINGS) -> Document:
    """What a version and these settings of its Canvas say."""
    canvas = version.canvas
    revisions = list(version.revisions.select_related("step").order_by("step_id"))
    place = {revision.step_id: str(n) for n, revision in enumerate(revisions, 1)}
    paths = list(version.paths.order_by("rank", "key"))
    starts = {path.variant_id: place.get(path.target_id or 0) for path in paths if path.variant_id}
    return {
        "description": canvas.description,
        "settings": {name: getattr(canvas, name) for name in settings},
        "exits": {name: getattr(version, name) for name in EXITS},
        "variants": [
            {"name": v.name, "share": v.share, "is_control": v.is_control, "first": starts.get(v.pk)}
            for v in canvas.variants.filter(is_removed=False)
        ],
        "steps": [
            {
                "key": place[revision.step_id],
                "kind": revision.step.kind,
                "name": revision.name,
                "note": revision.note,
                "settings": revision.settings,
                "is_disabled": revision.is_disabled,
                "webhooks": _webhooks(revision),
                "paths": [
                    {"key": p.key, "name": p.name, "to": place.get(p.target_id or 0)}
                    for p in paths
                    if p.step_id == revision.step_id
                ],
            }
            for revision in revisions
        ],
    }


def _webhooks(revision: StepRevision) -> list[Document]:
    items = revision.step_contents.select_related("content__client_certificate")
    return [
        {"slot": item.slot, **shared.webhook_of(item.content)} for item in items.prefetch_related("content__overrides")
    ]


@transaction.atomic
def make(document: Mapping[str, Any], name: str, author: Any = None) -> Canvas:
    """A draft Canvas as the document says. What it leaves out is as in a new one."""
    given = document.get("settings") or {}
    canvas = Canvas(
        name=name,
        description=document.get("description") or "",
        created_by=author,
        sender=Sender.objects.create(name=name),
        subscription_group_id=document.get("subscription_group"),
        **{key: given[key] for key in FILE_SETTINGS if key in given},
    )
    canvas.save()
    shared.add_to(canvas, document)
    exits = document.get("exits") or {}
    draft = CanvasVersion.objects.create(
        canvas=canvas, author=author, **{key: exits[key] for key in EXITS if key in exits}
    )
    steps = {each["key"]: _step(draft, each) for each in document["steps"]}
    for each in document["steps"]:
        for rank, way in enumerate(each.get("paths") or [{"key": 0, "name": "", "to": None}]):
            _path(draft, way, rank, steps, step=steps[each["key"]])
    for position, arm in enumerate(document["variants"]):
        variant = shared.make_variant(canvas, position, arm)
        if not variant.is_control:
            Path.objects.create(version=draft, variant=variant, target=steps.get(arm.get("first") or ""))
    return canvas


def _step(draft: CanvasVersion, given: Mapping[str, Any]) -> Step:
    step = Step.objects.create(canvas_id=draft.canvas_id, kind=given["kind"])
    revision = StepRevision.objects.create(
        version=draft,
        step=step,
        name=given["name"],
        note=given.get("note") or "",
        settings=given.get("settings") or {},
        is_disabled=bool(given.get("is_disabled")),
    )
    for place, webhook in enumerate(given.get("webhooks") or ()):
        content = shared.make_webhook(webhook)
        StepContent.objects.create(revision=revision, slot=webhook.get("slot", place), content=content)
    return step


def _path(draft: CanvasVersion, way: Mapping[str, Any], rank: int, steps: Mapping[str, Step], step: Step) -> None:
    if step.kind == "exit":
        return
    Path.objects.create(
        version=draft,
        step=step,
        key=way["key"],
        rank=rank,
        name=way.get("name") or "",
        target=steps.get(way.get("to") or ""),
    )


# --- files


def _write(canvas: Canvas) -> Document:
    document, links = document_of(publishing.shown(canvas), FILE_SETTINGS), Named()
    return {
        **shared.written_head(canvas, shared.head_of(canvas) | document, links),
        "exits": shared.translated(document["exits"], links, "exits"),
        "steps": [_written(step, links, at("steps", n)) for n, step in enumerate(document["steps"])],
    }


def _written(step: Document, links: Links, place: str) -> Document:
    return {
        **step,
        "settings": shared.translated(step["settings"], links, at(place, "settings")),
        "webhooks": [
            {key: value for key, value in shared.without_secrets(webhook).items() if key != "slot"}
            for webhook in step["webhooks"]
        ],
    }


def _make(document: Document, links: Found) -> Canvas:
    taken = shared.read_head(document, links)
    taken["exits"] = shared.translated(document.get("exits") or {}, links, "exits")
    taken["steps"] = [_taken(step, links, at("steps", n)) for n, step in enumerate(document["steps"])]
    note_unseen_events(links)
    canvas = make(taken, document["name"], links.user)
    if graph.read(publishing.shown(canvas)).on_cycles:
        links.refuse("steps", _("Steps can't lead back to an earlier step: journeys only move forward."))
    return canvas


def _taken(step: Document, links: Found, place: str) -> Document:
    return {
        **step,
        "settings": shared.translated(step.get("settings") or {}, links, at(place, "settings")),
        "webhooks": [
            shared.taken_in(webhook, links, at(at(place, "webhooks"), n))
            for n, webhook in enumerate(step.get("webhooks") or ())
        ],
    }


def _facts(canvas: Canvas) -> Sequence[str]:
    arms, steps = canvas.variants.count(), canvas.steps.count()
    return [
        str(canvas.get_entry_display()),
        ngettext("%d variant", "%d variants", arms) % arms,
        ngettext("%d step", "%d steps", steps) % steps,
    ]


KIND = Kind(
    "canvas",
    gettext_lazy("Canvas"),
    lambda: Canvas.objects.exclude(status=Status.ARCHIVED),
    shapes.file_shape(FILE_SETTINGS),
    _write,
    _make,
    _facts,
    shapes.problems,
)
