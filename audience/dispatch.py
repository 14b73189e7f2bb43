"""Hands pending events to those who react to them.

Events of one profile take effect in the order they came in. The effects of an event and its deletion are one
transaction, so a crash repeats it as a whole or not at all. Who holds the lock on a profile's first pending event (its
head) holds the profile: any number of dispatchers may run. An event whose reaction fails is tried again later; until
then it holds up its own profile alone.
"""

import logging
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import BooleanField, Case, OuterRef, QuerySet, Subquery, When

from audience import reactions
from audience.models import PendingEvent, Profile

logger = logging.getLogger(__name__)

BATCH = 500  # profiles
BATCH_SECONDS = 0.5  # after that long a transaction takes no further round
RUN_SECONDS = 20.0
CLOCKS_APART = timedelta(seconds=1)  # an event stored by a machine whose clock is ahead doesn't wait for ours
WAITS = tuple(timedelta(seconds=seconds) for seconds in (2, 10, 60, 300, 1200, 3600))
ERROR_LENGTH = 2_000


def run(clock: Callable[[], datetime], stopping: Callable[[], bool], seconds: float = RUN_SECONDS) -> int:
    """React to everything that is due and return how many events took effect or were put back.

    Ends after so many seconds, however fast new events come in: the worker may have other things to do.
    """
    total, until = 0, time.monotonic() + seconds
    while not stopping() and (count := dispatch_batch(clock())):
        total += count
        if time.monotonic() > until:
            break
    return total


def dispatch_batch(now: datetime) -> int:
    """React in one transaction to the heads of some profiles, then to what follows them, round by round.

    Returns how many events took effect or were put back: 0 if nothing is due that no other dispatcher holds.
    """
    deadline, settled = time.monotonic() + BATCH_SECONDS, 0
    if not is_due(now):
        return 0  # looking alone takes no lock on SQLite
    with transaction.atomic():
        events = [*_heads(now)[:BATCH]]
        while events:
            settled += _settle(events, now, deadline)
            if time.monotonic() > deadline:
                break
            events = _following(events, now)
    return settled


def is_due(now: datetime) -> bool:
    """Whether any event waits for a dispatcher."""
    return _due(now).exists()


def retry_wait(attempts: int) -> timedelta:
    """How long an event rests after so many failed attempts: at first two seconds, in the end an hour, for ever."""
    return WAITS[min(attempts, len(WAITS)) - 1]


def _due(now: datetime) -> QuerySet[PendingEvent]:
    return PendingEvent.objects.filter(due_at__lte=now + CLOCKS_APART)


def _heads(now: datetime) -> QuerySet[PendingEvent]:
    """The first pending event of each profile, where it is due; locked, without those that somebody else locked.

    As a plain comparison PostgreSQL takes it for one row in 200, and sorts the whole backlog instead of reading the
    index until it has enough (250 ms against 3 at 200,000 events). Of a CASE it expects every other row.
    """
    is_head = Case(When(pk=_first_of(OuterRef("profile")), then=True), default=False, output_field=BooleanField())
    due = _due(now).alias(is_head=is_head).filter(is_head=True).order_by("due_at", "pk")
    can_skip = connection.features.has_select_for_update_skip_locked
    return due.select_for_update(skip_locked=True) if can_skip else due  # SQLite has one writer at a time


def _following(events: Sequence[PendingEvent], now: datetime) -> list[PendingEvent]:
    """The new heads of the same profiles, where they are due. Ours still, as nobody else sees the old ones gone."""
    profiles = Profile.objects.filter(pk__in={event.profile_id for event in events})
    heads = profiles.annotate(head=_first_of(OuterRef("pk"))).values_list("head", flat=True)
    return [*_due(now).filter(pk__in=[key for key in heads if key])]


def _first_of(profile: OuterRef) -> Subquery:
    return Subquery(PendingEvent.objects.filter(profile=profile).order_by("pk").values("pk")[:1])


def _settle(events: Sequence[PendingEvent], now: datetime, deadline: float) -> int:
    """Let events of different profiles take effect; what fails is found by halving, and put back alone."""
    waiting, settled = [events], 0
    while waiting and not (settled and time.monotonic() > deadline):
        some = waiting.pop()
        try:
            _take_effect(some, now)
        except Exception as error:
            if len(some) > 1:
                waiting += [some[len(some) // 2 :], some[: len(some) // 2]]
                continue
            _put_back(some[0], error, now)
        settled += len(some)
    return settled


@transaction.atomic
def _take_effect(events: Sequence[PendingEvent], now: datetime) -> None:
    for reaction in reactions.reactions():
        reaction(events, now)
    PendingEvent.objects.filter(pk__in=[event.pk for event in events]).delete()


def _put_back(event: PendingEvent, error: Exception, now: datetime) -> None:
    """Try the event again later. What follows it in its profile waits as long and is not looked at meanwhile."""
    attempts = event.attempts + 1
    due_at = now + retry_wait(attempts)
    logger.error(
        "pending_event=%s kind=%s attempt=%s failed, due again at %s",
        *(event.pk, event.kind, attempts, due_at),
        exc_info=error,
    )
    PendingEvent.objects.filter(profile=event.profile_id, due_at__lt=due_at).update(due_at=due_at)
    PendingEvent.objects.filter(pk=event.pk).update(
        attempts=attempts, due_at=due_at, error=f"{type(error).__name__}: {error}"[:ERROR_LENGTH]
    )
