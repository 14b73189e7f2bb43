"""How fast a running send goes and how long it will take, from what was seen of it a moment ago.

Each look at a send notes how many of its messages have ended; the rate is the difference between two looks. The notes
lie in Redis for two minutes, shared by all web processes: without Redis, or at the first look, there is no rate.
"""

import json
from dataclasses import dataclass
from typing import Any, cast

from django.utils.translation import ngettext
from redis.exceptions import RedisError

from outreach import counters
from outreach.models import Metric
from workspace import queues

KEPT = 120  # seconds
SPAN = 45.0  # seconds that a rate looks back
LEAST = 1.5  # seconds between the two looks of a rate


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a send stands. `per_second` is None while unknown."""

    planned: int
    ended: int
    per_second: float | None = None

    @property
    def pending(self) -> int:
        return max(0, self.planned - self.ended)

    @property
    def percent(self) -> int:
        """Rounded down, so that only the last message makes it 100."""
        return 100 * self.ended // self.planned if self.planned else 0

    @property
    def per_minute(self) -> int | None:
        return None if self.per_second is None else round(60 * self.per_second)

    @property
    def left(self) -> str:
        """How long the rest takes at this rate, in words; empty while unknown."""
        return in_words(self.pending / self.per_second) if self.per_second and self.pending else ""


def in_words(seconds: float) -> str:
    """A wait, rounded to what one would say: seconds, minutes, hours or days."""
    if seconds < 90:
        count = max(1, round(seconds))
        return ngettext("%d second", "%d seconds", count) % count
    if seconds < 90 * 60:
        count = round(seconds / 60)
        return ngettext("%d minute", "%d minutes", count) % count
    if seconds < 48 * 3_600:
        count = round(seconds / 3_600)
        return ngettext("%d hour", "%d hours", count) % count
    count = round(seconds / 86_400)
    return ngettext("%d day", "%d days", count) % count


def of(outreach_id: int, sums: dict[str, int], at: float | None) -> Progress:
    """The progress that these totals come to; `at` is the time in seconds, None where nothing moves.

    Notes the look for the next one.
    """
    planned = sums.get(Metric.PLANNED, 0)
    ended = planned - counters.pending(dict.fromkeys(Metric.values, 0) | sums)
    return Progress(planned, ended, None if at is None else rate(_looks(outreach_id, ended, at), at))


def rate(looks: list[tuple[float, int]], now: float) -> float | None:
    """Messages a second over the looks of the last `SPAN` seconds, newest first."""
    recent = [look for look in looks if now - look[0] <= SPAN]
    if len(recent) < 2 or recent[0][0] - recent[-1][0] < LEAST:
        return None
    (newest, ended), (oldest, before) = recent[0], recent[-1]
    return max(0.0, (ended - before) / (newest - oldest))


def _looks(outreach_id: int, ended: int, at: float) -> list[tuple[float, int]]:
    key = f"progress:{outreach_id}"
    try:
        pipe: Any = queues.connection().pipeline()
        pipe.lpush(key, json.dumps([at, ended])).ltrim(key, 0, 40).expire(key, KEPT).lrange(key, 0, -1)
        found = pipe.execute()[-1]
    except RedisError:
        return []
    return [cast(tuple[float, int], tuple(json.loads(each))) for each in found]
