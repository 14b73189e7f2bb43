"""How much one template, and one message, may use. Every limit ends that message only."""

import time
from dataclasses import dataclass
from io import StringIO
from typing import Protocol

from .errors import Fault

MEBIBYTE = 1024 * 1024


@dataclass(slots=True)
class Limits:
    """Lengths are characters. There is one of these in a process, set once when it starts: see `configure`."""

    source: int = 256 * 1024
    output: int = MEBIBYTE
    value: int = MEBIBYTE
    variables: int = 4 * MEBIBYTE
    iterations: int = 10_000
    items: int = 100_000
    nesting: int = 50
    calls: int = 10
    seconds: float = 0.2


LIMITS = Limits()


def configure(**figures: float) -> None:
    """Change limits by name, before the first template is read. Raises AttributeError for an unknown one."""
    for name, figure in figures.items():
        setattr(LIMITS, name, figure)


LARGEST_NUMBER = 10**30


def too_long(what: str, limit: int) -> Fault:
    return Fault(f"{what} is too long: at most {limit:,} are allowed")


class Budget:
    """Seconds of computing that one message may use, over all its fields.

    Processor time of this thread counts, so that waiting (Connected Content, a busy machine) costs nothing. Reading
    the thread's clock is slow (it was a tenth of composing a message): the first milliseconds go by the wall clock, and
    most renderings never take longer.
    """

    __slots__ = ("_began", "_ends", "_look", "left", "seconds")

    def __init__(self, seconds: float) -> None:
        self.seconds = self.left = seconds
        self._began = self._look = 0.0
        self._ends: float | None = None

    def start(self) -> None:
        self._began = time.perf_counter()
        self._look = self._began + FIRST_LOOK
        self._ends = None

    def stop(self) -> None:
        if self._ends is None:
            left = self.left - min(FIRST_LOOK, time.perf_counter() - self._began)
        else:
            left = self._ends - time.thread_time()
        self.left = max(0.0, left)

    def check(self) -> None:
        """Raise Fault where the time is used up."""
        now = time.perf_counter()
        if now < self._look:
            return
        if self._ends is None:
            self._ends = time.thread_time() + self.left - FIRST_LOOK
        left = self._ends - time.thread_time()
        if left <= 0:
            raise Fault(f"rendering took longer than {self.seconds:g} s")
        self._look = now + left


FIRST_LOOK = 0.005  # seconds of a rendering that count by the wall clock


class Writer(Protocol):
    """What nodes write to: a buffer, or the library's sink for blocks that print nothing."""

    def write(self, text: str, /) -> int: ...


LONG_TEXT = 512
"""Text from here on is looked at when it is written; shorter text, when its block ends."""


class Buffer(StringIO):
    """Collects output. Whoever writes much, or often, asks `check` whether it is too much by now.

    A write is the interpreter's own: one in Python, which counts, made rendering a sixth slower.
    """

    def __init__(self, limit: int, what: str = "the output") -> None:
        super().__init__()
        self.limit = limit
        self.what = what

    def check(self) -> None:
        """Raise Fault past `limit`."""
        if self.tell() > self.limit:
            raise too_long(self.what, self.limit)
