from collections.abc import Iterator
from datetime import datetime

import pytest
import time_machine

from tests.campaigns.world import World
from tests.conftest import NOON


@pytest.fixture
def world(db, monkeypatch) -> Iterator[World]:
    """A world whose clock stands still until it is moved; the database's clock is the same one."""
    with time_machine.travel(NOON, tick=False) as traveller:

        def travel(to: datetime) -> None:
            traveller.move_to(to, tick=False)

        made = World(NOON, travel)
        for place in ("webhooks.record.database_now", "webhooks.claims.database_now"):
            monkeypatch.setattr(place, lambda: made.now)
        yield made
