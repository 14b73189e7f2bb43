"""Who reacts to what profiles do. Higher apps register here when they start; this app knows none of them.

An event is only put into the outbox (PendingEvent) if a listener wants its name, and the dispatcher hands it to the
reactions in the order of the phases.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from enum import IntEnum

from audience.filters import Unseen
from audience.models import PendingEvent

MOST_UNSEEN = 5_000  # a backlog larger than that belongs to a profile that no person is
Kind = PendingEvent.Kind
Names = Mapping[Kind, set[str]]
Listener = Callable[[Names], Names]
"""Given the names that occurred, by kind, those of them somebody wants. At most a query or two; it runs inside the
transaction that stores the events."""


class Phase(IntEnum):
    """The order in which one event takes effect."""

    CONVERSIONS = 1
    EXITS = 2
    EXCEPTIONS = 3
    ACTION_PATHS = 4
    ENTRIES = 5


Reaction = Callable[[Sequence[PendingEvent], datetime], None]
"""Takes effect for a batch of events of different profiles, in one transaction with the deletion of the events.

It may run again for the same events, or for some of them, after a failure: its writes are rolled back then. Filters
over the history use `unseen(events)`, so that they look at the time before the event.
"""

_listeners: list[Listener] = []
_reactions: list[tuple[Phase, Reaction]] = []


def add_listener(listener: Listener) -> None:
    """Have events put into the outbox under the names this listener wants."""
    _listeners.append(listener)


def add_reaction(phase: Phase, reaction: Reaction) -> None:
    """Have every event of the outbox handed to the reaction in that phase."""
    _reactions.append((phase, reaction))
    _reactions.sort(key=lambda pair: pair[0])


def reactions() -> list[Reaction]:
    """In the order of the phases."""
    return [reaction for _phase, reaction in _reactions]


def unseen(events: Sequence[PendingEvent]) -> Unseen:
    """What filters must not count while somebody reacts to these events: them, and what came after them. One query.

    Two first purchases in one request are two pending events: for the first of them, neither has happened yet.
    """
    profiles = {event.profile_id for event in events}
    waiting = PendingEvent.objects.filter(profile__in=profiles, source_id__isnull=False).order_by("pk")
    rows = [*waiting.values_list("kind", "source_id")[:MOST_UNSEEN]]
    rows += [(event.kind, event.source_id) for event in events]
    bought = frozenset(key for kind, key in rows if key and kind == Kind.PURCHASE)
    done = frozenset(key for kind, key in rows if key and kind in (Kind.CUSTOM_EVENT, Kind.SESSION_START))
    return Unseen(done, bought)


def wanted(occurred: Names) -> dict[Kind, set[str]]:
    """The names among those that occurred that some listener wants."""
    found: dict[Kind, set[str]] = {}
    if any(occurred.values()):
        for listener in _listeners:
            for kind, names in listener(occurred).items():
                found.setdefault(kind, set()).update(names & occurred.get(kind, set()))
    return found
