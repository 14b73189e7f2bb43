"""Checks a Canvas before it goes live, and starts it. Problems stand in the way; warnings are to be read."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from audience import filters
from canvas import audiences, cautions, conversions, durations, graph, publishing, steps
from canvas.findings import Finding
from canvas.graph import Graph, Node
from canvas.models import Cadence, Canvas, Entry, Kind, Reentry
from canvas.steps import experiment_paths, message
from outreach import launch as outreach_launch
from outreach import lifecycle as outreach_lifecycle
from outreach import matching, plan
from outreach.errors import NotLaunchable
from outreach.models import Occurrence

LATE_ALLOWED = timedelta(minutes=5)
MOST_STEPS, MANY_STEPS = 200, 150


def problems(canvas: Canvas, now: datetime) -> list[Finding]:
    """Every reason why this Canvas, as it is being edited, can't go live; empty when it can."""
    current = graph.load(publishing.shown(canvas))
    return [*_canvas_problems(canvas, now), *graph_problems(canvas, current, now)]


def _canvas_problems(canvas: Canvas, now: datetime) -> Iterator[Finding]:
    for text in outreach_launch.share_problems(canvas.variants.filter(is_removed=False)):
        yield Finding(text)
    waits = canvas.entry != Entry.SCHEDULED  # for people who may not be there yet
    for text in outreach_launch.audience_problems(canvas, now, may_be_empty=waits):
        yield Finding(text)
    if not filters.is_empty(canvas.filters):
        for problem in filters.validate(canvas.filters, now):
            yield Finding(_("Audience: %s") % problem.sentence)
    if canvas.entry == Entry.ACTION:
        if not canvas.triggers:
            yield Finding(_("Choose at least one action that lets profiles in."))
        for trigger in canvas.triggers:
            for text in matching.problems(trigger):
                yield Finding(_("Entry: %s") % text)
    elif canvas.entry == Entry.SCHEDULED and canvas.start_at and canvas.start_at < now - LATE_ALLOWED:
        yield Finding(_("The start, %s UTC, has passed. Choose a later one.") % f"{canvas.start_at:%Y-%m-%d %H:%M}")
    if canvas.end_at and canvas.end_at <= (canvas.start_at or now):
        yield Finding(_("The end of the entry lies before its start."))


def graph_problems(canvas: Canvas, current: Graph, now: datetime) -> Iterator[Finding]:
    """What is wrong with the steps and the exit criteria."""
    sending = canvas.variants.filter(is_removed=False, is_control=False)
    if not sending:
        yield Finding(_("There is no variant that sends. Add one."))
    for variant in sending:
        if current.present(current.starts.get(variant.pk)) is None:
            yield Finding(_("“%s” has no step yet.") % variant.name)
    if len(current.nodes) > MOST_STEPS:
        yield Finding(_("A Canvas has at most %d steps.") % MOST_STEPS)
    for step in sorted(current.on_cycles):
        yield Finding(_("“%s” leads back to itself. Journeys only move forward.") % current.nodes[step].name, step)
    yield from _exit_problems(current)
    for node in current.nodes_of(Kind.EXPERIMENT_PATHS):
        if experiment_paths.winner_after(node) and not canvas.conversions:
            text = _("%s: a winner is decided by conversions. Add a conversion event.")
            yield Finding(text % node.name, node.id, "window_days")
    contents = message.contents_of(current.nodes_of(Kind.MESSAGE))
    for node in _in_order(current):
        if not node.is_disabled:
            is_message = node.kind is Kind.MESSAGE
            found = message.problems(node, now, contents) if is_message else steps.of(node.kind).problems(node, now)
            for problem in found:
                yield Finding(f"{node.name}: {problem.text}", node.id, problem.field)


def _exit_problems(current: Graph) -> Iterator[Finding]:
    for trigger in current.exit_events:
        for text in matching.problems(trigger):
            yield Finding(_("Exit criteria: %s") % text)
    if not audiences.is_empty(current.exit_audience):
        for text in audiences.problems(current.exit_audience):
            yield Finding(_("Exit criteria: %s") % text)


def _in_order(current: Graph) -> list[Node]:
    return sorted(current.nodes.values(), key=lambda node: current.order[node.id])


# --- warnings


def warnings(canvas: Canvas, now: datetime) -> list[Finding]:
    """What may be meant so, but often is not."""
    current = graph.load(publishing.shown(canvas))
    return [*_graph_warnings(current, now), *cautions.of(current), *_entry_warnings(canvas, current, now)]


