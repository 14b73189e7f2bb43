"""Facts kept by each process: those that never change once they are there, and settings that may be a second old."""

import time
from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Any, Generic, TypeVar
from weakref import WeakSet

MOST_KEPT = 10_000
Key = TypeVar("Key", bound=Hashable)
Fact = TypeVar("Fact")


class Remembered(Generic[Key, Fact]):
    """`load` is asked once for each key; a key it says nothing about is asked for again."""

    def __init__(self, load: Callable[[set[Key]], Mapping[Key, Fact]]) -> None:
        self._load = load
        self._known: dict[Key, Fact] = {}
        _all.add(self)

    def of(self, keys: Iterable[Key]) -> dict[Key, Fact]:
        wanted = set(keys)
        if new := wanted - self._known.keys():
            self._known.update(self._load(new))
        return {key: self._known[key] for key in wanted if key in self._known}

    def forget(self) -> None:
        self._known.clear()


class Recent(Generic[Key, Fact]):
    """Like `Remembered`, but a fact older than `seconds` is asked for again: settings that every batch reads.

    What a fact says nothing about is remembered as well.
    """

    def __init__(self, load: Callable[[set[Key]], Mapping[Key, Fact]], seconds: float = 1.0) -> None:
        self._load, self._seconds = load, seconds
        self._known: dict[Key, tuple[float, Fact | None]] = {}
        _all.add(self)

    def of(self, keys: Iterable[Key]) -> dict[Key, Fact]:
        wanted, now = set(keys), time.monotonic()
        old = {key for key in wanted if key not in self._known or now - self._known[key][0] > self._seconds}
        if old:
            loaded = self._load(old)
            self._known.update({key: (now, loaded.get(key)) for key in old})
            self._drop_old(now)
        found = {key: self._known[key][1] for key in wanted}
        return {key: fact for key, fact in found.items() if fact is not None}

    def get(self, key: Key) -> Fact | None:
        """One fact, None if nothing is said about it."""
        known = self._known.get(key)
        if known and time.monotonic() - known[0] <= self._seconds:
            return known[1]
        return self.of([key]).get(key)

    def _drop_old(self, now: float) -> None:
        if len(self._known) > MOST_KEPT:
            self._known = {key: known for key, known in self._known.items() if now - known[0] <= self._seconds}

    def forget(self) -> None:
        self._known.clear()


_all: "WeakSet[Remembered[Any, Any] | Recent[Any, Any]]" = WeakSet()


def forget_all() -> None:
    """For tests, in which the ids of one come again in the next."""
    for each in _all:
        each.forget()
