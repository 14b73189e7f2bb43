import os
import signal
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from django.utils import timezone

from audience.models import Alias, PendingEvent

KILL_ONCE = "KILL_ONCE"  # environment: a file; the first process that has written effects deletes it and dies


def note(events: Sequence[PendingEvent], now: datetime) -> None:
    """The effect: an alias that names the event, at the real time."""
    at = timezone.now()
    Alias.objects.bulk_create(
        Alias(profile_id=event.profile_id, label=f"reacted {event.pk}", name=str(event.pk), created_at=at)
        for event in events
    )


def die_once(events: Sequence[PendingEvent], now: datetime) -> None:
    path = os.environ.get(KILL_ONCE)
    if path and Path(path).exists():
        Path(path).unlink()
        os.kill(os.getpid(), signal.SIGKILL)
