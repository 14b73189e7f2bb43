"""Judges the targets of requests that an outbound proxy makes: no address of a name may be one the guard refuses.

Without a proxy each address is checked as it is connected to. A proxy connects by itself, so the name is resolved here
first, on threads, because name servers may be slow. What the proxy then makes of the name is its own affair.
"""

import socket
import time
from collections.abc import Callable, Hashable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from webhooks.egress import Guard
from webhooks.request import NO_ANSWER, Answer, Fault, Request

THREADS = 16
REMEMBERED = 30.0  # seconds
_MOST_REMEMBERED = 4096
Verdict = tuple[Fault, str] | None
"""Why there is no request, or None where it may be made."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request whose target is being judged. `asked_at` is on the monotonic clock, `timeout` in seconds, in all."""

    key: Hashable
    request: Request
    timeout: float
    asked_at: float

    @property
    def waited(self) -> float:
        return time.monotonic() - self.asked_at

    def refused(self, fault: Fault, text: str) -> Answer:
        return Answer(NO_ANSWER, seconds=self.waited, fault=fault, text=text, was_written=False)


def resolve(host: str) -> Iterable[str]:
    """The addresses of a host. Raises OSError where there are none, UnicodeError for what cannot be a name."""
    return dict.fromkeys(str(found[4][0]) for found in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM))


class Targets:
    """One for a transport; called from one thread. `longest` is how many seconds a name may take."""

    def __init__(self, guard: Guard, longest: float, resolve: Callable[[str], Iterable[str]] = resolve) -> None:
        self._guard, self._longest, self._resolve = guard, longest, resolve
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="target")
        self._known: dict[str, tuple[float, Future[Verdict]]] = {}
        self._waiting: list[tuple[Asked, Future[Verdict]]] = []

    def __len__(self) -> int:
        return len(self._waiting)

    def ask(self, key: Hashable, request: Request, timeout: float) -> None:
        """Have this request's target judged; it comes out of `decided`."""
        self._waiting.append((Asked(key, request, timeout, time.monotonic()), self._verdict(request.host)))

    def decided(self) -> list[tuple[Asked, Verdict]]:
        """Those whose target is judged by now, or took too long."""
        done: list[tuple[Asked, Verdict]] = []
        left: list[tuple[Asked, Future[Verdict]]] = []
        for asked, verdict in self._waiting:
            if verdict.done():
                done.append((asked, verdict.result()))
            elif asked.waited > min(self._longest, asked.timeout):
                done.append((asked, (Fault.NAME, f"no name server has answered for {asked.request.host} in time")))
            else:
                left.append((asked, verdict))
        self._waiting = left
        return done

    def close(self) -> None:
        self._waiting.clear()
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _verdict(self, host: str) -> "Future[Verdict]":
        at, verdict = self._known.get(host, (0.0, None))
        if verdict is None or (verdict.done() and time.monotonic() - at > REMEMBERED):
            if len(self._known) >= _MOST_REMEMBERED:
                self._known.clear()
            verdict = self._threads.submit(self._judge, host)
            self._known[host] = (time.monotonic(), verdict)
        return verdict

    def _judge(self, host: str) -> Verdict:
        try:
            refusals = [self._guard.refusal(address) for address in self._resolve(host)]
        except OSError as error:
            return Fault.NAME, f"Could not resolve host: {host} ({error.strerror})"
        except UnicodeError:
            return Fault.UNUSABLE, f"{host} cannot be a host name"
        return next(((Fault.GUARD, refusal) for refusal in refusals if refusal), None)
