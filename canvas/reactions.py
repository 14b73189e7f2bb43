"""What an event does to journeys: latches exits and exceptions, chooses action paths, lets profiles in.

Registered with `audience.reactions`. Journeys are locked, in id order, and only noted upon: the engine moves them. An
event ends a journey before it can choose its path, and starts a journey last, so it never ends what it began.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from audience import segments
from audience.filters import Scope
from audience.models import PendingEvent
from audience.reactions import Names, unseen
from canvas import audiences, entry, live, store
from canvas import graph as graphs
from canvas.graph import Graph, Node
from canvas.live import Live
from canvas.models import Canvas, CanvasVersion, Entry, Kind, StepVisit
from canvas.states import Reason, Waiting
from canvas.steps import action_paths
from canvas.travel import News, Traveller
from outreach import matching, properties, reach
from outreach.matching import Happening, Trigger
from outreach.models import Status
from workspace import bulk
from workspace.models import Workspace
from workspace.queues import wake
from workspace.remembered import Remembered

LOOP_GUARD = timedelta(seconds=60)
_IN_MESSAGE = (Waiting.SCHEDULE, Waiting.SCHEDULE_DATE, Waiting.OUTCOME, Waiting.SENT)


def listener(occurred: Names) -> Names:
    """The names that some launched Canvas waits for. One query, plain: every stored event asks it."""
    rows = bulk.fetch(_LISTENED, [*LAUNCHED])
    waiting = _of_version.of(version for version, *_others in rows) if rows else {}
    found: dict[PendingEvent.Kind, set[str]] = {}
    for version, status, entry_kind, entries, goals in rows:
        triggers = [trigger for goal in bulk.document(goals) for trigger in goal.get("triggers") or ()]
        triggers += bulk.document(entries) if entry_kind == Entry.ACTION and status == Status.ACTIVE else []
        for listened in (waiting.get(version, {}), matching.names_of(triggers)):
            for kind, names in matching.wanted(listened, occurred).items():
                found.setdefault(kind, set()).update(names)
    return found


LAUNCHED = (Status.ACTIVE, Status.PAUSED, Status.STOPPED)
_LISTENED = """
    SELECT v.id, o.status, c.entry, c.triggers, c.conversions
    FROM canvas_canvas AS c JOIN outreach_outreach AS o ON o.id = c.outreach_ptr_id
    JOIN canvas_canvasversion AS v ON v.canvas_id = o.id AND v.number = (
        SELECT MAX(newest.number) FROM canvas_canvasversion AS newest WHERE newest.canvas_id = o.id
    )
    WHERE o.status IN (%s, %s, %s)
"""


def _listened(versions: set[int]) -> dict[int, Names]:
    found = CanvasVersion.objects.filter(pk__in=versions)
    return {version.pk: matching.names_of(listens(graphs.load(version))) for version in found}


_of_version = Remembered(_listened)  # a published version never changes


def listens(graph: Graph) -> Iterator[Trigger]:
    """Every trigger that journeys of this graph may wait for."""
    yield from graph.exit_events
    for node in graph.nodes_of(Kind.MESSAGE):
        yield from node.settings.get("exceptions") or ()
    for node in graph.nodes_of(Kind.ACTION_PATHS):
        yield from action_paths.all_triggers(node)


def _launched() -> Iterable[Live]:
    running = Canvas.with_tests.filter(status__in=LAUNCHED)
    return live.of(running.values_list("pk", flat=True)).values()


def react(events: Sequence[PendingEvent], now: datetime) -> None:
    """Exits, then exceptions, then action paths, for each live journey of each event's profile, oldest first."""
    canvases = {canvas.canvas_id: canvas for canvas in _launched() if any(True for _ in listens(canvas.graph))}
    if not canvases:
        return
    happenings = sorted(map(matching.of_pending, events), key=lambda each: (each.occurred_at, each.serial))
    travellers = store.lock_of_profiles({h.profile_id for h in happenings}, canvases)
    if not travellers:
        return
    attributes = _attributes(canvases.values(), travellers)
    scope = properties.scope_at(now, Workspace.current().time_zone)
    noted: dict[int, News] = {}
    by_profile: dict[int, list[Traveller]] = {}
    for traveller in travellers:
        by_profile.setdefault(traveller.profile_id, []).append(traveller)
    for happening in happenings:
        _tell(happening, by_profile.get(happening.profile_id, ()), canvases, attributes, scope, noted)
    store.note(list(noted.values()), now)
    wake("canvas")


def _attributes(canvases: Iterable[Live], people: Sequence[Traveller]) -> dict[int, Mapping[str, Any]]:
    if not any(action_paths.compares_with_attributes(listens(canvas.graph)) for canvas in canvases):
        return {}
    return {pk: row["custom_attributes"] for pk, row in audiences.values_of({t.profile_id for t in people}).items()}


