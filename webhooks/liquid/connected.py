"""Makes Connected Content calls: guarded, bounded, cached. The only module of the dialect that opens connections.

Rules: the requirement on webhooks, section 15. An answer that is not good never stops a message by itself; only a
credential that is gone does.
"""

import base64
import hashlib
import json
import time
from collections.abc import Callable, Collection
from dataclasses import asdict, dataclass
from typing import Protocol
from urllib.parse import urlsplit

import requests

from .dialing import Dial, Late, Refusal, Refused, Resolve, resolve, session
from .errors import Aborted
from .limits import MEBIBYTE
from .oauth import token_seconds
from .services import HALTED, NO_ANSWER, NOT_MADE, ConnectedContentAnswer, ConnectedContentCall

SECONDS = 2.0
LARGEST_ANSWER = MEBIBYTE
USUAL_CACHE_SECONDS = 300
USUAL_PORTS = {"http": 80, "https": 443}
_CHUNK = 64 * 1024


class Cache(Protocol):
    """What answers are kept in. It may forget at any time, and must not raise."""

    def get(self, key: str) -> bytes | None: ...

    def set(self, key: str, value: bytes, ttl: int) -> None: ...

    def delete(self, key: str) -> None: ...


@dataclass(frozen=True, slots=True)
class StoredCredential:
    """A user and password, or header pairs, kept for calls. `domain` is where they may go, None is anywhere."""

    domain: str | None = None
    user: str = ""
    password: str = ""
    headers: tuple[tuple[str, str], ...] = ()

    def allows(self, host: str) -> bool:
        """Whether the host is the domain or below it."""
        domain = (self.domain or host).lower().strip(".")
        return host == domain or host.endswith("." + domain)

    def pairs(self, *, is_basic: bool) -> tuple[tuple[str, str], ...]:
        if not is_basic:
            return self.headers
        secret = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        return (("Authorization", f"Basic {secret}"),)


@dataclass(frozen=True, slots=True)
class ConnectedContent:
    """Answers calls; hand it in as `Services.connected_content`.

    `refusal(address)` says why an IP address may not be connected to, or None. `credential(name)` gives stored values.
    `workspace` keeps the caches of several apart. `more_ports` may be used besides 80 for http and 443 for https.
    `is_halted(host)` stops calls to a host that keeps failing; `note(host, status)` hears of every answer. `proxy` is
    the URL of an outbound HTTP proxy; a target's addresses are checked before it is asked.
    """

    refusal: Refusal
    user_agent: str
    workspace: str = ""
    cache: Cache | None = None
    credential: Callable[[str], StoredCredential | None] | None = None
    more_ports: Collection[int] = ()
    is_halted: Callable[[str], bool] | None = None
    note: Callable[[str, int], None] | None = None
    resolve: Resolve = resolve
    ca_file: str | None = None
    proxy: str = ""

    def __call__(self, call: ConnectedContentCall) -> ConnectedContentAnswer:
        """The answer, from the cache or the server. Raises Aborted where the call's credential does not exist."""
        stored = self._stored(call)
        key = None if call.is_uncached else cache_key(self.workspace, call)
        if key and self.cache and (kept := self.cache.get(key)):
            return ConnectedContentAnswer(**json.loads(kept), is_cached=True)
        started = time.monotonic()
        answer = self._fetched(call, stored)
        ttl = token_seconds(answer.text) if call.is_for_token else cache_seconds(call)
        if key and self.cache and answer.is_good and ttl:
            self.cache.set(key, json.dumps({"status": answer.status, "text": answer.text}).encode(), ttl)
        return ConnectedContentAnswer(
            answer.status, answer.text, answer.failure, seconds=round(time.monotonic() - started, 3)
        )

    def forget(self, call: ConnectedContentCall) -> None:
        """Drop the answer to this call from the cache: the next one is made anew."""
        if self.cache:
            self.cache.delete(cache_key(self.workspace, call))

    def _stored(self, call: ConnectedContentCall) -> StoredCredential | None:
        if call.credential is None:
            return None
        stored = self.credential(call.credential) if self.credential else None
        if stored is None:
            raise Aborted(f"there is no credential '{call.credential}' for Connected Content")
        return stored

    def _fetched(self, call: ConnectedContentCall, stored: StoredCredential | None) -> ConnectedContentAnswer:
        try:
            host = checked_host(call.url, self.more_ports)
        except ValueError as error:
            return ConnectedContentAnswer(NOT_MADE, failure=str(error))
        if stored and not stored.allows(host):
            return ConnectedContentAnswer(NOT_MADE, failure=f"the credential '{call.credential}' may not go to {host}")
        if self.is_halted and self.is_halted(host):
            return ConnectedContentAnswer(HALTED, failure=f"calls to {host} are halted")
        answer = self._sent(call, stored)
        if self.note and answer.status != NOT_MADE:
            self.note(host, answer.status)
        return answer

    def _sent(self, call: ConnectedContentCall, stored: StoredCredential | None) -> ConnectedContentAnswer:
        try:
            with session(self.ca_file, self.proxy) as http, Dial(self.refusal, self.resolve, SECONDS) as dial:
                try:
                    if self.proxy:
                        dial.checked(checked_host(call.url, self.more_ports), 0)
                    return self._exchanged(http, dial, call, stored)
                except (requests.RequestException, OSError) as error:
                    dial.left()  # raises Late where the time is what ended it
                    return ConnectedContentAnswer(NO_ANSWER, failure=f"no answer: {type(error).__name__}")
        except Refused as refused:
            return ConnectedContentAnswer(NOT_MADE, failure=str(refused))
        except Late:
            return ConnectedContentAnswer(NO_ANSWER, failure=f"no answer within {SECONDS:g} s")
        except UnicodeError:
            return ConnectedContentAnswer(NOT_MADE, failure="this host name is not valid")

    def _exchanged(
        self, http: requests.Session, dial: Dial, call: ConnectedContentCall, stored: StoredCredential | None
    ) -> ConnectedContentAnswer:
        with http.request(
            call.method,
            call.url,
            headers=self._headers(call, stored),
            data=None if call.body is None else call.body.encode(),
            timeout=dial.left(),
            allow_redirects=False,
            stream=True,
        ) as response:
            if response.is_redirect:
                return ConnectedContentAnswer(response.status_code, failure="redirects are not followed")
            body = _read(response, dial)
        if len(body) > LARGEST_ANSWER:
            return ConnectedContentAnswer(response.status_code, failure="the answer is larger than 1 MB")
        return ConnectedContentAnswer(response.status_code, text=_decoded(body, response))

    def _headers(self, call: ConnectedContentCall, stored: StoredCredential | None) -> dict[str, str | bytes]:
        given: dict[str, str | bytes] = {
            "User-Agent": self.user_agent,
            "Accept-Encoding": "identity",
            "Accept": call.accept,
            "Content-Type": call.content_type,
        }
        for name, value in (*call.headers, *(stored.pairs(is_basic=call.is_basic) if stored else ())):
            given = {known: kept for known, kept in given.items() if known.lower() != name.lower()}
            given[name] = value.encode()  # as UTF-8: http.client would refuse what is not latin-1
        return given


