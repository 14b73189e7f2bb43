"""Keeps Connected Content's answers in the Redis-compatible server, shared by all workers.

They may hold tokens and people's data, so they are sealed there. Redis may be away or forget; then the call is made.
"""

import logging
from collections.abc import Callable

from redis import Redis
from redis.exceptions import RedisError

from workspace import secrets

logger = logging.getLogger(__name__)


class SharedAnswers:
    """The cache of `webhooks.liquid.connected`. `connection` gives a client each time it is asked."""

    def __init__(self, connection: Callable[[], Redis]) -> None:
        self._connection = connection

    def get(self, key: str) -> bytes | None:
        try:
            found = self._connection().get(key)
        except RedisError as error:
            logger.warning("connected content cache is away (%s)", type(error).__name__)
            return None
        try:
            return secrets.unseal_bytes(found) if isinstance(found, bytes) else None
        except secrets.UnreadableSecret:
            return None  # the key has changed since

    def set(self, key: str, value: bytes, ttl: int) -> None:
        try:
            self._connection().set(key, secrets.seal_bytes(value), ex=ttl)
        except RedisError as error:
            logger.warning("connected content cache is away (%s)", type(error).__name__)

    def delete(self, key: str) -> None:
        try:
            self._connection().delete(key)
        except RedisError as error:
            logger.warning("connected content cache is away (%s)", type(error).__name__)
