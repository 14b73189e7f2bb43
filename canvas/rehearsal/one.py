"""One profile's way through a Canvas: every step with its times, and the requests it would make. Nothing is sent."""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from audience.ingest.track import track
from audience.models import PendingEvent, Profile
from canvas import engine, entry, reactions, words
from canvas.errors import NotAllowed
from canvas.graph import Node
from canvas.models import CanvasVersion, ExperimentShare, Journey, Kind, StepVisit, VisitOutcome
from canvas.rehearsal.sends import Sent, answer
from canvas.rehearsal.stage import Stage, rehearsal
from canvas.states import Reason, State
from outreach import reach
from outreach.models import Variant

MOST_MOVES = 1_000


@dataclass(frozen=True, slots=True)
class Coming:
    """Something the profile is taken to do, at a time."""

    at: datetime
    name: str
    kind: str = "event"
    properties: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to rehearse. Either `profile`, or `made_up`: attributes as the API takes them.

    `variant` None draws one; `paths` says which way to go at experiments, by step.
    """

    start: datetime
    profile: Profile | None = None
    made_up: Mapping[str, Any] = field(default_factory=dict)
    properties: Mapping[str, Any] = field(default_factory=dict)
    variant: int | None = None
    events: Sequence[Coming] = ()
    paths: Mapping[int, int] = field(default_factory=dict)


@dataclass(slots=True)
class Stop:
    """One step of the way. `left` None: it is still there."""

    node: Node
    arrived: datetime
    left: datetime | None
    path: str
    outcome: str
    note: str
    sent: list[Sent]

    @property
    def waited(self) -> str:
        return words.lasting(self.left - self.arrived) if self.left and self.left > self.arrived else ""


@dataclass(slots=True)
class Way:
    """What came out. `is_in_audience` is shown, not enforced; `ending` says in words how it ends."""

    who: str
    variant: str
    is_in_audience: bool
    stops: list[Stop] = field(default_factory=list)
    events: list[tuple[datetime, str]] = field(default_factory=list)
    ending: str = ""
    ended_at: datetime | None = None
    error: str = ""


def rehearse(version: CanvasVersion, wanted: Wanted) -> Way:
    """The way of one profile. Raises NotAllowed where it can't be rehearsed, with a sentence that says why."""
    with rehearsal(version, wanted.start) as stage:
        return _Run(version, wanted, stage).way()


