"""How a receiver recognises us and a message: `webhook-id` and `User-Agent`."""

import hashlib
import uuid

from django.conf import settings

USER_AGENT = f"Hookline/{settings.VERSION} (+{settings.SITE_URL})"


def webhook_id(workspace_key: uuid.UUID, message_id: int) -> str:
    """The same for every attempt and replay of a message, and unique to this installation (Standard Webhooks 1.0)."""
    digest = hashlib.blake2b(message_id.to_bytes(8, "big"), key=workspace_key.bytes, digest_size=15)
    return f"msg_{digest.hexdigest()}"
