"""Action paths: what a profile does within a window decides; else everyone else, at the end.

Settings: `window` {"count", "unit"}, `ranked` (hold everybody to the end, then take the best group), and `groups` by
path key, each with `triggers` and perhaps `exits` (the action ends the journey). The path with key 0 is everyone else.

Events choose a path as they come (`canvas.reactions`); what they left undecided is read from the history at the end of
the window, so an event in the same second as the deadline counts, once.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _

from audience.filters.scope import Scope
from canvas import audiences, history
from canvas.graph import Node
from canvas.states import Reason, Waiting
from canvas.steps.audience_paths import EVERYONE_ELSE, count_problems, group
from canvas.steps.problem import Problem
from canvas.travel import Batch, Traveller
from canvas.verdicts import Go, Leave, Verdict, Verdicts, Wait
from outreach import delays, matching, properties
from outreach.matching import Happening, Trigger

RENDERS = False
MOST_WINDOW = timedelta(days=31)


def problems(node: Node, now: datetime) -> Iterator[Problem]:
    yield from count_problems(node)
    if not timedelta() < window(node) <= MOST_WINDOW:
        yield Problem(_("The window is at most 31 days, and not empty."), "window")
    for way in node.ways:
        if way.key == EVERYONE_ELSE:
            continue
        triggers = triggers_of(node, way.key)
        if not triggers:
            yield Problem(_("The group “%s” waits for no action.") % way.name, f"group-{way.key}")
        for trigger in triggers:
            for text in matching.problems(trigger):
                yield Problem(f"{way.name}: {text}", f"group-{way.key}")


def window(node: Node) -> timedelta:
    given = node.settings.get("window") or {}
    return timedelta(seconds=int(given.get("count") or 0) * delays.SECONDS.get(given.get("unit") or "days", 0))


def is_ranked(node: Node) -> bool:
    return bool(node.settings.get("ranked"))


def triggers_of(node: Node, key: int) -> Sequence[Trigger]:
    found = group(node, key).get("triggers")
    return found if isinstance(found, list) else ()


def all_triggers(node: Node) -> Iterator[Trigger]:
    for way in node.ways:
        yield from triggers_of(node, way.key)


def enter(batch: Batch, node: Node, people: Sequence[Traveller]) -> Verdicts:
    end = batch.now + window(node)
    return {t.id: Wait(end, Waiting.ACTIONS) for t in people}


def resolve(batch: Batch, node: Node, people: Sequence[Traveller]) -> Verdicts:
    undecided = [t for t in people if t.choice is None or is_ranked(node)]
    done = history.between(all_triggers(node), undecided, batch.now) if undecided else {}
    attributes = _attributes(node, undecided) if done else {}
    verdicts: dict[int, Verdict] = {}
    for traveller in people:
        others = {"context": traveller.context or {}, "attribute": attributes.get(traveller.profile_id, {})}
        found = choose(node, done.get(traveller.id, ()), batch_scope(batch), others)
        if found and is_better(node, found[0], traveller.choice):
            traveller.choice, traveller.event_properties = found[0], dict(found[1].properties)
            traveller.has_new_event = True
        verdicts[traveller.id] = _decided(node, traveller)
    return verdicts


def batch_scope(batch: Batch) -> Scope:
    return properties.scope_at(batch.now, batch.company.key)


def _decided(node: Node, traveller: Traveller) -> Verdict:
    key = traveller.choice if traveller.choice is not None and node.way(traveller.choice) else EVERYONE_ELSE
    if key == EVERYONE_ELSE and traveller.event_properties is not None:
        traveller.event_properties, traveller.has_new_event = None, True
    return Leave(Reason.ACTION_EXIT) if group(node, key).get("exits") else Go(key)


def choose(
    node: Node, happened: Iterable[Happening], scope: Scope, others: Mapping[str, Mapping[str, Any]]
) -> tuple[int, Happening] | None:
    """The path that these happenings, in order of time, lead to, and the one that decided; None: no action yet.

    Unranked, the first action decides, and of several groups it fits the one on top. Ranked, the best group does.
    """
    found: list[tuple[int, int, Happening]] = []
    for place, happening in enumerate(happened):
        ranks = (rank for rank, way in enumerate(node.ways) if _fits(node, way.key, happening, scope, others))
        if (rank := next(ranks, None)) is not None:
            found.append((rank, place, happening))
            if not is_ranked(node):
                break
    if not found:
        return None
    rank, _place, happening = min(found, key=lambda each: each[:2])
    return node.ways[rank].key, happening


def _fits(node: Node, key: int, happening: Happening, scope: Scope, others: Mapping[str, Mapping[str, Any]]) -> bool:
    return any(matching.matches(trigger, happening, scope, others) for trigger in triggers_of(node, key))


def is_better(node: Node, key: int, than: int | None) -> bool:
    """Whether a path ranks above the one chosen so far."""
    ranks = {way.key: rank for rank, way in enumerate(node.ways)}
    return than is None or ranks[key] < ranks.get(than, len(ranks))


def _attributes(node: Node, people: Sequence[Traveller]) -> dict[int, Mapping[str, Any]]:
    """Custom attributes by profile id, where a condition compares with one."""
    if not compares_with_attributes(all_triggers(node)):
        return {}
    rows = audiences.values_of({t.profile_id for t in people})
    return {pk: row["custom_attributes"] for pk, row in rows.items()}


def compares_with_attributes(triggers: Iterable[Trigger]) -> bool:
    return any(leaf.get("source") == "attribute" for each in triggers for leaf in each.get("conditions") or ())
