"""Exit: ends the journey as completed, under a label for reports. Settings: `label`."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from canvas.graph import Node
from canvas.steps.problem import Problem
from canvas.travel import Batch, Traveller
from canvas.verdicts import Finish, Verdicts

RENDERS = False


def problems(node: Node, now: datetime) -> Iterator[Problem]:
    return iter(())


def enter(batch: Batch, node: Node, people: Sequence[Traveller]) -> Verdicts:
    label = str(node.settings.get("label") or node.name)[:100]
    return {t.id: Finish(label) for t in people}


def resolve(batch: Batch, node: Node, people: Sequence[Traveller]) -> Verdicts:
    return enter(batch, node, people)
