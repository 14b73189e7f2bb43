"""The worker: RQ's SimpleWorker (no fork), which also looks for work by itself when no wake comes.

Forking costs 20 ms a job and loses connections and parsed templates. Looking every second means that neither Redis nor
the timetable is needed for progress. A stop lets the running job finish what it has begun: it asks `stopping()`.
"""

import gc
import logging
import signal
import time
from collections.abc import Iterable
from typing import Any

import django_rq
from django.conf import settings
from django.db import close_old_connections
from django.utils.module_loading import import_string
from redis.exceptions import RedisError
from rq.job import Job
from rq.queue import Queue
from rq.worker import SimpleWorker
from rq.worker.base import StopRequested

from workspace import queues

logger = logging.getLogger(__name__)

LOOK_EVERY = 1  # seconds
_stop_asked = False


def stopping() -> bool:
    """Whether this process was asked to stop: begin nothing new."""
    return _stop_asked


def ask_to_stop(*_: object) -> None:
    """Make `stopping` true (also a signal handler)."""
    global _stop_asked
    _stop_asked = True


def work(names: Iterable[str]) -> None:
    """Work these queues until SIGTERM or SIGINT; while Redis is away, from the database alone."""
    names = list(names)
    gc.freeze()  # what is loaded by now stays: looking through it again and again costs 4 % of a message
    gc.set_threshold(50_000, 20, 100)
    while not stopping():
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, ask_to_stop)
        if queues.is_reachable():
            _work_with_redis(names)
        else:
            look_for_work(names)
            time.sleep(LOOK_EVERY)


def _work_with_redis(names: Iterable[str]) -> None:
    try:
        worker = django_rq.get_worker(*names, worker_class=Worker, serializer="rq.serializers.JSONSerializer")
        worker.work(logging_level="WARNING")
    except RedisError as error:
        logger.warning("Redis went away (%s)", type(error).__name__)


def look_for_work(names: Iterable[str]) -> None:
    """Do what wakes would have asked for. A fault is logged and does not end the worker."""
    for name in names:
        if name in settings.QUEUE_JOBS and not stopping():
            _run(settings.QUEUE_JOBS[name])


def _run(path: str) -> None:
    close_old_connections()
    try:
        import_string(path)()
    except Exception:
        logger.exception("job=%s failed", path)
    finally:
        close_old_connections()


class Worker(SimpleWorker):
    """Works its queues' jobs, and looks for work whenever it has been idle for a second."""

    _waits = False  # only while blocked in Redis may a stop interrupt at once

    @property
    def dequeue_timeout(self) -> int:
        return LOOK_EVERY

    def dequeue_job_and_maintain_ttl(
        self, timeout: int | None, max_idle_time: int | None = None
    ) -> tuple[Job, Queue] | None:
        while not stopping():
            self._waits = True
            try:
                found = super().dequeue_job_and_maintain_ttl(timeout, LOOK_EVERY)
            finally:
                self._waits = False
            if found:
                return found
            if not queues.is_reachable():
                self._stop_requested = True  # back to `work`, which goes on without Redis
                return None
            look_for_work(self.queue_names())
        return None

    def perform_job(self, *args: Any, **kwargs: Any) -> bool:
        close_old_connections()
        try:
            return bool(super().perform_job(*args, **kwargs))
        finally:
            close_old_connections()

    def _shutdown(self) -> None:
        ask_to_stop()
        self._stop_requested = True
        if self._waits:
            raise StopRequested
