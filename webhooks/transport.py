"""The only place that opens connections for webhooks: libcurl's multi interface behind one small class.

One process keeps hundreds of requests in flight on reused connections. Each address is checked by the egress guard in
libcurl's open-socket callback, at the moment it is connected to, so neither DNS rebinding nor odd spellings of an
address can pass. With an outbound proxy, `Targets` judges where a request leads before the proxy hears of it. An
exception inside a libcurl callback is swallowed, so callbacks only take notes.
"""

import select
import socket
import time
from collections import Counter
from collections.abc import Hashable
from contextlib import suppress
from dataclasses import dataclass, field

import certifi
import pycurl

from webhooks.egress import Guard
from webhooks.request import NO_ANSWER, Answer, Fault, Request
from webhooks.targets import Targets

_FAULTS = {
    pycurl.E_COULDNT_RESOLVE_HOST: Fault.NAME,
    pycurl.E_COULDNT_RESOLVE_PROXY: Fault.NAME,
    pycurl.E_COULDNT_CONNECT: Fault.CONNECT,
    pycurl.E_SSL_CONNECT_ERROR: Fault.TLS,
    pycurl.E_PEER_FAILED_VERIFICATION: Fault.TLS,
    pycurl.E_SSL_CERTPROBLEM: Fault.TLS,
    pycurl.E_SSL_CIPHER: Fault.TLS,
    pycurl.E_SSL_CACERT_BADFILE: Fault.TLS,
    pycurl.E_SSL_ISSUER_ERROR: Fault.TLS,
    pycurl.E_USE_SSL_FAILED: Fault.TLS,
    pycurl.E_OPERATION_TIMEDOUT: Fault.TIMEOUT,
    pycurl.E_GOT_NOTHING: Fault.RESET,
    pycurl.E_SEND_ERROR: Fault.RESET,
    pycurl.E_RECV_ERROR: Fault.RESET,
    pycurl.E_PARTIAL_FILE: Fault.RESET,
    pycurl.E_HTTP2: Fault.RESET,
    pycurl.E_UNSUPPORTED_PROTOCOL: Fault.NOT_HTTP,
    pycurl.E_URL_MALFORMAT: Fault.UNUSABLE,
}
_WEIRD_SERVER_REPLY = pycurl.E_FTP_WEIRD_SERVER_REPLY  # libcurl's code 8, also for HTTP
_HEADERS_KEPT = 64 * 1024
_LOOK_AT_TARGETS = 0.01  # seconds, where name servers are waited for


@dataclass(frozen=True)
class TransportSettings:
    """`timeout` and `connect_timeout` are in seconds; `timeout` is for the whole request. `body_kept` is in bytes."""

    guard: Guard = field(default_factory=Guard)
    timeout: float = 90.0
    connect_timeout: float = 10.0
    body_kept: int = 64 * 1024
    proxy: str = ""
    connections: int = 1024
    ca_file: str = ""  # certificates to trust, PEM; empty: the usual ones


class _Exchange:
    """One request under way and the notes its callbacks take."""

    __slots__ = (
        "body",
        "certificate",
        "curl",
        "guard",
        "header_bytes",
        "headers",
        "is_cut",
        "kept",
        "key",
        "opened",
        "refusal",
        "request",
    )

    def __init__(self, curl: pycurl.Curl, guard: Guard, kept: int) -> None:
        self.curl, self.guard, self.kept = curl, guard, kept
        self.certificate = ""

    def begin(self, key: Hashable, request: Request) -> None:
        self.key, self.request = key, request
        self.headers: list[bytes] = []
        self.body = bytearray()
        self.header_bytes = 0
        self.is_cut = False
        self.opened: list[socket.socket] = []
        self.refusal = ""

    def present(self, certificate: str) -> None:
        """Show the other side this client certificate, or none."""
        if certificate == self.certificate:
            return
        for option in (pycurl.SSLCERT_BLOB, pycurl.SSLKEY_BLOB):  # each skips the blocks that are not its own
            self.curl.setopt(option, certificate.encode() or None)
        self.certificate = certificate

    def on_header(self, line: bytes) -> int | None:
        self.header_bytes += len(line)
        if self.header_bytes > _HEADERS_KEPT:
            return -1
        self.headers.append(line)
        return None

    def on_body(self, chunk: bytes) -> int | None:
        room = self.kept - len(self.body)
        if len(chunk) > room:
            self.body += chunk[:room]
            self.is_cut = True
            return -1  # libcurl closes the connection: nothing more is read
        self.body += chunk
        return None

    def on_open_socket(self, purpose: int, address: tuple[int, int, int, tuple[str, int]]) -> "socket.socket | int":
        family, kind, protocol, where = address
        refusal = self.guard.refusal(where[0])
        if refusal:
            self.refusal = refusal
            return int(pycurl.SOCKET_BAD)
        made = socket.socket(family, kind, protocol)
        self.opened.append(made)  # pycurl takes a duplicate; ours is closed with the exchange
        return made

    def close_sockets(self) -> None:
        while self.opened:
            self.opened.pop().close()


