"""Places in time: a sender, or the workspace, with a rate gives each request its moment to start (design, section 3).

Places follow each other evenly and are given at most a second ahead: there is no burst after a pause, nothing is caught
up with, and a changed rate acts at once. All workers take them from the same row, in the database's time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from webhooks.models import Sender
from workspace.models import Workspace

AHEAD = timedelta(seconds=1)
MARGIN = 1.002  # a hair slower than the rate: requests that start a little late never make a minute too full
LONGEST_WAIT = timedelta(hours=72)  # campaigns specification, section 7: a rate too low for its audience


@dataclass(frozen=True, slots=True)
class Rate:
    """So many messages a minute; the next free place is at `next_free_at`, or now where that has passed."""

    per_minute: int
    next_free_at: datetime | None

    @property
    def interval(self) -> timedelta:
        return timedelta(minutes=1) / self.per_minute * MARGIN

    def first(self, now: datetime) -> datetime:
        return max(now, self.next_free_at or now)

    def room(self, now: datetime) -> int:
        """How many places are free up to a second ahead."""
        left = now + AHEAD - self.first(now)
        return 0 if left <= timedelta() else int(left / self.interval) + 1

    def places(self, count: int, now: datetime) -> tuple[list[datetime], datetime]:
        """At most `count` places, and the next free one after them."""
        taken = min(count, self.room(now))
        first = self.first(now)
        return [first + place * self.interval for place in range(taken)], first + taken * self.interval


def reserve(senders: Sequence[int], now: datetime) -> list[datetime | None]:
    """A place for each, in this order: the moment to start, or None where none is left. `now` where nothing limits it.

    One short transaction that locks the rows of limited senders, in id order, and then the workspace's.
    """
    with transaction.atomic():
        rows = Sender.objects.select_for_update().filter(pk__in=set(senders), rate_per_minute__isnull=False)
        own = {row.pk: _take(row, senders.count(row.pk), now) for row in rows.order_by("pk")}
        places = [own[sender].pop(0) if own.get(sender) else (None if sender in own else now) for sender in senders]
        workspace = Workspace.objects.select_for_update().filter(rate_per_minute__isnull=False).first()
        if workspace is None:
            return places
        shared = _take(workspace, len([place for place in places if place]), now)
        return [_later(place, shared) for place in places]


def _later(place: datetime | None, shared: list[datetime]) -> datetime | None:
    if place is None or not shared:
        return None
    return max(place, shared.pop(0))


def _take(row: Sender | Workspace, count: int, now: datetime) -> list[datetime]:
    places, row.next_free_at = Rate(row.rate_per_minute or 1, row.next_free_at).places(count, now)
    type(row).objects.filter(pk=row.pk).update(next_free_at=row.next_free_at)
    return places
