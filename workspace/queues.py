"""Wakes workers. Redis only carries wakes: each job looks into the database for its work, and holds none itself.

A wake is `SET wake:<queue> NX EX 30` and, if that took, an ordinary job whose first act is to delete the key: many
wakes while a worker is busy cost one job. (RQ's own unique job ids refuse wakes while the job runs and long after.)
"""

import logging
from functools import cache

import django_rq
from django.conf import settings
from django.db import transaction
from redis import Redis
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

WAKE_SECONDS = 30
PATIENCE = 0.5  # seconds for an answer: all who ask can go on without one, and a server that hangs is no server


def wake(queue: str) -> None:
    """Have some worker of `queue` look for work once the running transaction is committed. Never fails.

    With Redis away the workers find the work themselves, within seconds.
    """
    transaction.on_commit(lambda: _wake_now(queue))


def _wake_now(queue: str) -> None:
    try:
        if connection().set(f"wake:{queue}", 1, nx=True, ex=WAKE_SECONDS):
            django_rq.get_queue(queue).enqueue(
                settings.QUEUE_JOBS[queue], job_timeout=-1, result_ttl=0, failure_ttl=86_400
            )
    except RedisError as error:
        logger.warning("queue=%s wake failed (%s); workers look by themselves", queue, type(error).__name__)


def woken(queue: str) -> bool | None:
    """Say that a wake was heard: later ones make a new job. Whether there was one; None where Redis is away.

    The first act of each queue's job, and of a job that goes on for long, so that it hears what comes meanwhile.
    """
    try:
        return bool(connection().delete(f"wake:{queue}"))
    except RedisError as error:
        logger.warning("queue=%s wake key not deleted (%s)", queue, type(error).__name__)
        return None


def is_reachable() -> bool:
    """Whether the Redis-compatible server answers."""
    try:
        return bool(connection().ping())
    except RedisError:
        return False


def connection() -> Redis:
    """The Redis-compatible server all queues share. One client a process and address; it keeps its connections."""
    return _client(settings.REDIS_URL)


@cache
def _client(url: str) -> Redis:
    return Redis.from_url(url, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE)
