"""User update: changes the profile, and may log events and purchases; then the journey goes on.

Settings: `mode` "form" with `changes` ({"attribute", "action": set, remove, increase or decrease, "value"}), or "json"
with `json`, Liquid that renders to {"attributes", "events", "purchases"}; `on_failure` "continue" or "exit".
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from audience.ingest.track import Batch as Tracked
from audience.ingest.track import track
from canvas import audiences, rendering
from canvas.counts import StepMetric
from canvas.graph import Node
from canvas.states import Reason, Waiting
from canvas.steps.problem import Problem
from canvas.travel import Batch, Traveller
from canvas.verdicts import Go, Leave, Verdict, Verdicts, Wait
from webhooks.liquid import Aborted, LiquidProblem, LiquidSyntaxProblem, Postponed, RenderData, parse

RENDERS = True
MOST_JSON = 65_536
ACTIONS = ("set", "remove", "increase", "decrease")
Names = Mapping[int, Mapping[str, Any]]
LISTS = ("attributes", "events", "purchases")
FORBIDDEN = frozenset({"external_id", "braze_id", "user_alias", "push_token_import", "api_key", "endpoint"})


@dataclass(slots=True)
class Update:
    """What one journey's step would do; `problem` says why nothing can be done, `is_abort` that the author said so."""

    items: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    problem: str = ""
    is_abort: bool = False


def problems(node: Node, now: datetime) -> Iterator[Problem]:
    if node.settings.get("mode") == "json":
        yield from _json_problems(str(node.settings.get("json") or ""))
        return
    changes = node.settings.get("changes") or []
    if not changes:
        yield Problem(_("Nothing is changed yet."), "changes")
    for change in changes:
        name = str(change.get("attribute") or "")
        if not name:
            yield Problem(_("A change has no attribute."), "changes")
        if name in FORBIDDEN:
            yield Problem(_("“%s” identifies the profile and can't be changed here.") % name, "changes")
        yield from _liquid_problems(name, str(change.get("value") or ""), "changes")


def _json_problems(source: str) -> Iterator[Problem]:
    if not source.strip():
        yield Problem(_("Write the JSON of the update."), "json")
    if len(source) > MOST_JSON:
        yield Problem(_("The JSON is longer than %d characters.") % MOST_JSON, "json")
    for name in FORBIDDEN:
        if f'"{name}"' in source:
            yield Problem(_("“%s” can't be used here: the journey's own profile is changed.") % name, "json")
    yield from _liquid_problems("JSON", source, "json")


def _liquid_problems(name: str, source: str, where: str) -> Iterator[Problem]:
    try:
        parse(source)
    except LiquidSyntaxProblem as problem:
        yield Problem(f"{name}: {problem}", where)


def enter(batch: Batch, node: Node, people: Sequence[Traveller]) -> Verdicts:
    return {t.id: Wait(batch.now, Waiting.TURN) for t in people}


def prepare(node: Node, people: Sequence[Traveller], now: datetime, canvas: Names) -> Mapping[int, Update]:
    """By journey id what to store."""
    profiles = audiences.values_of({t.profile_id for t in people})
    updates: dict[int, Update] = {}
    for traveller in people:
        profile = profiles.get(traveller.profile_id)
        if profile is None:
            updates[traveller.id] = Update(problem="the profile is gone")
            continue
        names = canvas.get(traveller.variant_id, {})
        data = rendering.data(profile, traveller.context, traveller.event_properties, names, now)
        updates[traveller.id] = _rendered(node, data, str(profile["braze_id"]), now)
    return updates


def _rendered(node: Node, data: RenderData, braze_id: str, now: datetime) -> Update:
    try:
        wanted = _from_json(node, data) if node.settings.get("mode") == "json" else _from_form(node, data)
    except Aborted as aborted:
        return Update(problem=aborted.reason, is_abort=True)
    except (LiquidProblem, Postponed, ValueError) as error:
        return Update(problem=str(error) or _("not valid JSON"))
    default = {"events": {"time": now.isoformat()}, "purchases": {"time": now.isoformat()}, "attributes": {}}
    return Update(
        {name: [{**default[name], **each, "braze_id": braze_id} for each in wanted.get(name, ())] for name in LISTS}
    )


def _from_form(node: Node, data: RenderData) -> dict[str, list[dict[str, Any]]]:
    attributes: dict[str, Any] = {}
    for change in node.settings.get("changes") or ():
        text = parse(str(change.get("value") or "")).render(data)
        attributes[change["attribute"]] = _value(change.get("action"), text)
    return {"attributes": [attributes]}


def _value(action: Any, text: str) -> Any:
    match action:
        case "remove":
            return None
        case "increase" | "decrease":
            by = json.loads(text)
            if isinstance(by, bool) or not isinstance(by, int):
                raise ValueError(_("“%s” is not a whole number.") % text)
            return {"inc": by if action == "increase" else -by}
        case _:
            return _typed(text)


def _typed(text: str) -> Any:
    """A number, true or false, a list or an object where the text is one; else the text."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return text if value is None or isinstance(value, str) else value


def _from_json(node: Node, data: RenderData) -> dict[str, list[dict[str, Any]]]:
    text = parse(str(node.settings.get("json") or "")).render(data)
    found = json.loads(text)
    if not isinstance(found, dict) or found.keys() - set(LISTS):
        raise ValueError(_("the JSON must be an object with attributes, events or purchases"))
    lists = {name: each if isinstance(each, list) else [each] for name, each in found.items()}
    for each in lists.values():
        for item in each:
            if not isinstance(item, dict) or item.keys() & FORBIDDEN:
                raise ValueError(_("the JSON names a profile, or an item is not an object"))
    return lists


def resolve(batch: Batch, node: Node, people: Sequence[Traveller]) -> Verdicts:
    """Store all updates of the batch at once, in the transaction that moves the journeys on."""
    owners: dict[tuple[str, int], int] = {}
    lists: dict[str, list[dict[str, Any]]] = {name: [] for name in LISTS}
    for traveller in people:
        update: Update = batch.prepared[traveller.id]
        for name, items in update.items.items():
            for item in items:
                owners[name, len(lists[name])] = traveller.id
                lists[name].append(item)
    tracked = track(lists["attributes"], lists["events"], lists["purchases"], now=batch.now)
    batch.asked = None  # profiles have changed
    refused = _refused(tracked, owners)
    return {t.id: _verdict(batch, node, t, refused.get(t.id, "")) for t in people}


def _refused(tracked: Tracked, owners: Mapping[tuple[str, int], int]) -> dict[int, str]:
    found: dict[int, str] = {}
    for error in tracked.errors:
        if journey := owners.get((error.input_array, error.index)):
            found.setdefault(journey, error.type)
    return found


def _verdict(batch: Batch, node: Node, traveller: Traveller, refused: str) -> Verdict:
    update: Update = batch.prepared[traveller.id]
    problem = update.problem or refused
    if not problem:
        batch.count(traveller, node.id, StepMetric.UPDATED)
        return Go()
    batch.count(traveller, node.id, StepMetric.NOT_UPDATED, "aborted" if update.is_abort else "failed")
    if node.settings.get("on_failure") == "exit" and not update.is_abort:
        return Leave(Reason.UPDATE_FAILED, problem[:255])
    return Go(note=problem[:255])
