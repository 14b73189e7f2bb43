"""Reads a request's JSON, whatever its content type says: bounded, finite, and free of what no database stores."""

import json
import math
from typing import Any

from django.http import HttpRequest

from api.errors import BadRequest, TooLarge
from audience.ingest.values import storable_text

MOST_BYTES = 4 * 1024 * 1024
MOST_DISCARDED = 64 * 1024 * 1024
_CHUNK = 64 * 1024


def read(request: HttpRequest) -> dict[str, Any]:
    """The object in the body; an empty body is an empty object. Raises TooLarge and BadRequest."""
    raw = _bytes(request)
    if not raw.strip():
        return {}
    try:
        found = json.loads(raw.decode(), parse_constant=_refuse, parse_float=_finite)
        found = _storable(found) if b"\\u" in raw else found
    except UnicodeDecodeError as error:
        raise BadRequest("Bad Request: the body is not UTF-8") from error
    except RecursionError as error:
        raise BadRequest("Bad Request: the JSON is nested too deeply") from error
    except ValueError as error:
        raise BadRequest(f"Bad Request: the body is not JSON ({error})") from error
    if not isinstance(found, dict):
        raise BadRequest("Bad Request: the body must be a JSON object")
    return found


def _bytes(request: HttpRequest) -> bytes:
    """At most 4 MB; what is beyond is read and dropped, so that the caller gets to see the answer."""
    stream = _stream(request)
    raw = stream.read(MOST_BYTES + 1)
    while len(raw) <= MOST_BYTES and (more := stream.read(MOST_BYTES + 1 - len(raw))):
        raw += more
    if len(raw) <= MOST_BYTES:
        return bytes(raw)
    dropped = 0
    while dropped < MOST_DISCARDED and (more := stream.read(_CHUNK)):
        dropped += len(more)
    raise TooLarge


def _stream(request: HttpRequest) -> Any:
    """Django reads no body that comes in chunks; the server marks those that end by themselves."""
    is_chunked = "chunked" in request.META.get("HTTP_TRANSFER_ENCODING", "").lower()
    return request.META["wsgi.input"] if is_chunked and request.META.get("wsgi.input_terminated") else request


def _refuse(word: str) -> Any:
    raise ValueError(f"{word} is no JSON value")


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError(f"{digits[:40]} is too large a number")
    return number


def _storable(value: Any) -> Any:
    """NUL and lone surrogates replaced, in keys too."""
    match value:
        case str():
            return storable_text(value)
        case dict():
            return {storable_text(key): _storable(inner) for key, inner in value.items()}
        case list():
            return [_storable(inner) for inner in value]
    return value
