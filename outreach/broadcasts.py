"""What is planned: the next run of each outreach that follows a schedule."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from outreach import zones
from outreach.models import Dispatch, Occurrence, Outreach, Status

MOST = 1_000


@dataclass(frozen=True, slots=True)
class Planned:
    """A run to come. `at` is ISO 8601; for one in local time, what the clocks show, without an offset."""

    outreach: Outreach
    at: str
    zone: str


LOCAL = "local_time_zones"


def until(end: datetime, now: datetime) -> Iterator[Planned]:
    """The next run of each outreach that has one by then, soonest first; those that API calls asked for left out."""
    rows = Occurrence.objects.filter(finished_at=None, planned_at__gt=now, planned_at__lte=end)
    rows = rows.filter(outreach__status=Status.ACTIVE).exclude(dispatch__kind=Dispatch.Kind.API)
    seen: set[int] = set()
    for row in rows.select_related("outreach").prefetch_related("outreach__tags").order_by("planned_at", "pk"):
        if row.outreach_id in seen:
            continue
        seen.add(row.outreach_id)
        yield _planned(row)
        if len(seen) >= MOST:
            return


def _planned(row: Occurrence) -> Planned:
    if row.local_day and row.local_time:
        return Planned(row.outreach, datetime.combine(row.local_day, row.local_time).isoformat(), LOCAL)
    return Planned(row.outreach, row.planned_at.isoformat(), zones.company().key)