def _tell(
    happening: Happening,
    people: Sequence[Traveller],
    canvases: Mapping[int, Live],
    attributes: Mapping[int, Mapping[str, Any]],
    scope: Scope,
    noted: dict[int, News],
) -> None:
    """One event, told to every journey of its profile."""
    chosen: dict[tuple[int, int], Traveller] = {}
    for traveller in sorted(people, key=lambda t: t.id):
        canvas = canvases[traveller.canvas_id]
        if traveller.source == happening.source or happening.occurred_at <= traveller.began_at:
            continue
        others = {"context": traveller.context or {}, "attribute": attributes.get(traveller.profile_id, {})}
        news = noted.setdefault(traveller.id, News(traveller, traveller.latched, traveller.choice))
        if news.latched:
            continue
        if _any(canvas.graph.exit_events, happening, scope, others):
            news.latched = Reason.EXIT_EVENT
            news.wakes = canvas.graph.exits_at_once and canvas.status == Status.ACTIVE
            continue
        node = canvas.graph.nodes.get(traveller.step_id or 0)
        if node is None or node.is_disabled or happening.occurred_at <= traveller.events_since:
            continue
        if traveller.waits_for in _IN_MESSAGE and _any(node.settings.get("exceptions"), happening, scope, others):
            news.latched, news.wakes = Reason.EXCEPTION_EVENT, canvas.status == Status.ACTIVE
        elif node.kind is Kind.ACTION_PATHS and traveller.waits_for == Waiting.ACTIONS:
            _choose(canvas, node, happening, news, chosen, scope, others)


def _any(
    triggers: Iterable[Trigger] | None, happening: Happening, scope: Scope, others: Mapping[str, Mapping[str, Any]]
) -> bool:
    return any(matching.matches(trigger, happening, scope, others) for trigger in triggers or ())


def _choose(
    canvas: Live,
    node: Node,
    happening: Happening,
    news: News,
    chosen: dict[tuple[int, int], Traveller],
    scope: Scope,
    others: Mapping[str, Mapping[str, Any]],
) -> None:
    """Unranked, the first action wins at once, and of several journeys at the step the earliest takes it."""
    found = action_paths.choose(node, [happening], scope, others)
    traveller = news.traveller
    if found is None or happening.occurred_at > (traveller.wake_at or happening.occurred_at):
        return
    if action_paths.is_ranked(node):
        if action_paths.is_better(node, found[0], news.choice):
            _decide(news, found)
    elif news.choice is None:
        if chosen.setdefault((traveller.canvas_id, node.id), traveller) is traveller:
            _decide(news, found)
        else:
            news.latched = Reason.DEDUPLICATED
        news.wakes = canvas.status == Status.ACTIVE


def _decide(news: News, found: tuple[int, Happening]) -> None:
    news.choice, news.choice_at, news.properties = found[0], found[1].occurred_at, found[1].properties


# --- entries


def let_in(events: Sequence[PendingEvent], now: datetime) -> None:
    """Start journeys in the action-based Canvases whose trigger an event is, after everything else it does."""
    canvases = Canvas.objects.filter(status=Status.ACTIVE, entry=Entry.ACTION, is_finishing=False).order_by("pk")
    before = unseen(events)
    happenings = sorted(map(matching.of_pending, events), key=lambda each: (each.occurred_at, each.serial))
    scope = properties.scope_at(now, Workspace.current().time_zone)
    for canvas in canvases:
        found = [h for h in happenings if _in_window(canvas, h) and _any(canvas.triggers, h, scope, {})]
        if not found:
            continue
        guarded = _just_updated(canvas, {h.profile_id for h in found}, now)
        members = segments.among(reach.audience(canvas, now, before), {h.profile_id for h in found} - guarded)
        admitted = [
            entry.Candidate(h.profile_id, h.source, h.properties, h.occurred_at)
            for h in found
            if h.profile_id in members
        ]
        entry.enter(canvas.pk, admitted, now, not_in_audience=len(found) - len(admitted))


def _in_window(canvas: Canvas, happening: Happening) -> bool:
    """An event counts only if it happened after the launch and the start, and before the end."""
    starts = [moment for moment in (canvas.launched_at, canvas.start_at) if moment]
    is_over = canvas.end_at is not None and happening.occurred_at > canvas.end_at
    return all(happening.occurred_at >= moment for moment in starts) and not is_over


def _just_updated(canvas: Canvas, profiles: set[int], now: datetime) -> set[int]:
    """Those a user-update step of this Canvas changed a moment ago: it must not start itself in a circle."""
    recent = StepVisit.objects.filter(
        step__kind=Kind.USER_UPDATE,
        left_at__gte=now - LOOP_GUARD,
        journey__canvas=canvas,
        journey__profile_id__in=profiles,
    )
    return set(recent.values_list("journey__profile_id", flat=True))
