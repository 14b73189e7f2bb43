"""Hides secrets wherever a request or an answer is shown or stored. Pure.

Masked are the values of headers that carry credentials, query parameters named like secrets, and every secret value
that went into the request, also where the answer repeats it.
"""

import re
from collections.abc import Iterable
from typing import Any

from webhooks.request import Answer, Request

MASK = "••••"
_SECRET_HEADER = re.compile(r"authorization|cookie|x-api-key|token|secret|key|password|signature", re.IGNORECASE)
_SECRET_PARAMETER = re.compile(r"([?&][^=&#]*(?:token|key|secret|password|sig)[^=&#]*=)[^&#]+", re.IGNORECASE)
_SHORTEST_SECRET = 6  # shorter values would mask ordinary words
_NUL = "\x00"


def is_secret_header(name: str) -> bool:
    return bool(_SECRET_HEADER.search(name)) and name.lower() not in ("idempotency-key",)


def shown_request(request: Request, secrets: Iterable[str] = ()) -> dict[str, Any]:
    """The request as the log, the test dialog and exports may show it."""
    hide = _hider(secrets)
    return {
        "method": request.method,
        "url": _SECRET_PARAMETER.sub(rf"\1{MASK}", hide(request.url)),
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


def _hider(secrets: Iterable[str]) -> Any:
    words = sorted({s for s in secrets if len(s) >= _SHORTEST_SECRET}, key=len, reverse=True)
    if not words:
        return lambda text: text
    pattern = re.compile("|".join(map(re.escape, words)))
    return lambda text: pattern.sub(MASK, text)
