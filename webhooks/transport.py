"""The only place that opens connections for webhooks: libcurl's multi interface behind one small class.

One process keeps hundreds of requests in flight on reused connections. Each address is checked by the egress guard in
libcurl's open-socket callback, at the moment it is connected to, so neither DNS rebinding nor odd spellings of an
address can pass. An exception inside a libcurl callback is swallowed, so callbacks only take notes.
"""

import selectors
import socket
import time
from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass, field

import certifi
import pycurl

from webhooks.egress import Guard
from webhooks.request import NO_ANSWER, Answer, Fault, Request

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
_EVENTS = {
    pycurl.POLL_IN: selectors.EVENT_READ,
    pycurl.POLL_OUT: selectors.EVENT_WRITE,
    pycurl.POLL_INOUT: selectors.EVENT_READ | selectors.EVENT_WRITE,
}


@dataclass(frozen=True)
class TransportSettings:
    """`timeout` and `connect_timeout` are in seconds; `timeout` is for the whole request. `body_kept` is in bytes."""

    guard: Guard = field(default_factory=Guard)
    timeout: float = 90.0
    connect_timeout: float = 10.0
    body_kept: int = 64 * 1024
    proxy: str = ""
    connections: int = 1024


class _Exchange:
    """One request under way and the notes its callbacks take."""

    __slots__ = (
        "body",
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

    def begin(self, key: Hashable, request: Request) -> None:
        self.key, self.request = key, request
        self.headers: list[bytes] = []
        self.body = bytearray()
        self.header_bytes = 0
        self.is_cut = False
        self.opened: list[socket.socket] = []
        self.refusal = ""

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


class Transport:
    """Sends requests, many at once. Not thread-safe; keep one for the life of a process, for its connections."""

    def __init__(self, settings: TransportSettings) -> None:
        self.settings = settings
        self.in_flight_to: Counter[str] = Counter()
        self._multi = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_MAXCONNECTS, settings.connections)
        self._multi.setopt(pycurl.M_SOCKETFUNCTION, self._on_socket)
        self._multi.setopt(pycurl.M_TIMERFUNCTION, self._on_timer)
        self._selector = selectors.DefaultSelector()
        self._timer_at: float | None = None
        self._idle: list[_Exchange] = []
        self._busy: dict[pycurl.Curl, _Exchange] = {}

    @property
    def in_flight(self) -> int:
        return len(self._busy)

    def start(self, key: Hashable, request: Request, timeout: float | None = None) -> None:
        """Begin a request; its answer comes out of `poll` under `key`. `timeout` in seconds, in all."""
        exchange = self._idle.pop() if self._idle else self._new_exchange()
        exchange.begin(key, request)
        _prepare(exchange.curl, request, timeout or self.settings.timeout)
        self._busy[exchange.curl] = exchange
        self.in_flight_to[request.host] += 1
        self._multi.add_handle(exchange.curl)

    def poll(self, wait: float) -> list[tuple[Hashable, Answer]]:
        """Move everything on, waiting at most `wait` seconds for something to happen; return what is finished."""
        now = time.monotonic()
        if self._timer_at is not None:
            wait = min(wait, max(0.0, self._timer_at - now))
        if not self._selector.get_map():
            time.sleep(min(wait, 0.05) if self._busy else 0)
            ready = []
        else:
            ready = self._selector.select(wait)
        for key, events in ready:
            mask = (pycurl.CSELECT_IN if events & selectors.EVENT_READ else 0) | (
                pycurl.CSELECT_OUT if events & selectors.EVENT_WRITE else 0
            )
            self._multi.socket_action(key.fd, mask)
        if self._timer_at is not None and time.monotonic() >= self._timer_at:
            self._timer_at = None
            self._multi.socket_action(pycurl.SOCKET_TIMEOUT, 0)
        return self._finished()

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
        self.in_flight_to.clear()
        for exchange in self._idle:
            exchange.curl.close()
        self._idle.clear()
        self._multi.close()
        self._selector.close()

    def _new_exchange(self) -> _Exchange:
        curl = pycurl.Curl()
        exchange = _Exchange(curl, self.settings.guard, self.settings.body_kept)
        for option, value in _FIXED:
            curl.setopt(option, value)
        curl.setopt(pycurl.PROXY, self.settings.proxy)
        curl.setopt(pycurl.CONNECTTIMEOUT_MS, int(self.settings.connect_timeout * 1000))
        curl.setopt(pycurl.HEADERFUNCTION, exchange.on_header)
        curl.setopt(pycurl.WRITEFUNCTION, exchange.on_body)
        if not self.settings.proxy:  # with a proxy the only address connected to is the operator's own
            curl.setopt(pycurl.OPENSOCKETFUNCTION, exchange.on_open_socket)
        return exchange

    def _on_socket(self, event: int, fd: int, multi: object, data: object) -> None:
        if event == pycurl.POLL_REMOVE:
            if fd in self._selector.get_map():
                self._selector.unregister(fd)
        elif fd in self._selector.get_map():
            self._selector.modify(fd, _EVENTS[event])
        else:
            self._selector.register(fd, _EVENTS[event])

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
        host = exchange.request.host
        self.in_flight_to[host] -= 1
        if not self.in_flight_to[host]:
            del self.in_flight_to[host]
        answer = _answer(exchange, code, text)
        exchange.close_sockets()
        self._idle.append(exchange)
        return exchange.key, answer


