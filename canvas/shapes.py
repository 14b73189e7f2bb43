"""What a Canvas must look like in a file: its steps, and the settings of each kind of step."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from canvas import conversions
from canvas.launch import MOST_STEPS
from canvas.models import Canvas, Kind
from canvas.steps import audience_paths, context, decision_split, delay, user_update
from outreach import shapes as shared
from outreach.delays import Mode
from workspace.files import Document
from workspace.files.document import at, said
from workspace.files.shapes import checked, listed, mapping, number, one_of, part, shape_of, text

MOST_KEY = 1_000  # of a path
_KEY = text(4, 1)
_AUDIENCE = part("Audience", segments=listed(text(255), 100), filters=shared.TREE, context=shared.CONDITIONS)
_PERSONAL = {
    "source": one_of(["context", "attribute"]),
    "name": text(255),
    "as": one_of(["duration", "date"]),
    "offset": number(-1_000_000, 1_000_000),
    "offset_unit": shared.UNIT,
    "on_failure": one_of(["", "exit", "continue", "default"]),
    "default": shared.DURATION,
    "holds_at_end": bool,
}
SETTINGS: Mapping[Kind, Any] = {
    Kind.MESSAGE: part(
        "Message",
        schedule=shared.delay(Mode),
        audience=_AUDIENCE,
        unmatched=one_of(["exit", "skip"]),
        exceptions=shared.TRIGGERS,
        advance=one_of(["everyone", "sent"]),
        ignores_quiet=bool,
    ),
    Kind.DELAY: shared.delay([*Mode, delay.PERSONAL], **_PERSONAL),
    Kind.DECISION_SPLIT: part("Decision", audience=_AUDIENCE),
    Kind.AUDIENCE_PATHS: part("Paths", groups=mapping(_KEY, part("Group", audience=_AUDIENCE))),
    Kind.ACTION_PATHS: part(
        "Actions",
        window=shared.DURATION,
        ranked=bool,
        groups=mapping(_KEY, part("Action", triggers=shared.TRIGGERS, exits=bool)),
    ),
    Kind.EXPERIMENT_PATHS: part(
        "Experiment",
        shares=mapping(_KEY, number(0, 100)),
        window_days=number(0, 30),
        control=one_of(["continue", "exit"]),
        winner_count=shared.COUNT,
        winner_unit=shared.UNIT,
        held=number(0, 99),
        unclear=one_of(["", "best", "mix"]),
        always_random=bool,
    ),
    Kind.USER_UPDATE: part(
        "Update",
        mode=one_of(["form", "json"]),
        changes=listed(part("Change", attribute=text(255), action=one_of(user_update.ACTIONS), value=text()), 100),
        json=text(user_update.MOST_JSON),
        on_failure=one_of(["", "continue", "exit"]),
    ),
    Kind.CONTEXT: part(
        "Context",
        variables=listed(
            part("Variable", name=text(100), type=one_of(context.TYPES), template=text(context.MOST_TEMPLATE)), 100
        ),
    ),
    Kind.EXIT: part("Exit", label=text(100)),
}
_PATH = part("Path", needs="key", key=number(0, MOST_KEY), name=text(100), to=text(10) | None)
_STEP = part(
    "Step",
    needs="key kind name",
    key=text(10, 1),
    kind=one_of(Kind.values),
    name=text(100, 1),
    note=text(),
    settings=shared.TREE,
    is_disabled=bool,
    webhooks=shared.WEBHOOKS,
    paths=listed(_PATH, 10),
)


def file_shape(settings: Iterable[str]) -> Any:
    """A whole Canvas, the settings of its steps apart (`problems`)."""
    seconds = number(int(conversions.LEAST_WINDOW.total_seconds()), int(conversions.MOST_WINDOW.total_seconds()))
    goal = part("Conversion", needs="triggers", name=text(100), triggers=shared.TRIGGERS, seconds=seconds)
    more = {
        "filters": shared.TREE,
        "triggers": shared.TRIGGERS,
        "conversions": listed(goal, conversions.MOST),
        **shared.SCHEDULE,
    }
    return part(
        "Canvas",
        base=shared.HEAD,
        needs="steps variants",
        settings=shape_of(Canvas, settings, **more),
        exits=part("Exits", exit_events=shared.TRIGGERS, exit_audience=_AUDIENCE, exits_at_once=bool),
        variants=listed(part("Arm", base=shared.ARM, first=text(10) | None), shared.MOST_VARIANTS, least=1),
        steps=listed(_STEP, MOST_STEPS),
    )


def problems(document: Document, place: str) -> Sequence[str]:
    """What is wrong with the steps' settings, and with what leads where. Reads the settings as their kinds say."""
    keys = [step["key"] for step in document["steps"]]
    found = [said(at(place, "variants"), text) for text in shared.arms_problems(document)]
    if len(set(keys)) < len(keys):
        found.append(said(at(place, "steps"), _("Two steps have the same key.")))
    for n, arm in enumerate(document["variants"]):
        found += _leads(arm.get("first"), keys, at(at(at(place, "variants"), n), "first"))
    for n, step in enumerate(document["steps"]):
        where = at(at(place, "steps"), n)
        step["settings"], faults = _read(step, at(where, "settings"))
        found += [*faults, *_path_problems(step, keys, at(where, "paths"))]
        if step.get("webhooks") and step["kind"] != Kind.MESSAGE:
            found.append(said(at(where, "webhooks"), _("Only message steps have webhooks.")))
    return found


def _read(step: Document, place: str) -> tuple[Document, list[str]]:
    holder = part("Holder", settings=SETTINGS[Kind(step["kind"])])
    read, faults = checked(holder, {"settings": step.get("settings") or {}}, place.removesuffix(".settings"))
    return read.get("settings", {}), faults


def _leads(key: str | None, keys: Sequence[str], place: str) -> Iterator[str]:
    if key is not None and key not in keys:
        yield said(place, _("There is no step “%s”.") % key)


def _path_problems(step: Document, keys: Sequence[str], place: str) -> Iterator[str]:
    """Every kind has its paths: yes and no, everyone else at the end, or just one."""
    ways = step.get("paths") or []
    there = [way["key"] for way in ways]
    for n, way in enumerate(ways):
        yield from _leads(way.get("to"), keys, at(at(place, n), "to"))
    if len(set(there)) < len(there):
        yield said(place, _("Two paths have the same key."))
    match step["kind"]:
        case Kind.DECISION_SPLIT:
            if sorted(there) != [decision_split.YES, decision_split.NO]:
                yield said(place, _("A decision split has the paths 1 (yes) and 2 (no)."))
        case Kind.AUDIENCE_PATHS | Kind.ACTION_PATHS:
            if there[-1:] != [audience_paths.EVERYONE_ELSE]:
                yield said(place, _("The last path is everyone else's, with the key 0."))
        case Kind.EXPERIMENT_PATHS:
            if not there:
                yield said(place, _("It is missing."))
        case Kind.EXIT:
            if there:
                yield said(place, _("An exit leads nowhere."))
        case _other:
            if there not in ([], [0]):
                yield said(place, _("A step of this kind has one path, with the key 0."))
