"""Edits of a draft: insert, move, remove and connect steps, change their settings.

Every edit makes a new edition of the draft. Who saves names the edition that was shown; an older one is refused.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from django.db import transaction
from django.db.models import F, Max
from django.utils.translation import gettext as _

from canvas import graph
from canvas.errors import NotAllowed, Stale
from canvas.models import CanvasVersion, Kind, Path, Step, StepContent, StepRevision
from canvas.steps import audience_paths, experiment_paths
from webhooks.models import Content

MOST_STEPS = 200
YES, NO = 1, 2
BRANCHING = (Kind.DECISION_SPLIT, Kind.AUDIENCE_PATHS, Kind.ACTION_PATHS, Kind.EXPERIMENT_PATHS)

STARTING_SETTINGS: Mapping[Kind, Mapping[str, Any]] = {
    Kind.MESSAGE: {"schedule": {"mode": "none"}, "unmatched": "exit", "advance": "everyone"},
    Kind.DELAY: {"mode": "after", "count": 1, "unit": "days", "zone": "company"},
    Kind.DECISION_SPLIT: {"audience": {}},
    Kind.AUDIENCE_PATHS: {"groups": {}},
    Kind.ACTION_PATHS: {"window": {"count": 1, "unit": "days"}, "ranked": False, "groups": {}},
    Kind.EXPERIMENT_PATHS: {"shares": {"1": 50, "2": 50}, "control": "continue", "window_days": 7},
    Kind.USER_UPDATE: {"mode": "form", "changes": []},
    Kind.CONTEXT: {"variables": []},
    Kind.EXIT: {"label": ""},
}


@contextmanager
def edition(version: CanvasVersion, expected: int | None = None) -> Iterator[CanvasVersion]:
    """Lock the draft for one edit. Raises Stale where it is no longer what the editor saw, NotAllowed if published."""
    with transaction.atomic():
        draft = CanvasVersion.objects.select_for_update().select_related("author").get(pk=version.pk)
        if draft.number is not None:
            raise NotAllowed(_("A published version doesn't change. Edit the draft."))
        if expected is not None and draft.edition != expected:
            who = draft.author.get_username() if draft.author else _("Somebody else")
            raise Stale(_("%s changed this draft meanwhile. Reload the page, then make your change again.") % who)
        CanvasVersion.objects.filter(pk=draft.pk).update(edition=F("edition") + 1)
        yield draft
    version.refresh_from_db(fields=["edition"])


def add_step(
    version: CanvasVersion, kind: Kind, path: Path | None, name: str = "", expected: int | None = None
) -> StepRevision:
    """A new step on a path: what came next now comes after it, on its first path. Without a path it stands alone."""
    with edition(version, expected) as draft:
        if draft.revisions.count() >= MOST_STEPS:
            raise NotAllowed(_("A Canvas has at most %d steps.") % MOST_STEPS)
        step = Step.objects.create(canvas_id=draft.canvas_id, kind=kind)
        revision = StepRevision.objects.create(
            version=draft, step=step, name=name or _new_name(draft, kind), settings=dict(STARTING_SETTINGS[kind])
        )
        ways = _first_paths(draft, step, kind)
        if path is not None:
            if ways:
                Path.objects.filter(pk=ways[0].pk).update(target_id=path.target_id)
            Path.objects.filter(pk=path.pk).update(target=step)
        if kind == Kind.MESSAGE:
            StepContent.objects.create(revision=revision, slot=0, content=Content.objects.create())
    return revision


def _new_name(draft: CanvasVersion, kind: Kind) -> str:
    """The kind's own name, with a number where it is taken."""
    taken = set(draft.revisions.values_list("name", flat=True))
    label = str(Kind(kind).label)
    numbers = (label if n == 1 else f"{label} {n}" for n in range(1, MOST_STEPS + 2))
    return next(name for name in numbers if name not in taken)


def _first_paths(draft: CanvasVersion, step: Step, kind: Kind) -> list[Path]:
    """The paths a new step of this kind starts with, in order of rank."""
    names: Sequence[tuple[int, str]]
    match kind:
        case Kind.EXIT:
            names = ()
        case Kind.DECISION_SPLIT:
            names = ((YES, _("Yes")), (NO, _("No")))
        case Kind.AUDIENCE_PATHS | Kind.ACTION_PATHS:
            names = ((1, _("Group 1")), (0, _("Everyone else")))
        case Kind.EXPERIMENT_PATHS:
            names = ((1, _("Path 1")), (2, _("Path 2")))
        case _:
            names = ((0, ""),)
    return [
        Path.objects.create(version=draft, step=step, key=key, rank=rank, name=name)
        for rank, (key, name) in enumerate(names)
    ]


def remove_step(version: CanvasVersion, step_id: int, expected: int | None = None) -> None:
    """Take a step out. Whatever led to it now leads to what came next on its first path."""
    with edition(version, expected) as draft:
        _unhook(draft, step_id)
        Path.objects.filter(version=draft, step_id=step_id).delete()
        StepRevision.objects.filter(version=draft, step_id=step_id).delete()


