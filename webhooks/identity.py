"""How a receiver recognises us and a message: `webhook-id` and `User-Agent`."""

import hashlib
import uuid
from functools import cache

from django.conf import settings

USER_AGENT = f"Hookline/{settings.VERSION} (+{settings.SITE_URL})"


def webhook_id(workspace_key: uuid.UUID, message_id: int) -> str:
    """The same for every attempt and replay of a message, and unique to this installation (Standard Webhooks 1.0)."""
    digest = _keyed(workspace_key).copy()
    digest.update(message_id.to_bytes(8, "big"))
    return f"msg_{digest.hexdigest()}"


@cache
def _keyed(workspace_key: uuid.UUID) -> "hashlib.blake2b":
    """The digest with its key taken in, which is most of the work."""
    return hashlib.blake2b(key=workspace_key.bytes, digest_size=15)
