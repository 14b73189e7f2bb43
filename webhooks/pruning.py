"""Deletes messages that ended long ago. Receipts, totals and what Canvases counted outlast them."""

import time
from datetime import datetime, timedelta

from django.conf import settings

from webhooks.models import Message

CHUNK = 5_000  # ids looked at in one statement
AT_A_TIME = 0.5  # seconds of one stretch
REST = 6 * 3600.0  # seconds between two walks


class Walk:
    """A walk over all messages by id, in stretches: no index knows when messages ended, as keeping one would cost every
    send. One for a process; where it was is forgotten with the process, which costs another look and nothing else.
    """

    def __init__(self) -> None:
        self._looked_at = 0  # up to this id
        self._rests_until = 0.0

    def go_on(self, now: datetime) -> int:
        """Walk a stretch; how many messages were deleted."""
        if not settings.MESSAGE_DAYS_KEPT or time.monotonic() < self._rests_until:
            return 0
        until = now - timedelta(days=settings.MESSAGE_DAYS_KEPT)
        ends, deleted = time.monotonic() + AT_A_TIME, 0
        while time.monotonic() < ends:
            ahead = Message.objects.filter(pk__gt=self._looked_at)
            last = ahead.order_by("pk").values_list("pk", flat=True)[CHUNK - 1 : CHUNK].first()
            chunk = ahead.filter(pk__lte=last) if last else ahead
            deleted += chunk.filter(finished_at__lt=until).delete()[0]
            self._looked_at = last or 0
            if not last:
                self._rests_until = time.monotonic() + REST
                break
        return deleted
