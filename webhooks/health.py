"""Which hosts get no requests just now, because they fail (webhooks specification, section 8), or are spared (7.3).

Results are counted in Redis, shared by all workers, in slices of five seconds; a host whose last minute was bad is
halted for a minute, then one message probes it. Without Redis every host counts as healthy. Other hosts are unaffected.
"""

import logging
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from redis.exceptions import RedisError

from webhooks.request import Answer
from workspace import queues

logger = logging.getLogger(__name__)

COUNTED = frozenset({408, 429, 502, 503, 504, 529, 599})  # 500, 501 and other 4xx say that the endpoint is up
SLICE = 5  # seconds
SLICES = 12  # make the moving minute
PROBE_SECONDS = 100  # how long a worker may take over its probe before another sends one
SLOW_FOR = 60.0  # seconds without a 429 until the speed doubles again
MOST_HALVINGS = 6
LONGEST_PAUSE = 60.0  # seconds a host's own Reset is obeyed before it is asked again
_EPOCH, _EPOCH_MS = 10**9, 10**12
_CALLS = "calls to "  # before the name of a host that templates call


@dataclass(frozen=True, slots=True)
class Standing:
    """How a host stands: at once it may get `window >> halvings` requests, one while it is probed, none if closed."""

    is_closed: bool = False
    must_probe: bool = False
    halvings: int = 0

    def room(self, window: int) -> int:
        if self.is_closed:
            return 0
        return 1 if self.must_probe else max(1, window >> self.halvings)


HEALTHY = Standing()
READ_EVERY = 0.25  # seconds


def is_failing(failures: int, results: int, *, by_number: bool = True) -> bool:
    """Whether a minute with these numbers halts a host. Pure but for the thresholds, which are settings.

    Not `by_number`: however many fail, their share counts.
    """
    if by_number and failures > settings.HOST_FAILURES_PER_MINUTE:
        return True
    return results >= settings.HOST_LEAST_RESULTS and failures >= settings.HOST_FAILURE_SHARE * results


class Standings:
    """How hosts stand, as read a moment ago: one round trip for all hosts that were asked for since the last one."""

    def __init__(self) -> None:
        self._known: dict[str, Standing] = {}
        self._asked: set[str] = set()
        self._read_at = 0.0

    def of(self, host: str) -> Standing:
        if time.monotonic() - self._read_at > READ_EVERY:
            self._known = standings(self._asked)
            self._asked, self._read_at = set(), time.monotonic()
        self._asked.add(host)
        if host not in self._known:
            self._known |= standings([host])
        return self._known[host]

    def close(self, host: str) -> None:
        """It was halted, or this worker's probe is under way."""
        self._known[host] = Standing(is_closed=True)


def standings(hosts: Iterable[str]) -> dict[str, Standing]:
    """How these hosts stand. One round trip; all are healthy without Redis."""
    wanted = list(hosts)
    if not wanted:
        return {}
    try:
        kinds = (_halt, _pause, _probing, _probe, _slow)
        values: list[Any] = queues.connection().mget([key(host) for host in wanted for key in kinds])
    except RedisError as error:
        logger.warning("host health is unknown (%s)", type(error).__name__)
        return dict.fromkeys(wanted, HEALTHY)
    rows = [values[at : at + len(kinds)] for at in range(0, len(values), len(kinds))]
    return {host: _standing(*row) for host, row in zip(wanted, rows, strict=True)}


def _standing(
    halt: bytes | None, pause: bytes | None, probing: bytes | None, probe: bytes | None, slow: bytes | None
) -> Standing:
    is_closed = halt is not None or pause is not None or probing is not None
    return Standing(is_closed, probe is not None, _halvings(slow, time.time()))


def take_probe(host: str) -> bool:
    """Whether this worker may send the one message that probes the host."""
    try:
        return bool(queues.connection().set(_probing(host), 1, nx=True, ex=PROBE_SECONDS))
    except RedisError:
        return True


def note(answers: Iterable[tuple[str, Answer]]) -> list[str]:
    """Count what hosts answered; those that are halted because of it.

    One round trip, and a few more for each host that fails or is probed.
    """
    results: Counter[str] = Counter()
    failures: Counter[str] = Counter()
    last: dict[str, Answer] = {}
    for host, answer in answers:
        results[host] += 1
        if answer.status in COUNTED and answer.is_retryable:
            failures[host] += 1
            last[host] = answer
    try:
        halted = _count(results, failures)
        for host, answer in last.items():
            _spare(host, answer)
    except RedisError as error:
        logger.warning("host health is not counted (%s)", type(error).__name__)
        return []
    return halted


def _count(results: Mapping[str, int], failures: Mapping[str, int]) -> list[str]:
    redis, slot = queues.connection(), int(time.time()) // SLICE
    pipe = redis.pipeline(transaction=False)
    for host, count in results.items():
        key = _minute(host, slot)
        pipe.hincrby(key, "results", count)
        pipe.hincrby(key, "failures", failures.get(host, 0))
        pipe.expire(key, SLICE * (SLICES + 1))
        pipe.exists(_probing(host))
    probing = pipe.execute()[3::4]
    halted = []
    for host, is_probed in zip(results, probing, strict=True):
        if is_probed and not failures.get(host):
            _reopen(host)
        elif failures.get(host) and (is_probed or _fails(host, slot)) and _close(host):
            halted.append(host)
    return halted


