"""Audience paths: the first group, by rank, whose audience fits; else everyone else. At once.

Settings: `groups`, by path key, each with an `audience`. The path with key 0 is everyone else and ranks last.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from canvas import audiences
from canvas.graph import Node
from canvas.steps.problem import Problem
from canvas.travel import Batch, Traveller
from canvas.verdicts import Go, Verdicts

RENDERS = False
EVERYONE_ELSE = 0
MOST_GROUPS = 8


def problems(node: Node, now: datetime) -> Iterator[Problem]:
    yield from count_problems(node)
    for way in node.ways:
        if way.key == EVERYONE_ELSE:
            continue
        audience = group(node, way.key).get("audience") or {}
        if audiences.is_empty(audience):
            yield Problem(_("The group “%s” has no segment or filter.") % way.name, f"group-{way.key}")
        for text in audiences.problems(audience):
            yield Problem(f"{way.name}: {text}", f"group-{way.key}")


def count_problems(node: Node) -> Iterator[Problem]:
    """Between two and eight groups, the last of which is everyone else."""
    if not 2 <= len(node.ways) <= MOST_GROUPS:
        yield Problem(_("There can be one to seven groups, and everyone else."), "groups")


def group(node: Node, key: int) -> Mapping[str, Any]:
    """The settings of the group on a path."""
    groups = node.settings.get("groups") or {}
    return groups.get(str(key)) or {}


def enter(batch: Batch, node: Node, people: Sequence[Traveller]) -> Verdicts:
    """One query a group at most, each asked only about those no better group took."""
    verdicts = {t.id: Go(EVERYONE_ELSE) for t in people}
    left = list(people)
    for way in node.ways:
        audience = group(node, way.key).get("audience") or {}
        if way.key == EVERYONE_ELSE or not left or audiences.is_empty(audience):
            continue
        matched = audiences.matching(audience, left, batch.now)
        verdicts |= {journey: Go(way.key) for journey in matched}
        left = [t for t in left if t.id not in matched]
    return verdicts


def resolve(batch: Batch, node: Node, people: Sequence[Traveller]) -> Verdicts:
    return enter(batch, node, people)
