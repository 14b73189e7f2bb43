"""Writes many rows in one statement, the same way on PostgreSQL and SQLite.

Rows travel as one JSON parameter that the database unpacks into a table, so that a batch of any size is one statement
with one plan.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import connection

_SQLITE_TYPES = {"bigint": "integer", "smallint": "integer"}


def rows_as_table(columns: Mapping[str, str], alias: str = "u") -> str:
    """SQL for a FROM clause: one JSON parameter (`%s`, from `as_json`) as a table of `columns` (name: type).

    Types are PostgreSQL's. Names come from code, never from people.
    """
    if connection.vendor == "postgresql":
        fields = ", ".join(f"{name} {kind}" for name, kind in columns.items())
        return f"jsonb_to_recordset(%s::jsonb) AS {alias}({fields})"
    fields = ", ".join(f"json_extract(value, '$.{name}') AS {name}" for name in columns)
    return f"(SELECT {fields} FROM json_each(%s)) AS {alias}"


def as_json(rows: Iterable[Mapping[str, Any]]) -> str:
    """The rows as the parameter for `rows_as_table`. Times are stored as the database compares them."""
    return json.dumps(list(rows), default=_stamp, separators=(",", ":"))


def ids_as_table(alias: str = "u") -> str:
    """SQL for a FROM clause: one JSON array of integers (`%s`) as a table with the column `id`."""
    if connection.vendor == "postgresql":
        return f"(SELECT value::bigint AS id FROM jsonb_array_elements_text(%s::jsonb)) AS {alias}"
    return f"(SELECT value AS id FROM json_each(%s)) AS {alias}"


def stamp(moment: datetime) -> str:
    """An aware time as text that this database compares with its own columns."""
    return str(connection.ops.adapt_datetimefield_value(moment))


def execute(sql: str, params: Sequence[Any]) -> int:
    """Run one statement; the number of rows it touched."""
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.rowcount


def fetch(sql: str, params: Sequence[Any]) -> list[tuple[Any, ...]]:
    """Run one statement; the rows it returns."""
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall()


def _stamp(value: Any) -> str:
    if isinstance(value, datetime):
        return stamp(value)
    raise TypeError(f"{type(value).__name__} can't travel in a bulk write")


def as_json_ids(ids: Iterable[int]) -> str:
    """Integers as the parameter for `ids_as_table`."""
    return json.dumps(list(ids), separators=(",", ":"))
