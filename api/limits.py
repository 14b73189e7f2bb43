"""Counts calls in fixed windows aligned to the clock, in Redis. With Redis away, calls pass."""

import logging
import time
from dataclasses import dataclass

from django.conf import settings
from redis.exceptions import RedisError

from workspace import queues

logger = logging.getLogger(__name__)

AWAY_SECONDS = 5.0  # not asked again for so long after it failed
_away_until = 0.0


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a caller stands in a window that ends at `reset` (epoch seconds)."""

    limit: int
    remaining: int
    reset: int
    is_refused: bool = False


def take(bucket: str, now: float) -> Standing | None:
    """Use up one call of the bucket; None where nothing is limited. A refused call does not count."""
    return _ask(bucket, now, 1)


def peek(bucket: str, now: float) -> Standing | None:
    """How the bucket stands, without a call."""
    return _ask(bucket, now, 0)


def _ask(bucket: str, now: float, calls: int) -> Standing | None:
    if not settings.API_RATE_LIMITS_ON:
        return None
    limit, seconds = settings.API_RATE_LIMITS.get(bucket) or settings.API_RATE_LIMITS["other"]
    start = int(now) // seconds * seconds
    used = _count(f"api:{bucket}:{start}", calls, limit, seconds)
    is_refused = used > limit
    return Standing(limit, max(0, limit - used), start + seconds, is_refused)


def _count(key: str, calls: int, limit: int, seconds: int) -> int:
    """The calls of this window with these; past the limit they are taken back."""
    global _away_until
    if time.monotonic() < _away_until:
        return 0
    try:
        pipe = queues.connection().pipeline(transaction=False)
        pipe.incrby(key, calls)
        pipe.expire(key, seconds + 1)
        used = int(pipe.execute()[0])
        if used > limit and calls:
            queues.connection().decrby(key, calls)
        return used
    except RedisError as error:
        _away_until = time.monotonic() + AWAY_SECONDS
        logger.warning("rate limits are off: Redis is away (%s)", type(error).__name__)
        return 0
