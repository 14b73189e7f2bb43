from collections.abc import Iterator, Sequence
from datetime import datetime

import pytest

from audience import reactions
from audience.models import PendingEvent
from audience.reactions import Kind, Phase


class Reacting:
    """Somebody who wants every event and notes what reaches them, by profile. `fails_for` are names that break it."""

    def __init__(self) -> None:
        self.batches: list[list[tuple[int, str]]] = []
        self.fails_for: set[str] = set()

    def __call__(self, events: Sequence[PendingEvent], now: datetime) -> None:
        if broken := self.fails_for & {event.name for event in events}:
            raise ValueError(f"can't take {', '.join(sorted(broken))}")
        self.batches.append([(event.profile_id, event.name) for event in events])

    def names(self, profile: int) -> list[str]:
        return [name for batch in self.batches for key, name in batch if key == profile]


@pytest.fixture
def alone(monkeypatch) -> None:
    """No app reacts or listens but what the test adds."""
    monkeypatch.setattr(reactions, "_listeners", [])
    monkeypatch.setattr(reactions, "_reactions", [])


@pytest.fixture
def reacting(alone) -> Iterator[Reacting]:
    made = Reacting()
    reactions.add_listener(lambda occurred: {kind: {*names} for kind, names in occurred.items() if kind in Kind})
    reactions.add_reaction(Phase.ENTRIES, made)
    return made