def _read(response: requests.Response, dial: Dial) -> bytes:
    """The body, up to one chunk past the largest answer. Raises Late: an answer cut in its head looks whole."""
    body = bytearray()
    for chunk in response.iter_content(_CHUNK):
        body += chunk
        if len(body) > LARGEST_ANSWER:
            break
    dial.left()
    return bytes(body)


def _decoded(body: bytes, response: requests.Response) -> str:
    """UTF-8, unless the answer names another encoding that exists."""
    said = requests.utils.get_encoding_from_headers(response.headers)
    names_it = "charset" in response.headers.get("content-type", "").lower()
    try:
        return body.decode(said if names_it and said else "utf-8-sig", "replace")
    except LookupError:
        return body.decode("utf-8", "replace")


def checked_host(url: str, more_ports: Collection[int] = ()) -> str:
    """The host of a URL that may be called, in lower case. Raises ValueError, with a sentence, for any other URL."""
    parts = urlsplit(url)
    if parts.scheme not in USUAL_PORTS:
        raise ValueError("Connected Content needs a URL that starts with http:// or https://")
    if not parts.hostname:
        raise ValueError("this URL has no host")
    if "@" in parts.netloc:
        raise ValueError("write no user or password in the URL: use :basic_auth")
    port = parts.port or USUAL_PORTS[parts.scheme]
    if port != USUAL_PORTS[parts.scheme] and port not in more_ports:
        raise ValueError(f"URL uses port {port}; Connected Content may use 80 for http and 443 for https")
    return parts.hostname.lower()


def cache_seconds(call: ConnectedContentCall) -> int:
    """How long a good answer is kept: GET as usual, POST only where the author asked for it."""
    return call.cache_seconds or (USUAL_CACHE_SECONDS if call.method == "GET" else 0)


def cache_key(workspace: str, call: ConnectedContentCall) -> str:
    """One key for each workspace and request, so that two answers never mix; lifetimes are no part of a request."""
    request = asdict(call) | {"cache_seconds": None, "is_uncached": False, "workspace": workspace}
    return "connected:" + hashlib.sha256(json.dumps(request, sort_keys=True).encode()).hexdigest()