def _unhook(draft: CanvasVersion, step_id: int) -> None:
    """Close the gap a step leaves behind."""
    ways = Path.objects.filter(version=draft, step_id=step_id).order_by("rank", "key")
    after = next((way.target_id for way in ways if way.target_id), None)
    Path.objects.filter(version=draft, target_id=step_id).update(target_id=after)


def move_step(version: CanvasVersion, step_id: int, path: Path, expected: int | None = None) -> None:
    """Take a step out of its place and put it on a path, with its branches.

    Raises NotAllowed where the path is its own or leads out of what follows it.
    """
    with edition(version, expected) as draft:
        if path.step_id == step_id or path.target_id == step_id:
            raise NotAllowed(_("The step is there already."))
        current = graph.read(draft)
        is_single = len(current.nodes[step_id].ways) <= 1
        if not is_single and path.step_id in current.reachable([step_id]):
            raise NotAllowed(_("A step with branches can't move behind itself."))
        if is_single:
            _unhook(draft, step_id)
            path.refresh_from_db()
            Path.objects.filter(version=draft, step_id=step_id).update(target_id=path.target_id)
        else:
            Path.objects.filter(version=draft, target_id=step_id).update(target_id=None)
            path.refresh_from_db()
            if path.target_id is not None:
                raise NotAllowed(_("A step with branches can only move to the end of a path."))
        Path.objects.filter(pk=path.pk).update(target_id=step_id)
        _refuse_cycles(draft)


def connect(version: CanvasVersion, path: Path, target_id: int | None, expected: int | None = None) -> None:
    """Lead a path to another step, or to the end. Raises NotAllowed for a way back to an earlier step."""
    with edition(version, expected) as draft:
        if target_id is not None and not draft.revisions.filter(step_id=target_id).exists():
            raise NotAllowed(_("That step is not in this Canvas."))
        Path.objects.filter(pk=path.pk, version=draft).update(target_id=target_id)
        _refuse_cycles(draft)


def _refuse_cycles(draft: CanvasVersion) -> None:
    if graph.read(draft).on_cycles:
        raise NotAllowed(_("Steps can't lead back to an earlier step: journeys only move forward."))


def change(
    revision: StepRevision,
    *,
    name: str | None = None,
    note: str | None = None,
    settings: Mapping[str, Any] | None = None,
    is_disabled: bool | None = None,
    expected: int | None = None,
) -> None:
    """Save what a step's page says; what is None stays."""
    new = {"name": name, "note": note, "settings": settings, "is_disabled": is_disabled}
    with edition(revision.version, expected):
        StepRevision.objects.filter(pk=revision.pk).update(**{k: v for k, v in new.items() if v is not None})
    revision.refresh_from_db()


def set_groups(revision: StepRevision, groups: Sequence[tuple[int, str]], expected: int | None = None) -> None:
    """The paths of a branching step in order, as (key, name); key 0 or a new one is made. Everyone else ranks last."""
    with edition(revision.version, expected) as draft:
        kept = {path.key: path for path in Path.objects.filter(version=draft, step_id=revision.step_id)}
        for rank, (key, name) in enumerate(groups):
            Path.objects.update_or_create(
                version=draft, step_id=revision.step_id, key=key, defaults={"rank": rank, "name": name}
            )
        gone = [path.pk for key, path in kept.items() if key not in {key for key, _name in groups}]
        Path.objects.filter(pk__in=gone).delete()


def new_key(revision: StepRevision) -> int:
    """A path key that this step never used, in any version."""
    used = Path.objects.filter(step_id=revision.step_id).aggregate(top=Max("key"))["top"]
    return int(used or 0) + 1


def most_groups(kind: Kind) -> int:
    """How many paths a branching step may have."""
    return {
        Kind.DECISION_SPLIT: 2,
        Kind.AUDIENCE_PATHS: audience_paths.MOST_GROUPS,
        Kind.ACTION_PATHS: audience_paths.MOST_GROUPS,
        Kind.EXPERIMENT_PATHS: experiment_paths.MOST_PATHS + 1,
    }.get(kind, 1)


def own_content(revision: StepRevision, slot: int) -> Content:
    """The draft's own webhook: what a published version uses is copied first."""
    with transaction.atomic():
        item = StepContent.objects.select_for_update().get(revision=revision, slot=slot)
        shared = StepContent.objects.filter(content_id=item.content_id).exclude(revision=revision)
        if shared.exists():
            item.content = item.content.copy()
            item.save(update_fields=["content"])
    return item.content


def add_content(revision: StepRevision, source: Content | None = None) -> Content:
    """One more webhook, blank or a copy, in a slot that was never used by this step."""
    with edition(revision.version):
        used = StepContent.objects.filter(revision__step_id=revision.step_id).aggregate(top=Max("slot"))["top"]
        content = source.copy() if source else Content.objects.create()
        slot = 0 if used is None else used + 1
        StepContent.objects.create(revision=revision, slot=slot, content=content)
    return content


def start_path(version: CanvasVersion, variant_id: int) -> Path:
    """The path from a variant to its first step."""
    return Path.objects.get_or_create(version=version, variant_id=variant_id, defaults={"key": 0})[0]