def _fails(host: str, slot: int) -> bool:
    return is_failing(*last_minute(host, slot), by_number=not host.startswith(_CALLS))


def last_minute(host: str, slot: int | None = None) -> tuple[int, int]:
    """Counted failures and results of the moving minute."""
    slot = int(time.time()) // SLICE if slot is None else slot
    pipe = queues.connection().pipeline(transaction=False)
    for back in range(SLICES):
        pipe.hmget(_minute(host, slot - back), "failures", "results")
    rows = pipe.execute()
    return sum(int(row[0] or 0) for row in rows), sum(int(row[1] or 0) for row in rows)


def _close(host: str) -> bool:
    """Halt a host; False where it is halted already."""
    redis = queues.connection()
    if not redis.set(_halt(host), 1, nx=True, px=int(settings.HOST_HALT_SECONDS * 1000)):
        return False
    redis.set(_probe(host), 1, ex=86_400)
    redis.delete(_probing(host))
    redis.zadd("host:halted", {host: time.time()})
    logger.warning("host=%s halted for %s s", host, settings.HOST_HALT_SECONDS)
    return True


def _reopen(host: str) -> None:
    """Full speed again, with a clean minute."""
    slot = int(time.time()) // SLICE
    minute = [_minute(host, slot - back) for back in range(SLICES)]
    queues.connection().delete(_halt(host), _probe(host), _probing(host), *minute)
    queues.connection().zrem("host:halted", host)
    logger.warning("host=%s is open again", host)


def probe_now(host: str) -> None:
    """Don't wait for the halt's or the pause's end: the next message probes the host. Raises RedisError."""
    redis = queues.connection()
    redis.delete(_pause(host), _probing(host))
    if redis.delete(_halt(host)):
        redis.set(_probe(host), 1, ex=86_400)


def open_again_in(host: str) -> float:
    """Seconds until a halt or a pause ends; 0 where there is none. Raises RedisError."""
    pipe = queues.connection().pipeline(transaction=False)
    pipe.pttl(_halt(host))
    pipe.pttl(_pause(host))
    return max(0.0, *(int(left) / 1000 for left in pipe.execute()))


def halted() -> list[str]:
    """Hosts that are halted or to be probed; empty without Redis."""
    try:
        names: list[Any] = queues.connection().zrange("host:halted", 0, -1)
    except RedisError:
        return []
    return sorted(name for name in map(bytes.decode, names) if not name.startswith(_CALLS))


# --- Connected Content: a host's answers to templates are counted apart from its answers to webhooks


def refuses_calls(host: str) -> bool:
    """Whether templates may not call this host just now. After a halt one call probes it."""
    name = _CALLS + host
    standing = standings([name])[name]
    return standing.is_closed or (standing.must_probe and not take_probe(name))


def note_call(host: str, status: int) -> None:
    """Count what a host answered to a template."""
    note([(_CALLS + host, Answer(status))])


# --- sparing a host that says so


def _spare(host: str, answer: Answer) -> None:
    pause = pause_asked(answer, time.time())
    if pause:
        queues.connection().set(_pause(host), 1, px=max(1, int(pause * 1000)))
    elif answer.status == 429 and answer.header("retry-after") is None:
        _halve(host)


def pause_asked(answer: Answer, now: float) -> float:
    """Seconds that all messages to the host are to wait: it says that nothing is left, and until when. Pure."""
    if _rate_header(answer, "remaining") != 0:
        return 0.0
    reset = _rate_header(answer, "reset")
    if reset is None:
        return 0.0
    if reset >= _EPOCH_MS:
        reset /= 1000
    return min(LONGEST_PAUSE, max(0.0, reset - now if reset >= _EPOCH else reset))


def _rate_header(answer: Answer, name: str) -> float | None:
    for spelling in (f"x-rate-limit-{name}", f"x-ratelimit-{name}", f"ratelimit-{name}"):
        value = (answer.header(spelling) or "").strip()
        if value.isascii() and value.isdigit():
            return float(value[:15])
    return None


def _halve(host: str) -> None:
    """Half the speed, at most once in ten seconds: the requests under way answered the same."""
    redis, now = queues.connection(), time.time()
    if not redis.set(f"host:halved:{host}", 1, nx=True, ex=10):
        return
    value: Any = redis.get(_slow(host))
    level = min(MOST_HALVINGS, _halvings(value, now) + 1)
    redis.set(_slow(host), f"{level}:{now}", ex=int(SLOW_FOR * (level + 1)))


def _halvings(value: bytes | None, now: float) -> int:
    """How often the speed is halved: one less for each minute without a 429. Pure."""
    if not value:
        return 0
    level, at = value.decode().split(":")
    return max(0, int(level) - int((now - float(at)) / SLOW_FOR))


def _halt(host: str) -> str:
    return f"host:halt:{host}"


def _probe(host: str) -> str:
    return f"host:probe:{host}"


def _probing(host: str) -> str:
    return f"host:probing:{host}"


def _pause(host: str) -> str:
    return f"host:pause:{host}"


def _slow(host: str) -> str:
    return f"host:slow:{host}"


def _minute(host: str, slot: int) -> str:
    return f"host:minute:{host}:{slot}"
