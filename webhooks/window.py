"""How much may be under way: in a worker, and to each host. What the pump may claim, and what it may start."""

from dataclasses import dataclass

from webhooks import health, hosts
from webhooks.pace import Pace
from webhooks.transport import Transport

AHEAD = 2
_UNLIMITED = 1_000_000


@dataclass(frozen=True)
class PumpSettings:
    """`window` and `host_window` count requests in flight; `lease` is in seconds.

    `AHEAD` times `window` may be claimed ahead, where hosts answer that fast (see `pace`).
    """

    window: int = 256
    host_window: int = 64
    lease: float = 110.0


class Window:
    """The room of one worker."""

    def __init__(self, transport: Transport, settings: PumpSettings) -> None:
        self._transport, self._settings = transport, settings
        self._standings = health.Standings()
        self.pace = Pace()

    def room(self, under_way: int) -> int:
        """How many more messages may be claimed in all, with so many under way."""
        return self._room(self._settings.window, self.pace.total(), under_way)

    def host_room(self, host: str, waiting: int) -> int:
        """How many more messages to a host may be claimed, where so many wait to start.

        Fewer while it is spared, one while it is probed.
        """
        standing, limits = self._standings.of(host), hosts.limits(host)
        window = standing.room(self._at_once(limits))
        pace = 0 if standing != health.HEALTHY or limits else self.pace.of(host)
        under_way = self._transport.in_flight_to[host] + waiting
        if limits and limits.per_second:
            return max(0, min(window, limits.per_second) - under_way)
        return self._room(window, pace, under_way) if window else 0

    def _at_once(self, limits: hosts.Limits | None) -> int:
        return min(self._settings.host_window, limits.at_once if limits and limits.at_once else _UNLIMITED)

    def _room(self, window: int, pace: int, under_way: int) -> int:
        """What fills the window, and ahead of it what is answered within a second.

        None while that is little: a claim costs as much for one as for many.
        """
        ahead = AHEAD * self._settings.window
        room = window + min(pace, ahead) - under_way
        return room if room >= min(ahead, max(window // 4, pace // 8)) else 0

    def places(self, host: str) -> int | None:
        """How many requests to a host may start now. None: each has to ask `may_start` and `is_open`."""
        if hosts.limits(host) or self._standings.of(host) != health.HEALTHY:
            return None
        return max(0, self._left(host, self._settings.host_window))

    def may_start(self, host: str) -> bool:
        """Whether one more request to a host has a place in flight."""
        limits = hosts.limits(host)
        most = max(1, self._at_once(limits) >> self._standings.of(host).halvings)
        if self._left(host, most) <= 0:
            return False
        return not (limits and limits.per_second) or hosts.take(host, limits.per_second)

    def _left(self, host: str, most: int) -> int:
        """Free places in flight, of the worker's and of `most` to the host."""
        return min(self._settings.window - self._transport.in_flight, most - self._transport.in_flight_to[host])

    def is_open(self, host: str) -> bool:
        """Whether requests go to a host: not while it is halted; then one message probes it, of one worker."""
        standing = self._standings.of(host)
        if standing.is_closed or not standing.must_probe:
            return not standing.is_closed
        is_ours = health.take_probe(host)
        self._standings.close(host)
        return is_ours

    def close(self, host: str) -> None:
        """The host was halted."""
        self._standings.close(host)
