"""A Canvas as a document: its settings, steps, webhooks and variants, without ids, people or numbers.

Templates are kept so, and made into Canvases again. Steps are named by their place: "1", "2", …
"""

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from canvas.models import Canvas, CanvasVersion, Path, Step, StepContent, StepRevision
from outreach.models import Variant
from webhooks.models import Content, ContentOverride, Sender

SETTINGS = (
    *("to_everyone", "filters", "entry", "triggers", "reentry", "reentry_seconds", "entry_limit", "entry_cadence"),
    "conversions",
)
EXITS = ("exit_events", "exit_audience", "exits_at_once")
WORDING = ("language", "url", "pairs", "raw_body")
Document = dict[str, Any]


def document_of(version: CanvasVersion) -> Document:
    """What a version and its Canvas's settings say."""
    canvas = version.canvas
    revisions = list(version.revisions.select_related("step").order_by("step_id"))
    place = {revision.step_id: str(n) for n, revision in enumerate(revisions, 1)}
    paths = list(version.paths.order_by("rank", "key"))
    starts = {path.variant_id: place.get(path.target_id or 0) for path in paths if path.variant_id}
    return {
        "description": canvas.description,
        "settings": {name: getattr(canvas, name) for name in SETTINGS},
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
    items = revision.step_contents.select_related("content").prefetch_related("content__overrides")
    return [
        {
            "slot": item.slot,
            **{name: getattr(item.content, name) for name in Content.FIELDS_OF_A_COPY},
            "languages": [{name: getattr(o, name) for name in WORDING} for o in item.content.overrides.all()],
        }
        for item in items
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
        **{key: given[key] for key in SETTINGS if key in given},
    )
    canvas.save()
    exits = document.get("exits") or {}
    draft = CanvasVersion.objects.create(
        canvas=canvas, author=author, **{key: exits[key] for key in EXITS if key in exits}
    )
    steps = {each["key"]: _step(draft, each) for each in document["steps"]}
    for each in document["steps"]:
        for rank, way in enumerate(each.get("paths") or [{"key": 0, "name": "", "to": None}]):
            _path(draft, way, rank, steps, step=steps[each["key"]])
    for position, arm in enumerate(document["variants"]):
        is_control = bool(arm.get("is_control"))
        variant = Variant.objects.create(
            outreach=canvas, name=arm["name"], share=arm["share"], position=position, is_control=is_control
        )
        if not is_control:
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
        known = {name: webhook[name] for name in Content.FIELDS_OF_A_COPY if name in webhook}
        content = Content.objects.create(**known)
        ContentOverride.objects.bulk_create(
            ContentOverride(content=content, **row) for row in webhook.get("languages") or ()
        )
        StepContent.objects.create(revision=revision, slot=webhook.get("slot", place), content=content)
    return step


def _path(draft: CanvasVersion, way: Mapping[str, Any], rank: int, steps: Mapping[str, Step], step: Step) -> None:
    if step.kind == "exit":
        return
    Path.objects.create(
        version=draft, step=step, key=way["key"], rank=rank, name=way["name"], target=steps.get(way["to"] or "")
    )
