"""What goes out and what comes back, as plain values. No Django, no network.

There are several of each message, so they are named tuples: frozen dataclasses take three times as long to make.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple

NO_ANSWER = 599  # no connection, or no complete answer in time
HOST_HALTED = 598  # no request made: the host is halted


class Request(NamedTuple):
    """One HTTP request, ready to go. `url` is ASCII; `headers` hold no line breaks; `host` is lower case, no port."""

    method: str
    url: str
    host: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None
    certificate: str = ""  # PEM blocks of a client certificate and its key

    def with_headers(self, added: Iterable[tuple[str, str]]) -> "Request":
        """The same request with more headers."""
        return self._replace(headers=(*self.headers, *added))


class Fault(Enum):
    """Why there is no usable answer. `value` is the word in logs and statistics."""

    NAME = "name_not_found"
    CONNECT = "no_connection"
    CONNECT_TIMEOUT = "connect_timeout"
    TLS = "tls"
    TIMEOUT = "timeout"
    RESET = "reset"
    NOT_HTTP = "not_http"
    GUARD = "guard_refused"
    CONDITION = "success_condition"
    UNUSABLE = "unusable_request"


# Faults after which the server may have acted: the request was written, at least in part.
_BEFORE_THE_REQUEST = {Fault.NAME, Fault.CONNECT, Fault.CONNECT_TIMEOUT, Fault.TLS}


class Answer(NamedTuple):
    """What one attempt brought. `status` is 599 when there is a fault; `body` is at most 64 KiB; `seconds` it took.

    `text` says a fault in words; `was_written` is true once any byte of the request went out.
    """

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    is_cut: bool = False
    seconds: float = 0.0
    fault: Fault | None = None
    text: str = ""
    was_written: bool = True
    may_retry: bool | None = None  # None: the status and the fault decide

    @property
    def is_received(self) -> bool:
        """Whether the profile counts as a recipient: any 2xx (webhooks specification, section 7.1)."""
        return self.fault is None and 200 <= self.status <= 299

    @property
    def is_retryable(self) -> bool:
        """408, 429, 5xx and 599 are tried again; what the guard refused or cannot be sent can't get better."""
        if self.may_retry is not None:
            return self.may_retry
        if self.fault in (Fault.GUARD, Fault.UNUSABLE, Fault.NOT_HTTP):
            return False
        return self.status in (408, 429) or 500 <= self.status <= 599

    @property
    def is_unreachable(self) -> bool:
        """No connection was made at all, so nothing can have happened at the other side."""
        return self.fault in _BEFORE_THE_REQUEST and not self.was_written

    def header(self, name: str) -> str | None:
        """The last value of a header, or None. Names compare without case."""
        wanted = name.lower()
        return next((value for key, value in reversed(self.headers) if key.lower() == wanted), None)


@dataclass(frozen=True, slots=True)
class Refusal:
    """A message that ends before a request is made: by the author's abort, or because it can't be rendered or sent."""

    outcome: str  # a webhooks.models.Outcome value
    reason: str  # a short name, for counts
    text: str  # a sentence, for the log
    kind: str = ""  # a webhooks.models.LogKind value
    details: dict[str, object] = field(default_factory=dict)
