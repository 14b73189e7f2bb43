"""A stage to rehearse on: a twin of a Canvas, launched with what is being edited. All of it is taken back at the end.

The twin has ids of its own, so no journey, number or lock of the real Canvas is touched; and nothing is committed, so
no worker sees it and nobody is woken.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from canvas import graph as graphs
from canvas import setup, steps
from canvas.errors import NotAllowed
from canvas.graph import Graph
from canvas.models import Canvas, CanvasVersion, StepRevision
from outreach.models import Status
from webhooks.models import Sender


@dataclass(frozen=True, slots=True)
class Stage:
    """`canvas` is the twin, `graph` its own; `original` gives the real step of one of its steps, `variants` its
    variants by the ids of the real ones, `skipped` what is wrong with real steps that are passed by.
    """

    canvas: Canvas
    graph: Graph
    original: Mapping[int, int]
    variants: Mapping[int, int]
    skipped: Mapping[int, str]

    def real_step(self, step: int | None) -> int | None:
        return self.original.get(step or 0)


@contextmanager
def rehearsal(version: CanvasVersion, now: datetime, *, has_limit: bool = False) -> Iterator[Stage]:
    """A stage for a version, published or not. Raises NotAllowed for one whose steps go in a circle.

    Steps that are not set up yet are passed by. With `has_limit` the entry limit of the Canvas holds.
    """
    if graphs.read(version).on_cycles:
        raise NotAllowed(_("The steps lead in a circle. Mend that first."))
    made: list[CanvasVersion] = []
    try:
        with transaction.atomic():
            yield _stage(version, now, has_limit, made)
            transaction.set_rollback(True)
    finally:
        for each in made:
            graphs.drop(each)


def _stage(version: CanvasVersion, now: datetime, has_limit: bool, made: list[CanvasVersion]) -> Stage:
    real = version.canvas
    name = real.name
    twin = Canvas(name=name, status=Status.ACTIVE, launched_at=now, sender=Sender.objects.create(name=name))
    twin.entry_limit = real.entry_limit if has_limit else None
    twin.entry_cadence, twin.reentry = real.entry_cadence, real.reentry
    twin.save()
    variants = setup.copy_variants(real, twin)
    copied = setup.copy_graph(version, twin, variants)
    skipped = _skip_the_unfinished(version, {old: new.pk for old, new in copied.steps.items()}, copied.draft, now)
    copied.draft.number, copied.draft.published_at = 1, now
    copied.draft.save()
    made.append(copied.draft)
    original = {new.pk: old for old, new in copied.steps.items()}
    arms = {old: new.pk for old, new in variants.items()}
    return Stage(twin, graphs.load(copied.draft), original, arms, skipped)


def _skip_the_unfinished(
    version: CanvasVersion, twins: Mapping[int, int], draft: CanvasVersion, now: datetime
) -> dict[int, str]:
    """Switch the twins of steps that can't be used off; what is wrong with each."""
    found: dict[int, str] = {}
    for step, node in graphs.read(version).nodes.items():
        problem = None if node.is_disabled else next(iter(steps.of(node.kind).problems(node, now)), None)
        if problem:
            found[step] = problem.text
    StepRevision.objects.filter(version=draft, step__in=[twins[step] for step in found]).update(is_disabled=True)
    return found
