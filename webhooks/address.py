"""Makes a rendered URL fit to call, or says in words why it can't be. Pure.

White space around is dropped, then CR, LF and TAB anywhere, because templates put their assigns on lines of their own
(webhooks specification, section 6.2). Host names become ASCII; what is not ASCII in path and query is
percent-encoded and existing escapes are left alone.
"""

import re
from typing import NamedTuple
from urllib.parse import quote, urlsplit

import idna

from webhooks.egress import Guard

MAX_LENGTH = 8192
_LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_PLAIN = re.compile(
    rf"https?://({_LABEL}(?:\.{_LABEL}){{0,9}})(?::([1-9]\d{{0,4}}))?(?:/[A-Za-z0-9/._~%?=&+,;:@!$'()*-]*)?"
)
SAFE = "!#$%&'()*+,/:;=?@[]~"


class BadAddress(ValueError):
    """The URL can't be called; the message says what is wrong and what to do."""


class Address(NamedTuple):
    """A URL to call. `host` is lower-case ASCII without port."""

    url: str
    host: str


def clean(text: str, guard: Guard) -> Address:
    """The address to call. Raises BadAddress."""
    url = text.strip()
    if len(url) <= MAX_LENGTH and (plain := _PLAIN.fullmatch(url)) and not _bad_port(plain[2], guard):
        return Address(url, plain[1])  # nearly all URLs end here
    return _clean_slowly(url.translate({9: None, 10: None, 13: None}), guard)


def _bad_port(port: str | None, guard: Guard) -> bool:
    return port is not None and guard.port_refusal(int(port)) is not None


def _clean_slowly(url: str, guard: Guard) -> Address:
    _require(url, "The URL came out empty")
    _require(len(url) <= MAX_LENGTH, f"URL has {len(url)} characters; at most {MAX_LENGTH} are sent")
    _require(not re.search(r"[\x00-\x1f\x7f]", url), "URL contains a control character")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise BadAddress(f"“{url[:200]}” is not a valid URL: {error}") from error
    _require(parts.scheme in ("http", "https"), f"“{url[:200]}” must start with http:// or https://")
    _require("@" not in parts.netloc, "URL holds a user name or password; put credentials into a header")
    _require(parts.hostname, f"“{url[:200]}” has no host")
    if refusal := port is not None and guard.port_refusal(port):
        raise BadAddress(refusal)
    host = ascii_host(parts.hostname or "")
    shown = f"[{host}]" if ":" in host else host
    target = quote(parts.path, safe=SAFE) + (f"?{quote(parts.query, safe=SAFE)}" if parts.query else "")
    return Address(f"{parts.scheme}://{shown}{f':{port}' if port else ''}{target}", host)


def ascii_host(host: str) -> str:
    """The host as it goes on the wire: punycode for international names. Raises BadAddress."""
    host = host.lower().rstrip(".")
    if ":" in host:
        return host
    if any(not label or len(label) > 63 for label in host.split(".")) or len(host) > 253:
        raise BadAddress(f"“{host[:200]}” is not a valid host name: each part has 1 to 63 letters")
    if host.isascii():
        _require(re.fullmatch(r"[a-z0-9._-]+", host), f"“{host[:200]}” is not a valid host name")
        return host
    try:
        return idna.encode(host, uts46=True).decode("ascii")
    except idna.IDNAError as error:
        raise BadAddress(f"“{host[:200]}” is not a valid host name: {error}") from error


def _require(condition: object, sentence: str) -> None:
    if not condition:
        raise BadAddress(sentence)
