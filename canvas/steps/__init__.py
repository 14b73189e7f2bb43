"""The kinds of steps. Each is one module with the same three functions.

    problems(node, now)          what keeps its settings from being used
    enter(batch, node, people)   what it says to journeys that arrive, as a set
    resolve(batch, node, people) what it says to those who waited in it, when their time or their outcome has come

A kind that renders says so (`RENDERS`) and has a fourth, `prepare(node, people, now, canvas)`, which is called with no
transaction open; what it returns by journey id is in `batch.prepared` when `resolve` is called.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol, cast

from canvas.graph import Node
from canvas.models import Kind
from canvas.steps import (
    action_paths,
    audience_paths,
    context,
    decision_split,
    delay,
    experiment_paths,
    finish,
    message,
    user_update,
)
from canvas.steps.problem import Problem
from canvas.travel import Batch, Traveller
from canvas.verdicts import Verdicts


class StepKind(Protocol):
    RENDERS: bool

    def problems(self, node: Node, now: datetime) -> Iterator[Problem]: ...
    def enter(self, batch: Batch, node: Node, people: Sequence[Traveller]) -> Verdicts: ...
    def resolve(self, batch: Batch, node: Node, people: Sequence[Traveller]) -> Verdicts: ...


class RenderingKind(StepKind, Protocol):
    def prepare(
        self, node: Node, people: Sequence[Traveller], now: datetime, canvas: Mapping[int, Mapping[str, Any]]
    ) -> Mapping[int, Any]: ...


_MODULES: Mapping[Kind, Any] = {
    Kind.MESSAGE: message,
    Kind.DELAY: delay,
    Kind.DECISION_SPLIT: decision_split,
    Kind.AUDIENCE_PATHS: audience_paths,
    Kind.ACTION_PATHS: action_paths,
    Kind.EXPERIMENT_PATHS: experiment_paths,
    Kind.USER_UPDATE: user_update,
    Kind.CONTEXT: context,
    Kind.EXIT: finish,
}


def of(kind: Kind) -> StepKind:
    return cast(StepKind, _MODULES[kind])


def renders(kind: Kind) -> RenderingKind | None:
    """The kind, if it renders."""
    module = _MODULES[kind]
    return cast(RenderingKind, module) if module.RENDERS else None
