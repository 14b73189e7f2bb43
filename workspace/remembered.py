"""Facts that never change once they are there, kept by each process: whose sender this is, for one."""

from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Any, Generic, TypeVar
from weakref import WeakSet

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


_all: "WeakSet[Remembered[Any, Any]]" = WeakSet()


def forget_all() -> None:
    """For tests, in which the ids of one come again in the next."""
    for each in _all:
        each.forget()
