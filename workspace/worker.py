"""The worker: RQ's SimpleWorker (no fork), which also looks for work by itself when no wake comes.

Forking costs 20 ms a job and loses connections and parsed templates. Looking every second means that neither Redis nor
the timetable is needed for progress. A stop lets the running job finish what it has begun: it asks `stopping()`.
"""

import logging
import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.db import close_old_connections
from django.utils.module_loading import import_string
from redis.exceptions import RedisError
from rq.job import Job
from rq.queue import Queue
from rq.worker import SimpleWorker
from rq.worker.base import StopRequested

logger = logging.getLogger(__name__)

LOOK_EVERY = 1  # seconds
_stop_asked = False


def stopping() -> bool:
    """Whether this process was asked to stop: begin nothing new."""
    return _stop_asked


class Worker(SimpleWorker):
    """Works its queues' jobs, and runs `settings.QUEUE_JOBS` of its queues whenever it has been idle for a second."""

    _waits = False  # only while blocked in Redis may a stop interrupt at once

    @property
    def dequeue_timeout(self) -> int:
        return LOOK_EVERY

    def work(self, *args: Any, burst: bool = False, **kwargs: Any) -> bool:
        self._install_signal_handlers()
        while not burst and not stopping() and not self._redis_answers():
            self.look_for_work()
            time.sleep(LOOK_EVERY)
        return False if stopping() else super().work(*args, burst=burst, **kwargs)

    def dequeue_job_and_maintain_ttl(
        self, timeout: int | None, max_idle_time: int | None = None
    ) -> tuple[Job, Queue] | None:
        if timeout is None:  # burst
            return super().dequeue_job_and_maintain_ttl(timeout, max_idle_time)
        while not stopping():
            try:
                self._waits = True
                found = super().dequeue_job_and_maintain_ttl(timeout, LOOK_EVERY)
            except RedisError as error:
                logger.warning("worker=%s Redis is away (%s)", self.name, type(error).__name__)
                found = None
            finally:
                self._waits = False
            if found:
                return found
            self.look_for_work()
        return None

    def look_for_work(self) -> None:
        """Do what a wake would have asked for. A fault here is logged and does not end the worker."""
        for queue in self.queue_names():
            if queue in settings.QUEUE_JOBS and not stopping():
                run_job(import_string(settings.QUEUE_JOBS[queue]))

    def _shutdown(self) -> None:
        global _stop_asked
        _stop_asked = self._stop_requested = True
        if self._waits:
            raise StopRequested

    def _redis_answers(self) -> bool:
        try:
            return bool(self.connection.ping())
        except RedisError:
            return False


def run_job(job: Callable[[], object]) -> None:
    """Run a job outside RQ with the same care for database connections; log what it raises."""
    close_old_connections()
    try:
        job()
    except Exception:
        logger.exception("job=%s failed", getattr(job, "__name__", job))
    finally:
        close_old_connections()
