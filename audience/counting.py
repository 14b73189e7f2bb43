"""Exact counts of segments, made in the background one at a time, and their daily sizes."""

import logging
import time
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from audience import segments
from audience.models import Segment, SegmentSize
from workspace import queues
from workspace.models import Workspace

logger = logging.getLogger(__name__)

FRESH = timedelta(hours=24)
SIZES_AT_ONCE = 20  # segments whose size is recorded in one go


def ask(segment: Segment, now: datetime) -> None:
    """Have the segment counted, unless that was done within 24 hours and it was not edited since."""
    known = segment.counted_at
    if known and known > now - FRESH and known >= segment.updated_at:
        return
    Segment.objects.filter(pk=segment.pk, count_asked_at=None).update(count_asked_at=now)
    queues.wake("default")


def cancel(segment: Segment) -> None:
    """Forget that a count was asked for. One that runs already finishes."""
    Segment.objects.filter(pk=segment.pk).update(count_asked_at=None)


def count_waiting(now: datetime) -> int:
    """Count what was asked for, oldest first; how many segments were counted. A second counter leaves."""
    counted = 0
    while segment := _next():
        started = time.monotonic()
        size = segments.members([segment], {}, now).count()
        seconds = time.monotonic() - started
        # a save meanwhile, or a cancel, wins
        unchanged = Segment.objects.filter(pk=segment.pk, count_asked_at=segment.count_asked_at)
        unchanged.update(exact_count=size, counted_at=now, count_seconds=seconds, count_asked_at=None)
        logger.info("segment=%s counted in %.1f s", segment.pk, seconds)
        counted += 1
    return counted


def _next() -> Segment | None:
    return Segment.objects.exclude(count_asked_at=None).order_by("count_asked_at").first()


def record_sizes(now: datetime) -> int:
    """Record today's size of segments that keep a history and lack it: estimates, a few at a time."""
    day = now.astimezone(ZoneInfo(Workspace.current().time_zone)).date()
    tracked = Segment.objects.filter(tracks_size=True, is_archived=False).exclude(sizes__day=day)
    sizes = [
        SegmentSize(segment=segment, day=day, size=segments.estimate(segments.members([segment], {}, now)).middle)
        for segment in tracked.order_by("pk")[:SIZES_AT_ONCE]
    ]
    SegmentSize.objects.bulk_create(sizes, ignore_conflicts=True)
    return len(sizes)
