"""Keeps the Message Activity Log in bounds: so many rows with details an hour, the rest as a number; old ones go."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from webhooks import errors
from webhooks.models import LogHour, MessageActivityLog, Sender
from workspace import bulk

DETAILED = 1_000  # rows of a type for each content and clock hour (webhooks specification, section 11)
CHUNK = 5_000
FULL_LOGGING = timedelta(hours=1)
Key = tuple[int, int, str]

_COLUMNS = {"sender_id": "bigint", "content_id": "bigint", "kind": "text", "hour": "timestamptz", "count": "bigint"}


def write(rows: Iterable[MessageActivityLog]) -> None:
    """Store these rows; those beyond the hour's bound only raise the number that one summary row shows."""
    rows = list(rows)
    by_hour: dict[datetime, dict[Key, list[MessageActivityLog]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        hour = row.at.replace(minute=0, second=0, microsecond=0)
        by_hour[hour][row.sender_id or 0, row.content_id or 0, row.kind].append(row)
    if by_hour:
        with transaction.atomic():
            errors.count(rows)
            for hour in sorted(by_hour):
                _write(hour, by_hour[hour])


def _write(hour: datetime, by_key: Mapping[Key, Sequence[MessageActivityLog]]) -> None:
    counts = _count(hour, by_key)
    kept: list[MessageActivityLog] = []
    for key, found in by_key.items():
        room = max(0, DETAILED - counts[key] + len(found))
        kept += found[:room]
        if len(found) > room:
            _summarise(hour, key, found[room:])
    MessageActivityLog.objects.bulk_create(kept)


def _count(hour: datetime, by_key: Mapping[Key, Sequence[MessageActivityLog]]) -> dict[Key, int]:
    """Add to the hour's counts, in key order; what they are now. One statement."""
    rows = [dict(zip(_COLUMNS, (*key, hour, len(by_key[key])), strict=True)) for key in sorted(by_key)]
    found = bulk.fetch(
        f"""
        INSERT INTO webhooks_loghour (sender_id, content_id, kind, hour, count, summary_id)
        SELECT sender_id, content_id, kind, hour, count, 0 FROM {bulk.rows_as_table(_COLUMNS)} WHERE TRUE
        ON CONFLICT (sender_id, content_id, kind, hour) DO UPDATE SET count = webhooks_loghour.count + excluded.count
        RETURNING sender_id, content_id, kind, count
        """,
        [bulk.as_json(rows)],
    )
    return {(sender, content, kind): count for sender, content, kind, count in found}


def _summarise(hour: datetime, key: Key, more: Sequence[MessageActivityLog]) -> None:
    """Raise the summary's number. The hour's row is locked: `_count` has just written it."""
    sender, content, kind = key
    own = LogHour.objects.get(sender_id=sender, content_id=content, kind=kind, hour=hour)
    summary = MessageActivityLog.objects.filter(pk=own.summary_id).first() if own.summary_id else None
    if summary is None:
        last = more[-1]
        summary = MessageActivityLog(at=last.at, kind=kind, sender_id=last.sender_id, content_id=last.content_id)
        summary.host, summary.status, summary.covers = last.host, last.status, 0
    summary.covers += len(more)
    summary.text = _("and %(count)s more like these in this hour") % {"count": f"{summary.covers:,}"}
    summary.save()
    LogHour.objects.filter(pk=own.pk).update(summary_id=summary.pk)


def log_everything(senders: Iterable[int], now: datetime) -> None:
    """For an hour, log what is received as well."""
    Sender.objects.filter(pk__in=list(senders)).update(log_everything_until=now + FULL_LOGGING)


def end_full_logging(now: datetime) -> None:
    """Back to failures only where the hour is over. One statement."""
    Sender.objects.filter(log_everything_until__lt=now).update(log_everything_until=None)


def prune(now: datetime) -> int:
    """Delete rows older than the setting says, a chunk in each transaction; how many."""
    until = now - timedelta(days=settings.LOG_DAYS_KEPT)
    deleted = 0
    old = MessageActivityLog.objects.filter(at__lt=until).order_by("at").values_list("pk", flat=True)
    while ids := list(old[:CHUNK]):
        deleted += MessageActivityLog.objects.filter(pk__in=ids).delete()[0]
    LogHour.objects.filter(hour__lt=until).delete()
    return deleted
