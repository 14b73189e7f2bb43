"""Keeps the first rendering of a message that failed, encrypted, so that its retries send the same bytes.

The secrets that went into it are kept with it: what is masked for the first attempt is masked for all.
"""

import base64
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from webhooks.attempt import Attempt, Ruling
from webhooks.models import FrozenRequest
from webhooks.request import Request
from workspace import bulk, secrets


@dataclass(frozen=True, slots=True)
class Kept:
    """A request as it was rendered, the secrets in it, and what its template said about the message."""

    request: Request
    secrets: tuple[str, ...] = ()
    extras: Mapping[str, str] = field(default_factory=dict)


def load(message_ids: Iterable[int]) -> dict[int, Kept]:
    """The kept requests of these messages, by message id. One query."""
    rows = FrozenRequest.objects.filter(message_id__in=list(message_ids)).values_list("message_id", "sealed")
    return {message: _thaw(bytes(sealed)) for message, sealed in rows}


def keep(changed: Sequence[tuple[Attempt, Ruling]]) -> None:
    """Store the request of each first failure that will be retried; forget those of messages that ended."""
    fresh = [
        FrozenRequest(message_id=attempt.message.id, sealed=_freeze(attempt))
        for attempt, ruling in changed
        if attempt.request and attempt.answer and not ruling.is_final and attempt.message.attempts == 0
    ]
    FrozenRequest.objects.bulk_create(fresh, ignore_conflicts=True)
    forget([a.message.id for a, ruling in changed if ruling.is_final and a.message.attempts > 0])


def forget(message_ids: Sequence[int]) -> None:
    """Delete the requests of messages that ended. One statement, none for nobody."""
    if message_ids:
        FrozenRequest.objects.filter(bulk.is_one_of("message_id", message_ids)).delete()


def _freeze(attempt: Attempt) -> bytes:
    assert attempt.request is not None
    request, hidden = attempt.request, attempt.secrets
    body = None if request.body is None else base64.b64encode(request.body).decode()
    plain = json.dumps([request.method, request.url, request.host, request.headers, body, hidden, dict(attempt.extras)])
    return secrets.seal_bytes(plain.encode())


def _thaw(sealed: bytes) -> Kept:
    method, url, host, lines, body, *others = json.loads(secrets.unseal_bytes(sealed))
    hidden = tuple(others[0]) if others else ()  # rows of older versions have less
    extras = others[1] if len(others) > 1 else {}
    request = Request(
        method,
        url,
        host,
        tuple((name, value) for name, value in lines),
        None if body is None else base64.b64decode(body),
    )
    return Kept(request, hidden, extras)
