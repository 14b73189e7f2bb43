"""Counts endpoint errors: for alerts in five-minute slots that last, and for a sudden rate of them in Redis."""

import time
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Sum
from redis.client import Pipeline

from webhooks.models import ErrorCount, LogKind, MessageActivityLog
from webhooks.request import Answer
from workspace import bulk, queues

COUNTED = frozenset({400, 401, 403, 404, 405, 408, 409, 429, 500, 502, 503, 504, 598, 599})
KINDS = frozenset({LogKind.WEBHOOK_ERROR, LogKind.CONNECTED_CONTENT_ERROR})
SLOT = timedelta(minutes=5)
QUARTER = 3  # slots
_COLUMNS = {
    "since": "timestamptz",
    "kind": "text",
    "content_id": "bigint",
    "host": "text",
    "status": "smallint",
    "count": "bigint",
    "last_at": "timestamptz",
    "url": "text",
}


def count(rows: Iterable[MessageActivityLog]) -> None:
    """Add the errors among these log rows, in one statement and in key order. Call it in their transaction."""
    counts: Counter[tuple[Any, ...]] = Counter()
    last: dict[tuple[Any, ...], MessageActivityLog] = {}
    for row in rows:
        if row.kind in KINDS and row.status in COUNTED:
            key = (_slot(row.at), row.kind, row.content_id or 0, row.host, row.status)
            counts[key] += 1
            last[key] = row
    if not counts:
        return
    bulk.execute(
        f"""
        INSERT INTO webhooks_errorcount (since, kind, content_id, host, status, count, last_at, url)
        SELECT since, kind, content_id, host, status, count, last_at, url FROM {bulk.rows_as_table(_COLUMNS)} WHERE TRUE
        ON CONFLICT (since, kind, content_id, host, status) DO UPDATE SET
            count = webhooks_errorcount.count + excluded.count, last_at = excluded.last_at, url = excluded.url
        """,
        [
            bulk.as_json(
                dict(zip(_COLUMNS, (*key, counts[key], last[key].at, _address(last[key])), strict=True))
                for key in sorted(counts)
            )
        ],
    )


def _slot(at: datetime) -> datetime:
    return at.replace(minute=at.minute - at.minute % 5, second=0, microsecond=0)


def _address(row: MessageActivityLog) -> str:
    """The address of the request, masked already, without its query."""
    return str((row.request or {}).get("url", "")).partition("?")[0][:2000]


def add_to(pipe: Pipeline, answers: Sequence[Answer]) -> None:
    """Count requests and failures of this quarter of an hour."""
    key = f"attempts:{int(time.time()) // int(SLOT.total_seconds())}"
    pipe.hincrby(key, "all", len(answers))
    pipe.hincrby(key, "errors", sum(answer.status in COUNTED for answer in answers))
    pipe.expire(key, 3600)


def recent_rate() -> tuple[int, int]:
    """Failed requests and all requests of the last 10 to 15 minutes."""
    slot = int(time.time()) // int(SLOT.total_seconds())
    pipe = queues.connection().pipeline(transaction=False)
    for back in range(QUARTER):
        pipe.hmget(f"attempts:{slot - back}", "errors", "all")
    rows = pipe.execute()
    return sum(int(row[0] or 0) for row in rows), sum(int(row[1] or 0) for row in rows)


def total(kind: str, since: datetime) -> int:
    """Errors of a kind since then, by whole slots."""
    return int(ErrorCount.objects.filter(kind=kind, since__gt=since).aggregate(total=Sum("count"))["total"] or 0)
