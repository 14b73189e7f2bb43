"""Checks a Canvas before it goes live, and starts it. Problems stand in the way; warnings are to be read."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from audience import filters, segments
from canvas import audiences, cautions, conversions, durations, graph, publishing, scheduled, steps
from canvas.findings import Finding
from canvas.graph import Graph, Node
from canvas.livetest import wipe
from canvas.models import Canvas, Entry, Kind, Reentry
from canvas.steps import experiment_paths, message
from outreach import launch as outreach_launch
from outreach import lifecycle as outreach_lifecycle
from outreach import matching, reach, runs, schedule
from outreach.errors import NotLaunchable
from outreach.models import Occurrence, Optimisation

LATE_ALLOWED = timedelta(minutes=5)
MOST_STEPS, MANY_STEPS = 200, 150
MINUTES_A_DAY = 1_440


def problems(canvas: Canvas, now: datetime) -> list[Finding]:
    """Every reason why this Canvas, as it is being edited, can't go live; empty when it can."""
    current = graph.load(publishing.shown(canvas))
    return [*_canvas_problems(canvas, now), *graph_problems(canvas, current, now)]


def _canvas_problems(canvas: Canvas, now: datetime) -> Iterator[Finding]:
    for text in outreach_launch.share_problems(canvas.variants.filter(is_removed=False)):
        yield Finding(text)
    if canvas.optimisation == Optimisation.SELECTION:
        if not canvas.conversions:
            yield Finding(_("Intelligent selection is decided by conversions. Add a conversion event."))
        if canvas.variants.filter(is_removed=False, is_control=False).count() < 2:
            yield Finding(_("Intelligent selection needs two variants that send."))
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
    elif canvas.entry == Entry.SCHEDULED:
        yield from _schedule_problems(canvas, now)
    if canvas.end_at and canvas.end_at <= (canvas.start_at or now):
        yield Finding(_("The end of the entry lies before its start."))
    for text in outreach_launch.control_problems(canvas):
        yield Finding(text)
    yield from _conversion_problems(canvas)


def _conversion_problems(canvas: Canvas) -> Iterator[Finding]:
    for conversion in canvas.conversions:
        name = conversion.get("name", "")
        if not conversions.LEAST_WINDOW <= conversions.window(conversion) <= conversions.MOST_WINDOW:
            yield Finding(_("Conversion “%s”: choose a time from 5 minutes to 30 days.") % name)
        for trigger in conversion.get("triggers") or ():
            for text in matching.problems(trigger):
                yield Finding(_("Conversion “%(name)s”: %(fault)s") % {"name": name, "fault": text})


def _schedule_problems(canvas: Canvas, now: datetime) -> Iterator[Finding]:
    is_past = canvas.start_at is not None and canvas.start_at < now - LATE_ALLOWED
    if is_past and not canvas.recurrence:
        yield Finding(_("The start, %s UTC, has passed. Choose a later one.") % f"{canvas.start_at:%Y-%m-%d %H:%M}")
    if canvas.is_local and not canvas.start_at:
        yield Finding(_("Choose a start: its time of day is what each profile's own clock is asked for."))
    if canvas.recurrence and next(schedule.days(runs.schedule_of(canvas, now)), None) is None:
        yield Finding(_("It would never run. Look at its days and its end."))


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
        if experiment_paths.held(node) and (canvas.entry != Entry.SCHEDULED or canvas.recurrence):
            text = _("%s: a delay group needs everybody to come at once. Hold nobody back where people come over time.")
            yield Finding(text % node.name, node.id, "held")
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
    return [*_graph_warnings(current, now), *cautions.of(current, now), *_entry_warnings(canvas, current, now)]


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
    is_local = canvas.entry == Entry.SCHEDULED and canvas.is_local
    if is_local and canvas.start_at and canvas.start_at - now < timedelta(hours=24):
        yield Finding(_("It starts within 24 hours: where that time of day has passed already, nobody enters."))
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
    yield from _rate_warnings(canvas, now)
    yield from _exit_warnings(canvas, current, now)
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


def _rate_warnings(canvas: Canvas, now: datetime) -> Iterator[Finding]:
    rate = canvas.sender.rate_per_minute
    if rate and canvas.entry == Entry.SCHEDULED and reach.audience(canvas, now).count() / rate > MINUTES_A_DAY:
        yield Finding(_("At %d messages a minute it takes more than a day until everybody has got the first.") % rate)


def _exit_warnings(canvas: Canvas, current: Graph, now: datetime) -> Iterator[Finding]:
    """Who is in the exit audience on entry leaves before the first step (specification, section 7.1)."""
    leaving = current.exit_audience
    if audiences.is_empty(leaving) or leaving.get("context") or audiences.problems(leaving, now):
        return
    if list(outreach_launch.audience_problems(canvas, now)):
        return
    gone = segments.members((), audiences.tree(leaving), now)
    if reach.audience(canvas, now).filter(pk__in=gone.values("pk")).exists():
        yield Finding(_("Some of the audience match the exit criteria already: they leave before the first step."))


# --- going live


def start(canvas: Canvas, now: datetime, author: Any = None) -> Occurrence | None:
    """Launch: publish the draft, set the Canvas active, and plan its run where it is scheduled.

    Its live test ends, and is wiped. Raises NotLaunchable, WrongStatus.
    """
    if found := problems(canvas, now):
        raise NotLaunchable([finding.text for finding in found])
    with transaction.atomic():
        outreach_lifecycle.activate(canvas, now)
        publishing.publish(canvas, now, author, _("Launched"))
        runs.keep_zone(canvas)
        run = scheduled.first_run(canvas, now) if canvas.entry == Entry.SCHEDULED else None
    wipe.everything(canvas, now)
    return run


def republish(canvas: Canvas, now: datetime, author: Any = None, note: str = "", **kwargs: Any) -> None:
    """Publish the draft of a live Canvas. Raises NotLaunchable with every problem."""
    if found := list(graph_problems(canvas, graph.load(publishing.shown(canvas)), now)):
        raise NotLaunchable([finding.text for finding in found])
    publishing.publish(canvas, now, author, note, **kwargs)