_FIXED = (
    (pycurl.FOLLOWLOCATION, 0),
    (pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS),
    (pycurl.NETRC, pycurl.NETRC_IGNORED),
    (pycurl.NOSIGNAL, 1),
    (pycurl.CAINFO, certifi.where()),
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
    if request.body is None:
        curl.setopt(pycurl.HTTPGET, 1)
    else:
        curl.setopt(pycurl.POST, 1)
        curl.setopt(pycurl.POSTFIELDSIZE_LARGE, len(request.body))
        curl.setopt(pycurl.POSTFIELDS, request.body)
    curl.setopt(pycurl.CUSTOMREQUEST, request.method)
    lines = [f"{name}: {value}".encode() for name, value in request.headers]
    curl.setopt(pycurl.HTTPHEADER, [*lines, *_quiet(request)])


def _quiet(request: Request) -> list[bytes]:
    """Header names that libcurl would add by itself, switched off."""
    names = {name.lower() for name, _ in request.headers}
    quiet = [b"Expect:"]
    if request.body is not None and "content-type" not in names:
        quiet.append(b"Content-Type:")
    return quiet


def _answer(exchange: _Exchange, code: int, text: str) -> Answer:
    curl = exchange.curl
    status = int(curl.getinfo(pycurl.RESPONSE_CODE))
    seconds = float(curl.getinfo(pycurl.TOTAL_TIME))
    was_written = int(curl.getinfo(pycurl.REQUEST_SIZE)) > 0
    headers = _last_headers(exchange.headers)
    fault = _fault(exchange, code, was_written) if code else None
    if fault is None and not 200 <= status <= 599:  # a final 1xx, or a code outside HTTP
        fault, text = Fault.NOT_HTTP, f"{status} is not a usable answer"
    if fault is None:
        return Answer(status, headers, bytes(exchange.body), exchange.is_cut, seconds)
    words = exchange.refusal if fault is Fault.GUARD else text or fault.value
    return Answer(
        NO_ANSWER, headers, bytes(exchange.body), exchange.is_cut, seconds, fault, words, was_written=was_written
    )


_BODY_WENT_WRONG = (pycurl.E_BAD_CONTENT_ENCODING, pycurl.E_PARTIAL_FILE, pycurl.E_RECV_ERROR)


def _fault(exchange: _Exchange, code: int, was_written: bool) -> Fault | None:
    """The fault behind a libcurl error; None where the headers are complete and only the body went wrong."""
    has_headers = bool(exchange.headers) and exchange.headers[-1].strip() == b""
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