class _Sockets:
    """The sockets libcurl waits for, on the kernel's own poller: `selectors` takes twice as long over each event."""

    _WANTED = {
        pycurl.POLL_IN: select.POLLIN,
        pycurl.POLL_OUT: select.POLLOUT,
        pycurl.POLL_INOUT: select.POLLIN | select.POLLOUT,
    }

    def __init__(self) -> None:
        has_epoll = hasattr(select, "epoll")  # Linux; its bits are those of poll, which counts milliseconds
        self._poller = select.epoll() if has_epoll else select.poll()
        self._unit = 1 if has_epoll else 1000
        self._watched: set[int] = set()

    def __len__(self) -> int:
        return len(self._watched)

    def watch(self, fd: int, event: int) -> None:
        """Do what libcurl asks for a socket: one of its `POLL_` constants."""
        wanted = self._WANTED.get(event)
        if wanted is None:
            self._forget(fd)
        elif fd in self._watched:
            self._poller.modify(fd, wanted)
        else:
            self._watched.add(fd)
            self._poller.register(fd, wanted)

    def wait(self, seconds: float) -> list[tuple[int, int]]:
        """What is ready, as libcurl's `CSELECT_` bits, after at most so long. A socket in trouble is both."""
        return [
            (fd, (events & ~select.POLLOUT and pycurl.CSELECT_IN) | (events & ~select.POLLIN and pycurl.CSELECT_OUT))
            for fd, events in self._poller.poll(seconds * self._unit)
        ]

    def close(self) -> None:
        if hasattr(self._poller, "close"):
            self._poller.close()

    def _forget(self, fd: int) -> None:
        if fd in self._watched:
            self._watched.discard(fd)
            with suppress(OSError, KeyError):  # closed by now, and so forgotten
                self._poller.unregister(fd)


