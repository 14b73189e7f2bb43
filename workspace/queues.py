"""Wakes workers. Redis only carries wakes: each job looks into the database for its work, and holds none itself.

A wake is `SET wake:<queue> NX EX 30` and, if that took, an ordinary job whose first act is to delete the key: many
wakes while a worker is busy cost one job. (RQ's own unique job ids refuse wakes while the job runs and long after.)
Each wake is counted as well, for jobs that go on for long: they see by the number that there was another.
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
        pipe = connection().pipeline(transaction=False)
        pipe.incr(f"wakes:{queue}")
        pipe.set(f"wake:{queue}", 1, nx=True, ex=WAKE_SECONDS)
        if pipe.execute()[1]:
            django_rq.get_queue(queue).enqueue(
                settings.QUEUE_JOBS[queue], job_timeout=-1, result_ttl=0, failure_ttl=86_400
            )
    except RedisError as error:
        logger.warning("queue=%s wake failed (%s); workers look by themselves", queue, type(error).__name__)


def woken(queue: str) -> None:
    """Say that a wake was heard: later ones make a new job. The first act of each queue's job."""
    try:
        connection().delete(f"wake:{queue}")
    except RedisError as error:
        logger.warning("queue=%s wake key not deleted (%s)", queue, type(error).__name__)


def wakes(queue: str) -> int | None:
    """How many wakes there were, of which only the change means something; None where Redis is away."""
    try:
        return int(connection().get(f"wakes:{queue}") or 0)
    except RedisError as error:
        logger.warning("queue=%s wakes not heard (%s)", queue, type(error).__name__)
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