class _Run:
    def __init__(self, version: CanvasVersion, wanted: Wanted, stage: Stage) -> None:
        self.version, self.wanted, self.stage = version, wanted, stage
        self.now = wanted.start
        self.sent: dict[int, list[Sent]] = {}
        self.coming = sorted(wanted.events, key=lambda event: event.at)
        self.done: list[tuple[datetime, str]] = []
        self.before = PendingEvent.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
        self.profile = wanted.profile or self._made_up()

    def way(self) -> Way:
        in_audience = reach.audience(self.version.canvas, self.now).filter(pk=self.profile.pk).exists()
        journey = self._enter()
        for _n in range(MOST_MOVES):
            journey.refresh_from_db()
            if journey.ended_at or not self._on(journey):
                break
        return self._told(journey, in_audience)

    def _made_up(self) -> Profile:
        profile = Profile.objects.create(external_id=f"rehearsal-{random.getrandbits(60)}", created_at=self.now)
        typed = {**self.wanted.made_up, "braze_id": str(profile.braze_id)}
        refused = track(attributes=[typed], now=self.now, may_trigger=False).errors
        if refused:
            raise NotAllowed(_("The made-up profile can't be used: %s") % refused[0].type)
        profile.refresh_from_db()
        return profile

    def _enter(self) -> Journey:
        twin = self.stage.canvas
        if self.wanted.variant is not None:
            mine = self.stage.variants.get(self.wanted.variant)
            Variant.objects.filter(outreach=twin).update(share=0)
            Variant.objects.filter(pk=mine or 0).update(share=100)
        originals = {real: own for own, real in self.stage.original.items()}
        ExperimentShare.objects.bulk_create(
            ExperimentShare(step_id=originals[step], profile=self.profile, path=path)
            for step, path in self.wanted.paths.items()
            if step in originals
        )
        entry.enter(twin.pk, [entry.Candidate(self.profile.pk, "rehearsal", self.wanted.properties)], self.now)
        journey = Journey.objects.filter(canvas=twin, profile=self.profile).first()
        if journey is None:
            raise NotAllowed(_("Nobody can enter: the shares of the variants don't add up to 100 %."))
        return journey

    def _on(self, journey: Journey) -> bool:
        """The next thing that happens: messages, an event, or the journey's time. False where nothing does any more."""
        due = journey.wake_at
        if journey.state == State.SENDING and due is None:
            sent, due = answer(journey, self.now)
            self.sent.setdefault(journey.visit_id or 0, []).extend(sent)
            if sent:
                return True
        if self.coming and (due is None or self.coming[0].at <= due):
            self._happen(self.coming.pop(0))
            return True
        if due is None or journey.state == State.CONTROL:
            return False
        self.now = max(self.now, due)
        if journey.wake_at is not None:
            engine.move(journey.step_id or 0, lambda: self.now)
            self._react()  # to what a user update logged
        return True

    def _happen(self, event: Coming) -> None:
        self.now = max(self.now, event.at)
        common = {"braze_id": str(self.profile.braze_id), "time": self.now.isoformat(), "properties": event.properties}
        if event.kind == "purchase":
            bought = {**common, "product_id": event.name, "currency": "USD", "price": 1}
            refused = track(purchases=[bought], now=self.now).errors
        else:
            refused = track(events=[{**common, "name": event.name}], now=self.now).errors
        if refused:
            raise NotAllowed(
                _("The event “%(name)s” can't be used: %(why)s") % {"name": event.name, "why": refused[0].type}
            )
        self.done.append((self.now, event.name))
        self._react()

    def _react(self) -> None:
        """To what this rehearsal put into the outbox, one event at a time; other Canvases start nothing of it."""
        for pending in PendingEvent.objects.filter(profile=self.profile, pk__gt=self.before).order_by("pk"):
            reactions.react([pending], self.now)
            pending.delete()

    def _told(self, journey: Journey, in_audience: bool) -> Way:
        names = dict(Variant.objects.filter(outreach=self.stage.canvas).values_list("pk", "name"))
        who = str(self.profile) if self.wanted.profile else _("the made-up profile")
        way = Way(who, names.get(journey.variant_id, ""), in_audience)
        way.stops, way.events = list(self._stops(journey)), self.done
        way.ended_at, way.error = journey.ended_at, journey.error
        way.ending = _ending(journey)
        return way

    def _stops(self, journey: Journey) -> Iterator[Stop]:
        for visit in StepVisit.objects.filter(journey=journey).order_by("pk"):
            node = self.stage.graph.nodes[visit.step_id]
            real = self.stage.real_step(visit.step_id) or 0
            way = node.way(visit.path) if visit.path is not None else None
            note = self.stage.skipped.get(real, "")
            yield Stop(
                Node(real, node.kind, node.name, node.settings, node.ways, node.contents, node.is_disabled),
                visit.entered_at,
                visit.left_at,
                way.name if way and len(node.ways) > 1 else "",
                str(dict(VisitOutcome.choices).get(visit.outcome, "")),
                note or str(dict(Reason.choices).get(visit.reason or visit.note, visit.note)),
                self.sent.get(visit.pk, []),
            )


def _ending(journey: Journey) -> str:
    match journey.state:
        case State.COMPLETED:
            return _("It completes, as “%s”.") % journey.label if journey.label else _("It completes.")
        case State.EXITED:
            return _("It leaves early: %s.") % Reason(journey.exit_reason).label
        case State.CONTROL:
            return _("It is in the control group: it gets nothing.")
        case State.FAILED:
            return _("It fails, and waits for somebody to look at it.")
        case _:
            return _("It waits on.")


def experiments(nodes: Mapping[int, Node]) -> list[Node]:
    """The steps at which a way can be chosen."""
    return [node for node in nodes.values() if node.kind is Kind.EXPERIMENT_PATHS]
