"""Loads what a tree needs from the database before it is compiled: the zone, included segments, names of rows."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from audience import times
from audience.filters.base import registry
from audience.filters.scope import ALL_SEEN, Leaf, Scope, SegmentRules, Tree, Unseen
from audience.filters.tree import leaves
from audience.models import Segment
from workspace.models import Workspace

LEVELS = 3  # how deep segments may include each other


def scope_for(tree: Tree, now: datetime, unseen: Unseen = ALL_SEEN, ignore_case: bool = True) -> Scope:
    """Everything that compiling the tree at that moment needs."""
    segments = load_segments(included([tree]))
    by_filter: dict[str, list[Leaf]] = {}
    for each in (tree, *(rules.tree for rules in segments.values())):
        for leaf in leaves(each):
            if isinstance(leaf["filter"], str):
                by_filter.setdefault(leaf["filter"], []).append(leaf)
    loaded = {name: registry[name].load(some) for name, some in by_filter.items() if name in registry}
    zone = Workspace.objects.filter(pk=1).values_list("time_zone", flat=True).first() or "UTC"
    return Scope(times.in_milliseconds(now), zone, segments, loaded, unseen, ignore_case)


def load_segments(ids: Iterable[int]) -> dict[int, SegmentRules]:
    """The rules of these segments and of those they include, one query a level."""
    found: dict[int, SegmentRules] = {}
    wanted = set(ids)
    for _level in range(LEVELS + 1):
        if not wanted:
            break
        rows = Segment.objects.filter(pk__in=wanted).values_list("pk", "name", "filters", "is_archived")
        found |= {pk: SegmentRules(name, tree, is_archived) for pk, name, tree, is_archived in rows}
        wanted = included([rules.tree for rules in found.values()]) - found.keys()
    return found


def included(trees: Sequence[Any]) -> set[int]:
    """The ids of the segments that the trees name."""
    return {
        key
        for tree in trees
        for leaf in leaves(tree)
        if leaf["filter"] == "segment" and isinstance(leaf.get("segments"), list)
        for key in leaf["segments"]
        if isinstance(key, int)
    }
