"""Hides secrets wherever a request or an answer is shown or stored. Pure.

Masked are the values of headers that carry credentials, query parameters named like secrets, the secret part of
well-known addresses, and every secret value that went into the request, however it is written there, also where the
answer repeats it.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from urllib.parse import quote, quote_plus, unquote

from webhooks.address import SAFE
from webhooks.request import Answer, Request

MASK = "••••"
PLACEHOLDER = "<SECRET>"
_SECRET_HEADER = re.compile(r"authorization|cookie|x-api-key|token|secret|key|password|signature", re.IGNORECASE)
_SECRET_PARAMETER = re.compile(r"([?&][^=&#]*(?:token|key|secret|password|sig)[^=&#]*=)([^&#]+)", re.IGNORECASE)
_SECRET_PATH = re.compile(
    r"(//(?:hooks\.slack\.com/(?:services|workflows|triggers)|(?:[\w-]+\.)?discord(?:app)?\.com/api/webhooks"
    r"|hooks\.zapier\.com/hooks/catch|[\w.-]+\.webhook\.office\.com/webhookb2|api\.telegram\.org)/)([^?#]+)",
    re.IGNORECASE,
)  # addresses that are secrets themselves
_SHORTEST_SECRET = 6  # shorter values would mask ordinary words
_SCHEME = re.compile(r"(?:basic|bearer|token|key)\s+", re.IGNORECASE)
_NUL = "\x00"


def is_secret_header(name: str) -> bool:
    return bool(_SECRET_HEADER.search(name)) and name.lower() not in ("idempotency-key",)


def without_secrets_in(url: str) -> str:
    """An address to be kept outside: what is secret in it, and no Liquid, is a placeholder, which blocks a launch."""

    def bare(found: re.Match[str]) -> str:
        return found[0] if "{" in found[2] else f"{found[1]}{PLACEHOLDER}"

    return _SECRET_PATH.sub(bare, _SECRET_PARAMETER.sub(bare, url))


def shown_request(request: Request, secrets: Iterable[str] = ()) -> dict[str, Any]:
    """The request as the log, the test dialog and exports may show it."""
    hide = _hider((*secrets, *carried(request)))
    return {
        "method": request.method,
        "url": _SECRET_PATH.sub(rf"\1{MASK}", _SECRET_PARAMETER.sub(rf"\1{MASK}", hide(request.url))),
        "headers": [[name, MASK if is_secret_header(name) else hide(value)] for name, value in request.headers],
        "body": hide(text_of(request.body or b"", ())),
    }


def shown_answer(answer: Answer, secrets: Iterable[str] = ()) -> dict[str, Any]:
    """The answer as readable text: decoded by its charset, else as UTF-8, else described as binary."""
    hide = _hider(secrets)
    return {
        "headers": [
            [name, MASK if name.lower() == "set-cookie" else hide(_clean(value))] for name, value in answer.headers
        ],
        "body": hide(text_of(answer.body, answer.headers)),
        "is_cut": answer.is_cut,
    }


def shown_text(text: str, secrets: Iterable[str] = ()) -> str:
    """A sentence that may quote a request or an answer, as a database column and JSON can hold it."""
    return _hider(secrets)(_clean(text))


def carried(request: Request) -> set[str]:
    """The secrets that can be told by where they stand in a request."""
    found = {_SCHEME.sub("", value, count=1) for name, value in request.headers if is_secret_header(name)}
    found |= {match[2] for match in _SECRET_PARAMETER.finditer(request.url)}
    for match in _SECRET_PATH.finditer(request.url):
        found |= {match[2].strip("/"), *match[2].split("/")}
    return found | {unquote(each) for each in found}


def text_of(body: bytes, headers: Iterable[tuple[str, str]]) -> str:
    """Bytes as text that a database column and a page can hold."""
    content_type = next((value for name, value in headers if name.lower() == "content-type"), "")
    charset = re.search(r"charset=\"?([\w.-]+)", content_type)
    for encoding in filter(None, (charset and charset[1], "utf-8", "euc-kr", "shift-jis")):
        try:
            text = body.decode(encoding)
        except (UnicodeDecodeError, LookupError):
            continue
        if not _looks_binary(text):
            return _clean(text)
    trimmed = body.decode("utf-8", "replace")
    if body and trimmed.count("\ufffd") <= max(1, len(trimmed) // 100) and not _looks_binary(trimmed):
        return _clean(trimmed)  # a character cut in two at the end of what we keep
    return f"(binary, {len(body)} bytes: {body[:32].hex(' ')} …)"


def _looks_binary(text: str) -> bool:
    return sum(1 for c in text[:2048] if c < " " and c not in "\t\r\n\f\x00\x1b") > len(text[:2048]) // 20


def _clean(text: str) -> str:
    return text.replace(_NUL, "\ufffd").encode("utf-8", "replace").decode()


def _hider(secrets: Iterable[str]) -> Callable[[str], str]:
    long = {secret for secret in secrets if len(secret) >= _SHORTEST_SECRET}
    words = sorted({way for secret in long for way in _written(secret)}, key=len, reverse=True)

    def hide(text: str) -> str:
        for word in words:  # quicker than an expression, which would be compiled for each message
            text = text.replace(word, MASK)
        return text

    return hide


def _written(secret: str) -> Iterator[str]:
    """A secret as it may stand in addresses, forms and JSON."""
    yield secret
    yield quote(secret, safe=SAFE)
    yield quote(secret)
    yield quote_plus(secret)
    for ascii_only in (True, False):
        yield json.dumps(secret, ensure_ascii=ascii_only)[1:-1]
