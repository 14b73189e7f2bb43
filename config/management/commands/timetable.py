"""The timetable: wakes every queue at fixed intervals.

RQ's own cron writes jobs with pickle whatever the queue's serializer, which our workers (JSON only) refuse; and a tick
carries nothing, so this loop is all there is to it. Two timetables, a late tick or none do no harm.
"""

import signal
import threading
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from workspace import queues

EVERY = 15.0  # seconds


class Command(BaseCommand):
    help = "Wake every queue every 15 seconds until stopped."
    requires_system_checks: list[str] = []  # see `work`

    def handle(self, *args: Any, **options: Any) -> None:
        stopped = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stopped.set())
        while not stopped.wait(EVERY):
            for queue in settings.QUEUE_JOBS:
                queues.wake(queue)
