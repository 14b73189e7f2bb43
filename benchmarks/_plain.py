"""The frozen plain loop: claim, render, send, record, with no checks, no leases, no log. The measure of the overhead.

    python -m benchmarks._plain DSN URL            one process until nothing is left

Don't tune it: figures of different days are compared through it. Table: `plain_message`, made by `prepare`.
"""

import json
import sys
import time
from typing import Any

import psycopg
import pycurl
from liquid import Environment

from benchmarks import _typical

BATCH, IN_FLIGHT = 256, 64


def prepare(dsn: str, count: int) -> None:
    """Make the table and one message a profile; the profiles are those of the product's own table."""
    with psycopg.connect(dsn, autocommit=True) as db:
        db.execute("DROP TABLE IF EXISTS plain_message")
        db.execute(
            "CREATE TABLE plain_message (id bigserial PRIMARY KEY, profile_id bigint NOT NULL,"
            " due_at timestamptz NOT NULL DEFAULT now(), finished_at timestamptz, status int)"
        )
        db.execute("CREATE INDEX ON plain_message (due_at) WHERE finished_at IS NULL")
        db.execute(
            "INSERT INTO plain_message (profile_id) SELECT id FROM audience_profile ORDER BY id LIMIT %s", [count]
        )
        db.execute("ANALYZE plain_message")


def run(dsn: str, base: str) -> int:
    """Deliver everything; the number of messages of this process."""
    environment = Environment()
    url = environment.from_string(_typical.PLAIN_URL.format(base=base))
    body = environment.from_string(_typical.PLAIN_BODY)
    headers = [(name, environment.from_string(value)) for name, value in _typical.PLAIN_HEADERS]
    multi = pycurl.CurlMulti()
    multi.setopt(pycurl.M_MAXCONNECTS, IN_FLIGHT)
    idle = [_handle() for _ in range(IN_FLIGHT)]
    done = 0
    with psycopg.connect(dsn, autocommit=True) as db:
        while rows := db.execute(_CLAIM, [BATCH]).fetchall():
            waiting = [_render(id, dict(user), url, body, headers) for id, user in rows]
            statuses = _send(multi, idle, waiting)
            db.execute(_RECORD, [[id for id, _ in statuses], [status for _, status in statuses]])
            done += len(statuses)
    return done


_CLAIM = """
WITH due AS (
    SELECT id, profile_id FROM plain_message WHERE finished_at IS NULL AND due_at <= now()
    ORDER BY due_at LIMIT %s FOR UPDATE SKIP LOCKED
), taken AS (
    UPDATE plain_message SET due_at = now() + interval '100 seconds' FROM due WHERE plain_message.id = due.id
    RETURNING due.id, due.profile_id
) SELECT taken.id, to_jsonb(p) FROM taken JOIN audience_profile p ON p.id = taken.profile_id
"""
_RECORD = """
UPDATE plain_message SET finished_at = now(), status = u.status
FROM unnest(%s::bigint[], %s::int[]) AS u(id, status) WHERE plain_message.id = u.id
"""


def _handle() -> pycurl.Curl:
    curl = pycurl.Curl()
    curl.setopt(pycurl.POST, 1)
    curl.setopt(pycurl.NOSIGNAL, 1)
    curl.setopt(pycurl.WRITEFUNCTION, lambda _: None)
    return curl


def _render(id: int, user: dict[str, Any], url: Any, body: Any, headers: Any) -> tuple[int, str, bytes, list[str]]:
    data = {"user": user, "custom": user["custom_attributes"]}
    lines = [f"{name}: {value.render(**data)}" for name, value in headers]
    return id, url.render(**data), body.render(**data).encode(), lines


def _send(multi: Any, idle: list[Any], waiting: list[Any]) -> list[tuple[int, int]]:
    statuses: list[tuple[int, int]] = []
    busy: dict[Any, int] = {}
    while waiting or busy:
        while waiting and idle:
            id, url, body, lines = waiting.pop()
            curl = idle.pop()
            curl.setopt(pycurl.URL, url)
            curl.setopt(pycurl.POSTFIELDS, body)
            curl.setopt(pycurl.HTTPHEADER, lines)
            busy[curl] = id
            multi.add_handle(curl)
        multi.perform()
        _, good, bad = multi.info_read()
        for curl in [*good, *(curl for curl, _, _ in bad)]:
            multi.remove_handle(curl)
            statuses.append((busy.pop(curl), curl.getinfo(pycurl.RESPONSE_CODE)))
            idle.append(curl)
        if busy and not good:
            multi.select(0.1)
    return statuses


if __name__ == "__main__":
    began = time.time()
    print(json.dumps([run(sys.argv[1], sys.argv[2]), began, time.time()]))