class Transport:
    """Sends requests, many at once. Not thread-safe; keep one for the life of a process, for its connections."""

    def __init__(self, settings: TransportSettings) -> None:
        self.settings = settings
        self.in_flight_to: Counter[str] = Counter()
        self._multi = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_MAXCONNECTS, settings.connections)
        self._multi.setopt(pycurl.M_SOCKETFUNCTION, self._on_socket)
        self._multi.setopt(pycurl.M_TIMERFUNCTION, self._on_timer)
        self._sockets = _Sockets()
        self._timer_at: float | None = None
        self._idle: list[_Exchange] = []
        self._busy: dict[pycurl.Curl, _Exchange] = {}
        self._targets = Targets(settings.guard, settings.connect_timeout) if settings.proxy else None

    @property
    def in_flight(self) -> int:
        return len(self._busy) + (len(self._targets) if self._targets else 0)

    def start(self, key: Hashable, request: Request, timeout: float | None = None) -> None:
        """Begin a request; its answer comes out of `poll` under `key`. `timeout` in seconds, in all."""
        self.in_flight_to[request.host] += 1
        timeout = timeout or self.settings.timeout
        if self._targets is None:
            self._begin(key, request, timeout)
        else:
            self._targets.ask(key, request, timeout)

    def _begin(self, key: Hashable, request: Request, timeout: float) -> None:
        exchange = self._idle.pop() if self._idle else self._new_exchange()
        exchange.begin(key, request)
        _prepare(exchange.curl, request, timeout)
        exchange.present(request.certificate)
        self._busy[exchange.curl] = exchange
        self._multi.add_handle(exchange.curl)

    def poll(self, wait: float) -> list[tuple[Hashable, Answer]]:
        """Move everything on, waiting at most `wait` seconds for something to happen; return what is finished."""
        refused = self._judged()
        now = time.monotonic()
        if refused or self._targets:
            wait = 0.0 if refused else min(wait, _LOOK_AT_TARGETS)
        if self._timer_at is not None:
            wait = min(wait, max(0.0, self._timer_at - now))
        if self._sockets:
            for fd, mask in self._sockets.wait(wait):
                self._multi.socket_action(fd, mask)
        else:
            time.sleep(min(wait, 0.05) if self.in_flight else 0)
        if self._timer_at is not None and time.monotonic() >= self._timer_at:
            self._timer_at = None
            self._multi.socket_action(pycurl.SOCKET_TIMEOUT, 0)
        return [*refused, *self._finished()]

    def send_one(self, request: Request, timeout: float) -> Answer:
        """One request, waited for: what a test send does, over the same code as every send."""
        self.start(None, request, timeout)
        while True:
            if done := self.poll(1.0):
                return done[0][1]

    def close(self) -> None:
        """Drop what is in flight and close every connection."""
        for curl, exchange in list(self._busy.items()):
            self._multi.remove_handle(curl)
            exchange.close_sockets()
            self._idle.append(exchange)
        self._busy.clear()
        if self._targets is not None:
            self._targets.close()
        self.in_flight_to.clear()
        for exchange in self._idle:
            exchange.curl.close()
        self._idle.clear()
        self._multi.close()
        self._sockets.close()

    def _new_exchange(self) -> _Exchange:
        curl = pycurl.Curl()
        exchange = _Exchange(curl, self.settings.guard, self.settings.body_kept)
        for option, value in _FIXED:
            curl.setopt(option, value)
        curl.setopt(pycurl.CAINFO, self.settings.ca_file or certifi.where())
        curl.setopt(pycurl.PROXY, self.settings.proxy)
        curl.setopt(pycurl.NOPROXY, "")  # not even for hosts that the environment names: nothing would guard those
        curl.setopt(pycurl.CONNECTTIMEOUT_MS, int(self.settings.connect_timeout * 1000))
        curl.setopt(pycurl.HEADERFUNCTION, exchange.on_header)
        curl.setopt(pycurl.WRITEFUNCTION, exchange.on_body)
        if not self.settings.proxy:  # with a proxy the only address connected to is the operator's own
            curl.setopt(pycurl.OPENSOCKETFUNCTION, exchange.on_open_socket)
        return exchange

    def _judged(self) -> list[tuple[Hashable, Answer]]:
        """Begin the requests whose target the guard lets pass; the answers of the others."""
        refused: list[tuple[Hashable, Answer]] = []
        for asked, verdict in self._targets.decided() if self._targets else ():
            if verdict is None:
                self._begin(asked.key, asked.request, max(0.001, asked.timeout - asked.waited))
            else:
                self._forget(asked.request.host)
                refused.append((asked.key, asked.refused(*verdict)))
        return refused

    def _on_socket(self, event: int, fd: int, multi: object, data: object) -> None:
        self._sockets.watch(fd, event)

    def _on_timer(self, milliseconds: int) -> None:
        self._timer_at = None if milliseconds < 0 else time.monotonic() + milliseconds / 1000

    def _finished(self) -> list[tuple[Hashable, Answer]]:
        done: list[tuple[Hashable, Answer]] = []
        while True:
            left, good, bad = self._multi.info_read()
            for curl in good:
                done.append(self._end(curl, 0, ""))
            for curl, code, text in bad:
                done.append(self._end(curl, code, text))
            if not left:
                return done

    def _end(self, curl: pycurl.Curl, code: int, text: str) -> tuple[Hashable, Answer]:
        self._multi.remove_handle(curl)
        exchange = self._busy.pop(curl)
        self._forget(exchange.request.host)
        answer = _answer(exchange, code, text)
        exchange.close_sockets()
        self._idle.append(exchange)
        return exchange.key, answer

    def _forget(self, host: str) -> None:
        self.in_flight_to[host] -= 1
        if not self.in_flight_to[host]:
            del self.in_flight_to[host]


