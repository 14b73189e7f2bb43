"""Connections for `requests` that go only to addresses that were checked, and that end on time.

The name is resolved once and every address checked before any is connected to, so a second answer of the name server
cannot lead elsewhere. A server that sends a byte now and then never runs into a time-out of the socket; a timer ends
it. Connections are not kept: each call is on its own, without cookies, proxies or credentials from the environment.
Where the deployment names an outbound proxy, calls go through it, and their addresses are checked before.
"""

import socket
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextvars import ContextVar
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

Refusal = Callable[[str], str | None]
Place = tuple[Any, ...]
"""A socket address: (ip, port), or (ip, port, flow, scope)."""
Resolve = Callable[[str, int], Iterable[Place]]


class Refused(Exception):
    """The host has an address that must not be connected to; the message says which and why."""


class Late(Exception):
    """The time for the whole call ran out."""


def resolve(host: str, port: int) -> list[Place]:
    """The addresses of a host. Raises OSError where there are none, UnicodeError for what cannot be a name."""
    return list(dict.fromkeys(found[4] for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)))


class Dial:
    """Opens the connection of one call, and cuts it when its time is over."""

    def __init__(self, refusal: Refusal, resolve: Resolve, seconds: float) -> None:
        self.refusal = refusal
        self.resolve = resolve
        self.deadline = time.monotonic() + seconds
        self._socket: socket.socket | None = None
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True

    def __enter__(self) -> "Dial":
        self._timer.start()
        self._token = _DIAL.set(self)
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        _DIAL.reset(self._token)

    def left(self) -> float:
        """Seconds. Raises Late where there are none, so what was read by then may be cut."""
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise Late
        return left

    def _cut(self) -> None:
        if self._socket:
            try:
                self._socket.shutdown(socket.SHUT_RDWR)
            except OSError:
                return  # it is closed already

    def connect(self, host: str, port: int) -> socket.socket:
        """A connection to the first address that answers. Raises Refused, Late, or OSError where none does."""
        return self._first(self.checked(host, port))

    def connect_unchecked(self, host: str, port: int) -> socket.socket:
        """The same for the deployment's own proxy, wherever it is."""
        return self._first(self._places(host, port))

    def _first(self, places: Sequence[Place]) -> socket.socket:
        for place in places[:-1]:
            try:
                return self._open(place)
            except OSError:
                continue
        return self._open(places[-1])

    def checked(self, host: str, port: int) -> Sequence[Place]:
        """The addresses of a host, none of which is refused. Raises Refused, Late, or OSError where there are none."""
        places = self._places(host, port)
        for place in places:
            if reason := self.refusal(place[0]):
                raise Refused(f"{host} has a blocked address: {reason}")
        return places

    def _places(self, host: str, port: int) -> Sequence[Place]:
        places = list(_within(self.left(), lambda: self.resolve(host, port)))
        if not places:
            raise OSError(f"{host} has no address")
        return places

    def _open(self, place: Place) -> socket.socket:
        made = socket.socket(socket.AF_INET6 if ":" in place[0] else socket.AF_INET, socket.SOCK_STREAM)
        try:
            made.settimeout(self.left())
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            made.connect(place)
        except BaseException:
            made.close()
            raise
        self._socket = made
        return made


def _within(seconds: float, work: Callable[[], Iterable[Place]]) -> Iterable[Place]:
    """The result of work that knows no time-out (name resolution). Raises Late; the work is then left to itself."""
    outcome: list[Iterable[Place] | OSError | UnicodeError] = []

    def run() -> None:
        try:
            outcome.append(work())
        except (OSError, UnicodeError) as error:
            outcome.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if not outcome:
        raise Late
    if isinstance(outcome[0], Exception):
        raise outcome[0]
    return outcome[0]


_DIAL: ContextVar[Dial] = ContextVar("dial")


class _Connection(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        # the one place where urllib3 opens a socket; TLS and the Host header still use the name
        return _DIAL.get().connect(self.host, self.port or 80)


class _TlsConnection(HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        return _DIAL.get().connect(self.host, self.port or 443)


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


class _ByProxy(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        return _DIAL.get().connect_unchecked(self.host, self.port or 80)  # urllib3 puts the proxy's place here


class _TlsByProxy(HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        return _DIAL.get().connect_unchecked(self.host, self.port or 443)


class _PoolByProxy(HTTPConnectionPool):
    ConnectionCls = _ByProxy


class _TlsPoolByProxy(HTTPSConnectionPool):
    ConnectionCls = _TlsByProxy


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        made = super().proxy_manager_for(proxy, **kwargs)
        made.pool_classes_by_scheme = {"http": _PoolByProxy, "https": _TlsPoolByProxy}
        return made


def session(ca_file: str | None = None, proxy: str = "") -> requests.Session:
    """A session whose requests work only inside `with Dial(...)`. Nothing is tried twice.

    Through a proxy nothing is checked by itself: call `Dial.checked` with the target first.
    """
    made = requests.Session()
    made.trust_env = False
    made.proxies = {"http": proxy, "https": proxy} if proxy else {}
    made.headers.clear()
    made.verify = ca_file or True
    made.mount("http://", _Adapter(max_retries=0))
    made.mount("https://", _Adapter(max_retries=0))
    return made
