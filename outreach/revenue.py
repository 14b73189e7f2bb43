"""Credits the money that profiles spend to what they received (campaigns specification, section 10.2).

A purchase counts in full for every outreach within whose primary window it was made: three days where there is no
conversion event. Which outreach that is, campaigns and Canvases tell in their own way.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import QuerySet, Sum
from django.utils import timezone

from audience import money
from audience.models import PendingEvent, Purchase
from audience.reactions import Names
from outreach.conversions import LATEST, LONGEST_WINDOW
from outreach.models import Outreach, Revenue, Status

Kind = PendingEvent.Kind
WINDOW = timedelta(days=3)  # without a conversion event


@dataclass(frozen=True, slots=True)
class Bought:
    """A purchase that somebody may get the credit for; `amount` in the workspace's currency."""

    id: int
    profile_id: int
    amount: Decimal
    occurred_at: datetime
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Credit:
    """That an outreach gets it; the fields are those of `Revenue`."""

    outreach_id: int
    purchase: int
    variant: int
    step: int
    cause: int
    amount: Decimal
    exposed_at: datetime
    occurred_at: datetime


Source = Callable[[Sequence[Bought]], Iterable[Credit]]
sources: list[Source] = []
"""Higher apps: who gets the credit for purchases of different profiles, in a few queries whatever their number."""


def listener(occurred: Names) -> Names:
    """Every purchase, while anything that was launched can still be credited. At most one query."""
    bought = occurred.get(Kind.PURCHASE)
    if not bought:
        return {}
    launched = Outreach.objects.exclude(launched_at=None)
    since = timezone.now() - LONGEST_WINDOW - LATEST
    open_ones = launched.exclude(status=Status.ARCHIVED, updated_at__lt=since)
    return {Kind.PURCHASE: bought} if open_ones.exists() else {}


def react(events: Sequence[PendingEvent], now: datetime) -> None:
    """Credit the purchases among a batch of events of different profiles (registered with `audience.reactions`)."""
    found = _bought([event for event in events if event.kind == Kind.PURCHASE])
    if found:
        credits = [Revenue(**asdict(credit)) for source in sources for credit in source(found)]
        Revenue.objects.bulk_create(credits, ignore_conflicts=True)


def _bought(events: Sequence[PendingEvent]) -> list[Bought]:
    """Their amounts, read from the purchases. What is in a currency without a rate counts as nothing."""
    if not events:
        return []
    worth = money.rates()
    rows = Purchase.objects.filter(pk__in=[event.source_id for event in events], currency__in=worth)
    return [
        Bought(row.pk, row.profile_id, row.price * row.quantity * worth[row.currency], row.occurred_at, row.received_at)
        for row in rows
    ]


# --- totals


def total(
    outreach: Outreach, by: Sequence[str], since: datetime | None = None, until: datetime | None = None
) -> dict[Any, Decimal]:
    """The money of an outreach by these columns, of what was received in a period."""
    rows = Revenue.objects.filter(outreach=outreach)
    rows = rows.filter(exposed_at__gte=since) if since else rows
    return summed(rows.filter(exposed_at__lte=until) if until else rows, *by)


def summed(rows: "QuerySet[Revenue]", *by: str) -> dict[Any, Decimal]:
    """The money of these rows by the values of one column, or by tuples of several. One query."""
    found = rows.order_by().values_list(*by).annotate(Sum("amount"))
    return {key[0] if len(by) == 1 else tuple(key): amount for *key, amount in found}
