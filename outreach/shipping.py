"""Tells noted events to other systems, as JSON lines to a file or an address: at least once, with ids.

What was told and not yet noted as told, because the process died in between, is told again with the same ids.
"""

import logging
import os
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock

import requests
from django.conf import settings
from django.db.models import Q

from outreach import zones
from outreach.models import OutgoingEvent, Shipment
from outreach.stream import is_on
from outreach.stream_lines import lines

logger = logging.getLogger(__name__)

BATCH = 1_000
LEASE = timedelta(minutes=2)
AT_ONCE = 10.0  # seconds of one go
TIMEOUT = 20.0
CONTENT_TYPE = "application/x-ndjson"


class NotTold(Exception):
    """The events could not be handed over; they stay and are tried again."""


def ship(now: datetime) -> int:
    """Tell what is new, in batches, for a few seconds; how many. A second one leaves."""
    if not (settings.EVENTS_OUT_FILE or settings.EVENTS_OUT_URL) or not _lease(now):
        return 0
    told, until = 0, time.monotonic() + AT_ONCE
    error = ""
    try:
        while time.monotonic() < until and (events := _next()):
            _tell("".join(lines(events)))
            OutgoingEvent.objects.filter(pk__in=[event.pk for event in events]).update(told_at=now)
            told += len(events)
    except NotTold as problem:
        error = str(problem)
        logger.warning("events out: %s", problem)
    Shipment.objects.filter(pk=1).update(leased_until=None, error=error)
    return told


def _lease(now: datetime) -> bool:
    Shipment.objects.get_or_create(pk=1)
    free = Q(leased_until=None) | Q(leased_until__lt=now)
    return bool(Shipment.objects.filter(free, pk=1).update(leased_until=now + LEASE))


def _next() -> Sequence[OutgoingEvent]:
    return [*OutgoingEvent.objects.filter(told_at=None).order_by("pk")[:BATCH]]


def _tell(text: str) -> None:
    """Hand the lines over to whom the settings name. Raises NotTold."""
    if settings.EVENTS_OUT_FILE:
        _append(text)
    if settings.EVENTS_OUT_URL:
        _post(text)


def _append(text: str) -> None:
    try:
        with open(settings.EVENTS_OUT_FILE, "a", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise NotTold(f"{settings.EVENTS_OUT_FILE} can't be written ({error.strerror})") from error


def _post(text: str) -> None:
    headers = {"Content-Type": CONTENT_TYPE}
    if settings.EVENTS_OUT_TOKEN:
        headers["Authorization"] = f"Bearer {settings.EVENTS_OUT_TOKEN}"
    try:
        url = settings.EVENTS_OUT_URL
        answer = requests.post(url, text.encode(), headers=headers, timeout=TIMEOUT, allow_redirects=False)
    except requests.RequestException as error:
        raise NotTold(f"the address of EVENTS_OUT_URL does not answer ({type(error).__name__})") from error
    if not 200 <= answer.status_code <= 299:
        raise NotTold(f"the address of EVENTS_OUT_URL answers {answer.status_code}")


def of_day(day: date) -> Iterator[str]:
    """The lines of one day in the workspace's zone, in order; never more than a batch in memory."""
    zone = zones.company()
    first = datetime.combine(day, clock.min, zone).astimezone(UTC)
    last = datetime.combine(day + timedelta(days=1), clock.min, zone).astimezone(UTC)
    rows, after = OutgoingEvent.objects.filter(at__gte=first, at__lt=last).order_by("pk"), 0
    while events := [*rows.filter(pk__gt=after)[:BATCH]]:
        after = events[-1].pk
        yield from lines(events)


def prune(now: datetime) -> int:
    """Delete what was kept long enough; what is still to be told stays. How many."""
    if not is_on():
        return 0
    old = OutgoingEvent.objects.filter(at__lt=now - timedelta(days=max(1, settings.EVENTS_OUT_DAYS)))
    if settings.EVENTS_OUT_FILE or settings.EVENTS_OUT_URL:
        old = old.exclude(told_at=None)
    return old.filter(pk__in=old.order_by("pk").values("pk")[:50_000]).delete()[0]
