"""A journey while it is moved, and the batch it is moved in."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from canvas.graph import Graph
from canvas.states import State

MOST_HOPS = 50  # steps that a journey takes at once before others get their turn


@dataclass(slots=True)
class Traveller:
    """One journey in memory, as its row was when it was locked, then as it will be written.

    `step_entered_at` is set when it enters a step. `zone` is the profile's own time zone, empty without one; `is_gone`
    says that the profile no longer exists.
    """

    id: int
    canvas_id: int
    profile_id: int
    variant_id: int
    state: State
    step_id: int | None
    visit_id: int | None
    wake_at: datetime | None
    waits_for: str
    token: int
    attempts: int
    latched: str
    choice: int | None
    began_at: datetime
    events_since: datetime
    source: str
    context: dict[str, Any] | None
    event_properties: dict[str, Any] | None
    is_gone: bool = False
    zone: str = ""
    step_entered_at: datetime | None = None
    ended_at: datetime | None = None
    exit_reason: str = ""
    label: str = ""
    version_id: int = 0
    has_new_context: bool = False
    has_new_event: bool = False
    hops: int = 0

    @property
    def is_live(self) -> bool:
        return self.ended_at is None


@dataclass(slots=True)
class Visit:
    """A stay at a step. Without an id it was not in the database before this batch."""

    traveller: Traveller
    step_id: int
    entered_at: datetime
    id: int | None = None
    left_at: datetime | None = None
    outcome: str = ""
    reason: str = ""
    path: int | None = None
    late_seconds: int = 0
    note: str = ""

    @property
    def is_new(self) -> bool:
        return self.id is None


@dataclass(slots=True)
class News:
    """What an event notes on a journey: an exit that takes effect later, or the path an action chose."""

    traveller: Traveller
    latched: str = ""
    choice: int | None = None
    choice_at: datetime | None = None
    properties: Mapping[str, Any] | None = None
    wakes: bool = False

    @property
    def is_new(self) -> bool:
        return self.wakes or self.latched != self.traveller.latched or self.choice_at is not None


class Count(NamedTuple):
    """What is counted: a metric of a step (0: of the Canvas) and a variant."""

    variant: int
    step: int
    metric: str
    reason: str = ""


@dataclass(slots=True)
class Batch:
    """Journeys of one Canvas that move together, and all that will be written about them at the end.

    `prepared` holds what was rendered for a journey before the transaction. `asked` keeps what the exit audience
    answered: profiles don't change while a batch moves, unless a step changes them and empties it.
    """

    graph: Graph
    now: datetime
    sender_id: int
    company: ZoneInfo
    travellers: Sequence[Traveller]
    prepared: Mapping[int, Any] = field(default_factory=dict)
    visits: dict[tuple[int, int], Visit] = field(default_factory=dict)
    sends: list[Visit] = field(default_factory=list)
    tally: Counter[tuple[int, int, str, str]] = field(default_factory=Counter)
    asked: dict[int, bool] | None = None
    most_hops: int = MOST_HOPS
    time_factor: int = 1

    def shortened(self, wait: timedelta) -> timedelta:
        """How long a wait is here: in a live test time is shorter."""
        return wait if self.time_factor == 1 else wait / self.time_factor

    def zone_of(self, traveller: Traveller) -> ZoneInfo:
        """The profile's zone, the company's without one or with one that is no zone."""
        return zone_named(traveller.zone) or self.company

    def count(self, traveller: Traveller, step: int, metric: str, reason: str = "") -> None:
        self.tally[traveller.variant_id, step, metric, reason] += 1

    @property
    def counts(self) -> dict[Count, int]:
        """What was counted. (A bare tuple a count, while moving: named ones took a tenth of the time.)"""
        return {Count(*key): number for key, number in self.tally.items()}


def zone_named(name: str) -> ZoneInfo | None:
    if not name:
        return None
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return None
