"""Makes Canvases: a new one, and a copy of another."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from canvas import editing, publishing
from canvas.models import Canvas, CanvasVersion, Path, Step, StepContent, StepRevision
from outreach.forms.schedule import QUIET, SCHEDULE
from outreach.models import Variant
from webhooks.models import Sender

COPIED = (
    "description",
    "to_everyone",
    "filters",
    "entry",
    "triggers",
    "start_at",
    *SCHEDULE,
    "month_days",
    *QUIET,
    "obeys_caps",
    "counts_for_caps",
    "subscribed",
    "subscription_group",
    "reentry",
    "reentry_seconds",
    "entry_limit",
    "entry_cadence",
    "conversions",
)


@transaction.atomic
def create(name: str, author: Any = None, **values: Any) -> Canvas:
    """A draft with one variant and no steps."""
    canvas = Canvas(name=name, created_by=author, sender=Sender.objects.create(name=name), **values)
    canvas.save()
    prepare(canvas, author)
    return canvas


def prepare(canvas: Canvas, author: Any = None) -> CanvasVersion:
    """The first variant and the first draft of a Canvas that was just made."""
    variant = Variant.objects.create(outreach=canvas, name=_("Variant 1"), share=100)
    draft = publishing.draft_of(canvas, author)
    editing.start_path(draft, variant.pk)
    return draft


@transaction.atomic
def duplicate(canvas: Canvas, author: Any = None) -> Canvas:
    """A draft like it, with steps, webhooks and variants of its own, and none of its journeys and numbers."""
    name = (_("Copy of %s") % canvas.name)[:255]
    twin = Canvas(name=name, created_by=author, sender=Sender.objects.create(name=name))
    for field in COPIED:
        setattr(twin, field, getattr(canvas, field))
    twin.save()
    for relation in ("teams", "tags", "segments"):
        getattr(twin, relation).set(getattr(canvas, relation).all())
    copy_graph(publishing.shown(canvas), twin, copy_variants(canvas, twin), author)
    return twin


def copy_variants(canvas: Canvas, twin: Canvas) -> dict[int, Variant]:
    """The variants that are there, as another Canvas's, by the ids of the old ones."""
    return {
        old.pk: Variant.objects.create(
            outreach=twin, name=old.name, position=old.position, share=old.share, is_control=old.is_control
        )
        for old in canvas.variants.filter(is_removed=False)
    }


@dataclass(frozen=True, slots=True)
class Copied:
    """A draft, and its steps by the ids of those they were copied from."""

    draft: CanvasVersion
    steps: Mapping[int, Step]


def copy_graph(version: CanvasVersion, twin: Canvas, variants: dict[int, Variant], author: Any = None) -> Copied:
    """The graph of a version as another Canvas's first draft, with new ids."""
    draft = CanvasVersion.objects.create(
        canvas=twin,
        author=author,
        exit_events=version.exit_events,
        exit_audience=version.exit_audience,
        exits_at_once=version.exits_at_once,
    )
    steps: dict[int, Step] = {}
    for old in version.revisions.select_related("step").order_by("step_id"):
        steps[old.step_id] = Step.objects.create(canvas=twin, kind=old.step.kind)
        new = StepRevision.objects.create(
            version=draft,
            step=steps[old.step_id],
            name=old.name,
            note=old.note,
            settings=old.settings,
            is_disabled=old.is_disabled,
        )
        for item in old.step_contents.select_related("content"):
            StepContent.objects.create(revision=new, slot=item.slot, content=item.content.copy())
    for path in version.paths.all():
        if path.variant_id and path.variant_id not in variants:
            continue
        Path.objects.create(
            version=draft,
            step=steps[path.step_id] if path.step_id else None,
            variant=variants[path.variant_id] if path.variant_id else None,
            key=path.key,
            rank=path.rank,
            name=path.name,
            target=steps.get(path.target_id or 0),
        )
    return Copied(draft, steps)
