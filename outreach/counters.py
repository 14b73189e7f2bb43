"""The totals. Every change adds to a day's row, in the transaction of the change, last and in key order."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from django.db.models import BigIntegerField, OuterRef, Subquery, Sum
from django.db.models.functions import Coalesce

from outreach.models import DailyCount, HourlyCount, Metric, Outreach
from webhooks.hooks import Recorded
from webhooks.models import Message, Outcome
from workspace import bulk
from workspace.models import Workspace
from workspace.remembered import Recent, Remembered

CONTROL_REASON = "control_group"
HOURS_KEPT = timedelta(days=3)


class Key(NamedTuple):
    """What a count is about. `step` is the id of a Canvas step, 0 in a campaign."""

    outreach: int
    day: date
    variant: int
    step: int
    metric: str
    reason: str = ""


_COLUMNS = {
    "outreach_id": "bigint",
    "day": "date",
    "variant": "bigint",
    "step": "bigint",
    "metric": "text",
    "reason": "text",
    "count": "bigint",
}


def add(counts: Mapping[Key, int]) -> None:
    """Add to the totals: one statement. Call it last in a transaction."""
    rows = [
        dict(zip(_COLUMNS, (*key[:1], key.day.isoformat(), *key[2:], counts[key]), strict=True))
        for key in sorted(counts)
        if counts[key]
    ]
    if rows:
        names = ", ".join(_COLUMNS)
        bulk.execute(
            f"""
            INSERT INTO outreach_dailycount ({names}) SELECT {names} FROM {bulk.rows_as_table(_COLUMNS)} WHERE TRUE
            ON CONFLICT (outreach_id, day, variant, step, metric, reason)
            DO UPDATE SET count = outreach_dailycount.count + excluded.count
            """,
            [bulk.as_json(rows)],
        )


def record(recorded: Sequence[Recorded]) -> None:
    """Count what became of a batch of messages (registered with `webhooks.hooks.recorders`)."""
    owners = _owners.of(item.message.sender_id for item in recorded)
    counts: Counter[Key] = Counter()
    days = {at: today(at) for at in {item.at for item in recorded}}
    for item in recorded:
        outreach = owners.get(item.message.sender_id)
        if outreach is None:
            continue  # a sender without an outreach: an API message
        key = Key(outreach, days[item.at], item.message.variant, 0, item.outcome, item.reason)
        if item.outcome:
            counts[key] += 1
        if item.reason == CONTROL_REASON:
            counts[key._replace(metric=Metric.ENROLLED, reason="")] += 1
        if item.was_error:
            counts[key._replace(metric=Metric.ERRORS, reason="")] += 1
    add(counts)
    _add_hours(recorded, owners)


_HOURLY = {"outreach_id": "bigint", "hour": "timestamptz", "metric": "text", "count": "bigint"}


def _add_hours(recorded: Sequence[Recorded], owners: Mapping[int, int]) -> None:
    counts: Counter[tuple[datetime, int, str]] = Counter()
    for item in recorded:
        is_received = item.outcome == Outcome.RECEIVED
        if (is_received or item.was_error) and (outreach := owners.get(item.message.sender_id)):
            hour = item.at.replace(minute=0, second=0, microsecond=0)
            counts[hour, outreach, Metric.RECEIVED if is_received else Metric.ERRORS] += 1
    if counts:
        names = ", ".join(_HOURLY)
        rows = [
            dict(zip(_HOURLY, (outreach, hour, metric, counts[hour, outreach, metric]), strict=True))
            for hour, outreach, metric in sorted(counts)
        ]
        bulk.execute(
            f"""
            INSERT INTO outreach_hourlycount ({names}) SELECT {names} FROM {bulk.rows_as_table(_HOURLY)} WHERE TRUE
            ON CONFLICT (hour, outreach_id, metric) DO UPDATE SET count = outreach_hourlycount.count + excluded.count
            """,
            [bulk.as_json(rows)],
        )


def prune_hours(now: datetime) -> None:
    """Forget the hours that no page shows any more."""
    HourlyCount.objects.filter(hour__lt=now - HOURS_KEPT).delete()


def take_back(failed: Sequence[Message], now: datetime) -> None:
    """Failed messages are pending again (registered with `webhooks.hooks.reopeners`)."""
    owners, day = _owners.of(message.sender_id for message in failed), today(now)
    counts: Counter[Key] = Counter()
    for message in failed:
        if outreach := owners.get(message.sender_id):
            counts[Key(outreach, day, message.variant, 0, message.outcome, message.reason)] -= 1
    add(counts)


def _outreach_by_sender(senders: set[int]) -> dict[int, int]:
    return dict(Outreach.with_tests.filter(sender_id__in=senders).values_list("sender_id", "id"))


_owners = Remembered(_outreach_by_sender)


def outreach_by_sender(senders: Iterable[int]) -> Mapping[int, int]:
    """Outreach ids by sender id."""
    return _owners.of(senders)


def today(now: datetime) -> date:
    """The date in the workspace's zone."""
    return now.astimezone(ZoneInfo(_zone.of([0])[0])).date()


_zone = Recent(lambda _keys: {0: Workspace.current().time_zone})


def totals(outreach: Outreach) -> dict[str, int]:
    """Sums of every metric, and `pending` as what is left of planned."""
    rows = DailyCount.objects.filter(outreach=outreach).values_list("metric").annotate(Sum("count"))
    sums = dict.fromkeys(Metric.values, 0) | dict(rows)
    sums["pending"] = pending(sums)
    return sums


def total(*metrics: str, **only: object) -> Coalesce:
    """A sum of metrics as a column of a list of outreach: looked up for the rows that are shown, not for all."""
    rows = DailyCount.objects.filter(outreach=OuterRef("pk"), metric__in=metrics, **only).order_by()
    sums = rows.values("outreach").annotate(total=Sum("count")).values("total")
    return Coalesce(Subquery(sums), 0, output_field=BigIntegerField())


def pending(sums: Mapping[str, int]) -> int:
    """planned − received − failed − aborted − skipped − cancelled."""
    ended = (Metric.RECEIVED, Metric.FAILED, Metric.ABORTED, Metric.SKIPPED, Metric.CANCELLED)
    return sums[Metric.PLANNED] - sum(sums[metric] for metric in ended)
