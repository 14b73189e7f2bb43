"""Keeps the first rendering of a message that failed, encrypted, so that its retries send the same bytes."""

import base64
import json
from collections.abc import Iterable, Sequence

from webhooks.attempt import Attempt, Ruling
from webhooks.models import FrozenRequest
from webhooks.request import Request
from workspace import secrets


def load(message_ids: Iterable[int]) -> dict[int, Request]:
    """The kept requests of these messages, by message id. One query."""
    rows = FrozenRequest.objects.filter(message_id__in=list(message_ids)).values_list("message_id", "sealed")
    return {message: _thaw(bytes(sealed)) for message, sealed in rows}


def keep(changed: Sequence[tuple[Attempt, Ruling]]) -> None:
    """Store the request of each first failure that will be retried; forget those of messages that ended."""
    fresh = [
        FrozenRequest(message_id=attempt.message.id, sealed=_freeze(attempt.request))
        for attempt, ruling in changed
        if attempt.request and attempt.answer and not ruling.is_final and attempt.message.attempts == 0
    ]
    FrozenRequest.objects.bulk_create(fresh, ignore_conflicts=True)
    ended = [a.message.id for a, ruling in changed if ruling.is_final and a.message.attempts > 0]
    if ended:
        FrozenRequest.objects.filter(message_id__in=ended).delete()


def _freeze(request: Request) -> bytes:
    body = None if request.body is None else base64.b64encode(request.body).decode()
    plain = json.dumps([request.method, request.url, request.host, request.headers, body])
    return secrets.seal_bytes(plain.encode())


def _thaw(sealed: bytes) -> Request:
    method, url, host, lines, body = json.loads(secrets.unseal_bytes(sealed))
    return Request(
        method,
        url,
        host,
        tuple((name, value) for name, value in lines),
        None if body is None else base64.b64decode(body),
    )
