"""Edits of a draft: insert, move, remove and connect steps, change their settings.

Every edit makes a new edition of the draft. Who saves names the edition that was shown; an older one is refused.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from django.db import transaction
from django.db.models import F, Max
from django.utils.translation import gettext as _

from canvas import graph, undo
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
def edition(version: CanvasVersion, expected: int | None = None, what: str = "") -> Iterator[CanvasVersion]:
    """Lock the draft for one edit, and remember how it was. `what` names the edit for who wants to undo it.

    Raises Stale where the draft is no longer what the editor saw, NotAllowed if it is published.
    """
    with transaction.atomic():
        draft = CanvasVersion.objects.select_for_update(of=("self",)).select_related("author").get(pk=version.pk)
        if draft.number is not None:
            raise NotAllowed(_("A published version doesn't change. Edit the draft."))
        if expected is not None and draft.edition != expected:
            who = draft.author.get_username() if draft.author else _("Somebody else")
            raise Stale(_("%s changed this draft meanwhile. Reload the page, then make your change again.") % who)
        CanvasVersion.objects.filter(pk=draft.pk).update(edition=F("edition") + 1)
        if what:
            undo.remember(draft, what)
        yield draft
    version.refresh_from_db(fields=["edition"])


def add_step(
    version: CanvasVersion, kind: Kind, path: Path | None, name: str = "", expected: int | None = None
) -> StepRevision:
    """A new step on a path: what came next now comes after it, on its first path. Without a path it stands alone."""
    with edition(version, expected, _("Added a step: %s") % (name or Kind(kind).label)) as draft:
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


def _new_name(draft: CanvasVersion, kind: Kind, wanted: str = "") -> str:
    """The wanted name, else the kind's own, with a number where it is taken."""
    taken = set(draft.revisions.values_list("name", flat=True))
    label = (wanted or str(Kind(kind).label))[:90]
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
    with edition(version, expected, _("Deleted “%s”") % name_of(version, step_id)) as draft:
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
    with edition(version, expected, _("Moved “%s”") % name_of(version, step_id)) as draft:
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
    with edition(version, expected, _("Connected a path")) as draft:
        if target_id is not None and not draft.revisions.filter(step_id=target_id).exists():
            raise NotAllowed(_("That step is not in this Canvas."))
        Path.objects.filter(pk=path.pk, version=draft).update(target_id=target_id)
        _refuse_cycles(draft)


def name_of(version: CanvasVersion, step_id: int) -> str:
    return StepRevision.objects.values_list("name", flat=True).get(version=version, step_id=step_id)


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
    with edition(revision.version, expected, _("Changed “%s”") % revision.name):
        StepRevision.objects.filter(pk=revision.pk).update(**{k: v for k, v in new.items() if v is not None})
    revision.refresh_from_db()


def set_groups(revision: StepRevision, groups: Sequence[tuple[int, str]], expected: int | None = None) -> None:
    """The paths of a branching step in order, as (key, name); key 0 or a new one is made. Everyone else ranks last."""
    with edition(revision.version, expected, _("Changed “%s”") % revision.name) as draft:
        _set_groups(draft, revision, groups)


def is_live(step_id: int) -> bool:
    """Whether a published version has the step: some of what it says can't change any more."""
    return StepRevision.objects.filter(step_id=step_id, version__number__isnull=False).exists()


def _set_groups(draft: CanvasVersion, revision: StepRevision, groups: Sequence[tuple[int, str]]) -> None:
    kept = {path.key: path for path in Path.objects.filter(version=draft, step_id=revision.step_id).order_by("rank")}
    if is_live(revision.step_id) and [*kept] != [key for key, _name in groups]:
        raise NotAllowed(
            _("The paths of a step that is live stay as they are. Add another step and lead people to it.")
        )
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


@dataclass(frozen=True, slots=True)
class Saved:
    """What a step's page says. `groups` are its paths in order, as (key, name); None leaves them as they are."""

    name: str
    note: str
    settings: Mapping[str, Any]
    is_disabled: bool = False
    groups: Sequence[tuple[int, str]] | None = None


def save(
    revision: StepRevision,
    saved: Saved,
    contents: Mapping[int, Content] = MappingProxyType({}),
    expected: int | None = None,
) -> None:
    """Save a step's page as one change. `contents` are webhooks written anew, by slot: what was there stays as it was,
    because published versions, and the way back, use it.
    """
    with edition(revision.version, expected, _("Changed “%s”") % revision.name) as draft:
        own = ("name", "note", "settings", "is_disabled")
        StepRevision.objects.filter(pk=revision.pk).update(**{name: getattr(saved, name) for name in own})
        if saved.groups is not None:
            _set_groups(draft, revision, saved.groups)
        for slot, content in contents.items():
            StepContent.objects.filter(revision=revision, slot=slot).update(content=content)
    revision.refresh_from_db()


def set_exits(version: CanvasVersion, values: Mapping[str, Any], expected: int | None = None) -> None:
    """Save the exit criteria: `exit_events`, `exit_audience`, `exits_at_once`."""
    with edition(version, expected, _("Changed the exit criteria")) as draft:
        CanvasVersion.objects.filter(pk=draft.pk).update(**values)


def remove_content(revision: StepRevision, slot: int, expected: int | None = None) -> None:
    """Take a webhook out of a step; its slot is never used again."""
    with edition(revision.version, expected, _("Removed a webhook from “%s”") % revision.name):
        StepContent.objects.filter(revision=revision, slot=slot).delete()


def copy_step(version: CanvasVersion, step_id: int, expected: int | None = None) -> StepRevision:
    """A step like this one, right behind it on its first path; its own paths lead on to what follows there."""
    with edition(version, expected, _("Duplicated “%s”") % name_of(version, step_id)) as draft:
        if draft.revisions.count() >= MOST_STEPS:
            raise NotAllowed(_("A Canvas has at most %d steps.") % MOST_STEPS)
        old = StepRevision.objects.select_related("step").get(version=draft, step_id=step_id)
        step = Step.objects.create(canvas_id=draft.canvas_id, kind=old.step.kind)
        name = _new_name(draft, Kind(old.step.kind), _("Copy of %s") % old.name)
        twin = StepRevision.objects.create(
            version=draft, step=step, name=name, note=old.note, settings=old.settings, is_disabled=old.is_disabled
        )
        for item in old.step_contents.select_related("content"):
            StepContent.objects.create(revision=twin, slot=item.slot, content=item.content.copy())
        ways = list(Path.objects.filter(version=draft, step_id=step_id).order_by("rank", "key"))
        for place, way in enumerate(ways):
            target = way.target_id if place == 0 else None
            Path.objects.create(version=draft, step=step, key=way.key, rank=way.rank, name=way.name, target_id=target)
        if ways:
            Path.objects.filter(pk=ways[0].pk).update(target=step)
    return twin


def add_content(revision: StepRevision, source: Content | None = None) -> Content:
    """One more webhook, blank or a copy, in a slot that was never used by this step."""
    with edition(revision.version, what=_("Added a webhook to “%s”") % revision.name):
        used = StepContent.objects.filter(revision__step_id=revision.step_id).aggregate(top=Max("slot"))["top"]
        content = source.copy() if source else Content.objects.create()
        slot = 0 if used is None else used + 1
        StepContent.objects.create(revision=revision, slot=slot, content=content)
    return content


def start_path(version: CanvasVersion, variant_id: int) -> Path:
    """The path from a variant to its first step."""
    return Path.objects.get_or_create(version=version, variant_id=variant_id, defaults={"key": 0})[0]