def _graph_warnings(current: Graph, now: datetime) -> Iterator[Finding]:
    reached = current.reachable(current.starts.values())
    seen: dict[str, int] = {}
    for node in _in_order(current):
        if node.id not in reached:
            yield Finding(_("“%s” can't be reached: nothing leads to it.") % node.name, node.id)
        if node.name in seen:
            yield Finding(_("Two steps are called “%s”.") % node.name, node.id)
        seen.setdefault(node.name, node.id)
        yield from _step_warnings(current, node, now)
    if len(current.nodes) >= MANY_STEPS:
        yield Finding(_("%d steps are hard to read. Consider several Canvases.") % len(current.nodes))


def _step_warnings(current: Graph, node: Node, now: datetime) -> Iterator[Finding]:
    if node.is_disabled:
        yield Finding(_("“%s” is switched off: profiles pass through.") % node.name, node.id)
    ends = [way for way in node.ways if current.present(way.target) is None]
    if node.kind in (Kind.DECISION_SPLIT, Kind.AUDIENCE_PATHS, Kind.ACTION_PATHS) and len(ends) == len(node.ways):
        yield Finding(_("No path of “%s” leads anywhere: everybody leaves there.") % node.name, node.id)
    if node.kind is Kind.DELAY:
        if ends and not node.settings.get("holds_at_end"):
            yield Finding(_("Nothing follows “%s”: profiles pass straight through it.") % node.name, node.id)
        if not ends and node.settings.get("mode") == "after" and not node.settings.get("count"):
            yield Finding(_("“%s” waits for no time at all.") % node.name, node.id)
    if node.kind in (Kind.DECISION_SPLIT, Kind.AUDIENCE_PATHS):
        for before in _before(current, node.id):
            if before.kind is Kind.MESSAGE:
                text = _("“%(step)s” follows “%(message)s” at once: whoever it asks about has had no time to react.")
                yield Finding(text % {"step": node.name, "message": before.name}, node.id)


def _before(current: Graph, step: int) -> list[Node]:
    return [node for node in current.nodes.values() if step in current.targets(node.id)]


def _entry_warnings(canvas: Canvas, current: Graph, now: datetime) -> Iterator[Finding]:
    if canvas.reentry == Reentry.AFTER and canvas.reentry_seconds == 0:
        yield Finding(_("Profiles may enter again at once: one can be in several journeys at the same time."))
    elif canvas.reentry == Reentry.AFTER and canvas.reentry_seconds < durations.longest(current, now).total_seconds():
        yield Finding(_("Profiles may enter again before their last journey is over."))
    used = {trigger.get("name") for trigger in canvas.triggers if trigger.get("name")}
    named = {name for name in used if f'"{name}"' in str(canvas.filters).replace("'", '"')}
    for name in sorted(named) if canvas.entry == Entry.ACTION else ():
        yield Finding(
            _("The audience asks about “%s”, which the trigger only reports: first-timers don't enter.") % name
        )
    yield from _conversion_warnings(canvas, current, now)
    control = canvas.variants.filter(is_removed=False, is_control=True, share__gt=50).first()
    if control:
        yield Finding(_("More than half of all profiles are in the control group."))


def _conversion_warnings(canvas: Canvas, current: Graph, now: datetime) -> Iterator[Finding]:
    if not canvas.conversions:
        yield Finding(_("There is no conversion event: results can't say what the Canvas has brought."))
        for node in current.nodes_of(Kind.EXPERIMENT_PATHS):
            yield Finding(
                _("“%s” compares paths, but there is no conversion event to judge them by.") % node.name, node.id
            )
    longest = durations.longest(current, now)
    for conversion in canvas.conversions:
        if conversions.window(conversion) < longest:
            yield Finding(_("“%s” counts for a shorter time than a journey can take.") % conversion.get("name", ""))


# --- going live


def start(canvas: Canvas, now: datetime, author: Any = None) -> Occurrence | None:
    """Launch: publish the draft, set the Canvas active, and plan its run where it is scheduled.

    Raises NotLaunchable, WrongStatus.
    """
    if found := problems(canvas, now):
        raise NotLaunchable([finding.text for finding in found])
    with transaction.atomic():
        outreach_lifecycle.activate(canvas, now)
        publishing.publish(canvas, now, author, _("Launched"))
        if canvas.entry != Entry.SCHEDULED:
            return None
        limit = canvas.entry_limit if canvas.entry_cadence == Cadence.RUN else None
        return plan.occurrence_at(canvas, max(canvas.start_at or now, now), limit)


def republish(canvas: Canvas, now: datetime, author: Any = None, note: str = "", **kwargs: Any) -> None:
    """Publish the draft of a live Canvas. Raises NotLaunchable with every problem."""
    if found := list(graph_problems(canvas, graph.load(publishing.shown(canvas)), now)):
        raise NotLaunchable([finding.text for finding in found])
    publishing.publish(canvas, now, author, note, **kwargs)
