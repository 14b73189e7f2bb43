"""Decision split: yes or no, at once. Settings: `audience`."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from django.utils.translation import gettext as _

from canvas import audiences
from canvas.graph import Node
from canvas.steps.problem import Problem
from canvas.travel import Batch, Traveller
from canvas.verdicts import Go, Verdicts

RENDERS = False
YES, NO = 1, 2


def problems(node: Node, now: datetime) -> Iterator[Problem]:
    audience = node.settings.get("audience") or {}
    if audiences.is_empty(audience):
        yield Problem(
            _("Choose at least one segment or filter: without any, everybody goes the way of No."), "audience"
        )
    for text in audiences.problems(audience):
        yield Problem(text, "audience")


def enter(batch: Batch, node: Node, people: Sequence[Traveller]) -> Verdicts:
    audience = node.settings.get("audience") or {}
    matched = set() if audiences.is_empty(audience) else audiences.matching(audience, people, batch.now)
    return {t.id: Go(YES if t.id in matched else NO) for t in people}


def resolve(batch: Batch, node: Node, people: Sequence[Traveller]) -> Verdicts:
    return enter(batch, node, people)
