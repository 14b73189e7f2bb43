"""How fast each host answers just now: what the pump may claim ahead of its window. Pure but for the clock."""

import time
from collections import Counter
from collections.abc import Callable


class Pace:
    """Answers a second, by host, over the second that is running and the one before it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._second = 0
        self._now: Counter[str] = Counter()
        self._before: Counter[str] = Counter()

    def note(self, host: str) -> None:
        """An answer came."""
        self._turn()
        self._now[host] += 1

    def of(self, host: str) -> int:
        """Answers of a host in its better second of the two; 0 for a host that keeps everybody waiting."""
        self._turn()
        return max(self._now[host], self._before[host])

    def total(self) -> int:
        self._turn()
        return max(self._now.total(), self._before.total())

    def _turn(self) -> None:
        second = int(self._clock())
        if second == self._second:
            return
        self._before = self._now if second == self._second + 1 else Counter()
        self._now = Counter()
        self._second = second
