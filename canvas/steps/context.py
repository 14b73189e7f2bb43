"""Context: values for this journey alone, made from Liquid.

Settings: `variables`, each with `name`, `type`, `template`.

Variables are worked out from top to bottom, and later ones see earlier ones. What can't be used keeps its old value and
is counted; the journey goes on.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from audience import times
from canvas import audiences, rendering
from canvas.counts import StepMetric
from canvas.graph import Node
from canvas.states import Waiting
from canvas.steps.problem import Problem
from canvas.travel import Batch, Traveller
from canvas.verdicts import Go, Verdicts, Wait
from webhooks.liquid import Aborted, LiquidProblem, LiquidSyntaxProblem, Postponed, parse

RENDERS = True
MOST_VARIABLES = 10
MOST_TEMPLATE = 10_240
MOST_BYTES = 50 * 1024
NAME = re.compile(r"[A-Za-z0-9_]{1,100}")
Names = Mapping[int, Mapping[str, Any]]
TYPES = ("text", "number", "boolean", "time", "list", "object")


class Unusable(ValueError):
    """The text is no value of the type."""


def problems(node: Node, now: datetime) -> Iterator[Problem]:
    variables = node.settings.get("variables") or []
    if not variables:
        yield Problem(_("There is no variable yet."), "variables")
    if len(variables) > MOST_VARIABLES:
        yield Problem(_("A step sets at most ten variables."), "variables")
    seen: set[str] = set()
    for variable in variables:
        name = str(variable.get("name") or "")
        if not NAME.fullmatch(name):
            yield Problem(_("“%s” is no name: use letters, digits and _, at most 100.") % name, "variables")
        if name in seen:
            yield Problem(_("“%s” is there twice.") % name, "variables")
        seen.add(name)
        yield from _template_problems(name, str(variable.get("template") or ""))


def _template_problems(name: str, source: str) -> Iterator[Problem]:
    if len(source) > MOST_TEMPLATE:
        yield Problem(_("“%(name)s” is longer than %(most)d characters.") % {"name": name, "most": MOST_TEMPLATE})
    try:
        parse(source)
    except LiquidSyntaxProblem as problem:
        yield Problem(f"{name}: {problem}", "variables")


def enter(batch: Batch, node: Node, people: Sequence[Traveller]) -> Verdicts:
    return {t.id: Wait(batch.now, Waiting.TURN) for t in people}


def prepare(node: Node, people: Sequence[Traveller], now: datetime, canvas: Names) -> Mapping[int, Any]:
    """By journey id the new context, and how many variables could not be used."""
    profiles = audiences.values_of({t.profile_id for t in people})
    return {t.id: evaluate(node, t, profiles.get(t.profile_id, {}), now, canvas.get(t.variant_id, {})) for t in people}


def evaluate(
    node: Node, traveller: Traveller, profile: Mapping[str, Any], now: datetime, canvas: Mapping[str, Any]
) -> tuple[dict[str, Any], int]:
    context, failed, size = dict(traveller.context or {}), 0, 0
    for variable in node.settings.get("variables") or ():
        try:
            text = parse(variable["template"]).render(
                rendering.data(profile, context, traveller.event_properties, canvas, now)
            )
            value = READERS[variable["type"]](text)
        except (LiquidProblem, Aborted, Postponed, Unusable):
            failed += 1
            continue
        size += len(json.dumps(value).encode())
        if size > MOST_BYTES:
            size -= len(json.dumps(value).encode())
            failed += 1
        else:
            context[variable["name"]] = value
    return context, failed


def resolve(batch: Batch, node: Node, people: Sequence[Traveller]) -> Verdicts:
    for traveller in people:
        context, failed = batch.prepared[traveller.id]
        traveller.context, traveller.has_new_context = context, True
        if failed:
            batch.count(traveller, node.id, StepMetric.NOT_UPDATED)
    return {t.id: Go() for t in people}


def _text(text: str) -> str:
    if not text:
        raise Unusable
    return text


def _number(text: str) -> int | float:
    value = _json(text)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Unusable
    return value


def _boolean(text: str) -> bool:
    try:
        return {"true": True, "false": False}[text.strip().lower()]
    except KeyError as error:
        raise Unusable from error


def _time(text: str) -> str:
    moment = times.parse(text.strip())
    if moment is None:
        raise Unusable
    return times.canonical(moment)


def _list(text: str) -> list[Any]:
    value = _json(text)
    if not isinstance(value, list):
        raise Unusable
    return value


def _object(text: str) -> dict[str, Any]:
    value = _json(text)
    if not isinstance(value, dict):
        raise Unusable
    return value


def _json(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise Unusable from error


def _no_constant(name: str) -> None:
    raise Unusable


READERS: Mapping[str, Callable[[str], Any]] = {
    "text": _text,
    "number": _number,
    "boolean": _boolean,
    "time": _time,
    "list": _list,
    "object": _object,
}