_FIXED = (
    (pycurl.FOLLOWLOCATION, 0),
    (pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS),
    (pycurl.NETRC, pycurl.NETRC_IGNORED),
    (pycurl.NOSIGNAL, 1),
    (pycurl.SSLVERSION, pycurl.SSLVERSION_TLSv1_2),
    (pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_2TLS),
    (pycurl.HTTP09_ALLOWED, 0),
    (pycurl.ACCEPT_ENCODING, ""),  # every encoding this libcurl can undo
    (pycurl.TCP_NODELAY, 1),
    (pycurl.TCP_KEEPALIVE, 1),
)


def _prepare(curl: pycurl.Curl, request: Request, timeout: float) -> None:
    curl.setopt(pycurl.URL, request.url)
    curl.setopt(pycurl.TIMEOUT_MS, max(1, int(timeout * 1000)))
    lines = [f"{name}: {value}".encode() for name, value in request.headers]
    lines.append(b"Expect:")  # what libcurl would add by itself, switched off; and below
    if request.body is None:
        curl.setopt(pycurl.HTTPGET, 1)
    else:
        curl.setopt(pycurl.POST, 1)
        curl.setopt(pycurl.POSTFIELDS, request.body)  # with its length: pycurl sets it
        if not any(name.lower() == "content-type" for name, _ in request.headers):
            lines.append(b"Content-Type:")
    curl.setopt(pycurl.CUSTOMREQUEST, request.method)
    curl.setopt(pycurl.HTTPHEADER, lines)


def _answer(exchange: _Exchange, code: int, text: str) -> Answer:
    curl = exchange.curl
    status = int(curl.getinfo(pycurl.RESPONSE_CODE))
    seconds = float(curl.getinfo(pycurl.TOTAL_TIME))
    was_written = int(curl.getinfo(pycurl.REQUEST_SIZE)) > 0
    headers = _last_headers(exchange.headers) if status else ()  # before any status there are only a proxy's
    fault = _fault(exchange, code, was_written, has_status=bool(status)) if code else None
    if fault is None and not 200 <= status <= 599:  # a final 1xx, or a code outside HTTP
        fault, text = Fault.NOT_HTTP, f"{status} is not a usable answer"
    if fault is None:
        return Answer(status, headers, bytes(exchange.body), exchange.is_cut, seconds)
    words = exchange.refusal if fault is Fault.GUARD else text or fault.value
    return Answer(
        NO_ANSWER, headers, bytes(exchange.body), exchange.is_cut, seconds, fault, words, was_written=was_written
    )


_BODY_WENT_WRONG = (pycurl.E_BAD_CONTENT_ENCODING, pycurl.E_PARTIAL_FILE, pycurl.E_RECV_ERROR)


def _fault(exchange: _Exchange, code: int, was_written: bool, *, has_status: bool) -> Fault | None:
    """The fault behind a libcurl error; None where the headers are complete and only the body went wrong."""
    has_headers = has_status and bool(exchange.headers) and exchange.headers[-1].strip() == b""
    if code == pycurl.E_WRITE_ERROR and exchange.is_cut:
        return None
    if code in _BODY_WENT_WRONG and has_headers:
        return None
    if code == pycurl.E_COULDNT_CONNECT and exchange.refusal and not exchange.opened:
        return Fault.GUARD
    if code in (_WEIRD_SERVER_REPLY, pycurl.E_WRITE_ERROR):
        return Fault.NOT_HTTP
    if code == pycurl.E_OPERATION_TIMEDOUT and not was_written:
        return Fault.CONNECT_TIMEOUT
    return _FAULTS.get(code, Fault.RESET)


def _last_headers(lines: list[bytes]) -> tuple[tuple[str, str], ...]:
    """The headers of the final answer; interim ones (1xx) come first and are dropped."""
    headers: list[tuple[str, str]] = []
    for line in lines:
        if line.startswith(b"HTTP/"):
            headers.clear()
            continue
        name, colon, value = line.partition(b":")
        if colon:
            headers.append((name.decode("latin-1").strip(), value.decode("latin-1").strip()))
    return tuple(headers)
