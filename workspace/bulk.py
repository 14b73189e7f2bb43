"""Writes many rows in one statement, the same way on PostgreSQL and SQLite.

Rows travel as one JSON parameter that the database unpacks into a table, so that a batch of any size is one statement
with one plan.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson
from django.db import connection
from django.db.models import BooleanField
from django.db.models.expressions import RawSQL
from psycopg.types.datetime import TimestamptzLoader

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
    stamps: dict[Any, str] = {}  # the rows of a batch share a few moments

    def default(value: Any) -> str:
        if value not in stamps:
            stamps[value] = _stamp(value)
        return stamps[value]

    rows = list(rows)
    # PostgreSQL reads times as orjson writes them
    option = 0 if connection.vendor == "postgresql" else orjson.OPT_PASSTHROUGH_DATETIME
    try:
        return orjson.dumps(rows, default, option).decode()
    except TypeError:  # a number beyond 64 bits, half of a surrogate pair, or what can't travel at all
        return json.dumps(rows, default=default, separators=(",", ":"))


def as_text(value: Mapping[str, Any]) -> str:
    """A JSON object as text, for a column of `rows_as_table` that becomes jsonb."""
    return json.dumps(value, separators=(",", ":"))


def ids_as_table(alias: str = "u") -> str:
    """SQL for a FROM clause: one JSON array of integers (`%s`) as a table with the column `id`."""
    if connection.vendor == "postgresql":
        return f"(SELECT value::bigint AS id FROM jsonb_array_elements_text(%s::jsonb)) AS {alias}"
    return f"(SELECT value AS id FROM json_each(%s)) AS {alias}"


def stamp(moment: datetime) -> str:
    """An aware time as text that this database compares with its own columns."""
    return str(connection.ops.adapt_datetimefield_value(moment))


def in_ids(column: str) -> str:
    """SQL that asks whether a column is one of many integers: one parameter, from `ids_param`.

    Other than a join with `ids_as_table`, it lets PostgreSQL see how many there are, so that statistics that are out
    of date can't make it read the whole table, or read the ids again for every row.
    """
    if connection.vendor == "postgresql":
        return f"{column} = ANY(%s::bigint[])"
    return f"{column} IN (SELECT value FROM json_each(%s))"


def ids_param(ids: Iterable[int]) -> str:
    """Integers as the parameter for `in_ids`: text, which takes a third of the time of the driver's own arrays."""
    if connection.vendor == "postgresql":
        return _array(map(str, ids))
    return as_json_ids(ids)


def is_one_of(column: str, ids: Iterable[int]) -> RawSQL:
    """`in_ids` as a condition of a queryset, whose own `__in` binds each id: that costs more than the query."""
    return _condition(in_ids(column), ids_param(ids))


def rows_of_each(table: str, key: str, columns: str, condition: str) -> str:
    """SQL for a FROM clause, as `r`: the rows of a table whose integer `key` is one of many and that meet a condition.

    The ids, each once, are one parameter, from `ids_param`; it comes before those of `condition`. Each id is looked up
    through an index by itself: statistics that are out of date, as after an import, made PostgreSQL read it whole.
    """
    if connection.vendor == "postgresql":
        rows = f"SELECT {columns} FROM {table} WHERE {key} = u.id AND {condition} OFFSET 0"  # 0: it stays a look-up
        return f"unnest(%s::bigint[]) AS u(id) CROSS JOIN LATERAL ({rows}) AS r"
    return f"(SELECT {columns} FROM json_each(%s) AS u CROSS JOIN {table} WHERE {key} = u.value AND {condition}) AS r"


def in_texts(column: str) -> str:
    """The same for texts; its parameter comes from `texts_param`. One parameter costs less than one for each text."""
    if connection.vendor == "postgresql":
        return f"{column} = ANY(%s::text[])"
    return f"{column} IN (SELECT value FROM json_each(%s))"


def texts_param(texts: Iterable[str]) -> str:
    if connection.vendor != "postgresql":
        return json.dumps(list(texts))
    return _array('"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"' for text in texts)


def is_at_one_of(column: str, moments: Iterable[datetime]) -> RawSQL:
    """The same for aware times, as a condition of a queryset."""
    if connection.vendor == "postgresql":
        return _condition(f"{column} = ANY(%s::timestamptz[])", _array(moment.isoformat() for moment in moments))
    return _condition(f"{column} IN (SELECT value FROM json_each(%s))", json.dumps([stamp(each) for each in moments]))


def _condition(sql: str, param: str) -> RawSQL:
    return RawSQL(sql, [param], output_field=BooleanField())  # noqa: S611 - the SQL is ours


def time_param(moment: datetime) -> Any:
    """An aware time as a parameter of a statement, as this database stores it."""
    return moment if connection.vendor == "postgresql" else stamp(moment)


def moment(value: Any) -> datetime:
    """A time that a statement returned, aware: SQLite hands out text."""
    found = datetime.fromisoformat(value) if isinstance(value, str) else value
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def document(value: Any) -> Any:
    """A JSON column as a statement returned it, read: both databases hand out text."""
    return json.loads(value) if isinstance(value, str) else value


def for_update(alias: str, *, skip_locked: bool = False) -> str:
    """SQL that locks a query's rows; nothing on SQLite, whose writing transactions never overlap."""
    if connection.vendor != "postgresql":
        return ""
    return f"FOR UPDATE OF {alias}{' SKIP LOCKED' if skip_locked else ''}"


def execute(sql: str, params: Sequence[Any]) -> int:
    """Run one statement; the number of rows it touched."""
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.rowcount


def fetch(sql: str, params: Sequence[Any]) -> list[tuple[Any, ...]]:
    """Run one statement; the rows it returns."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":  # Django reads times in Python; this is psycopg's own, compiled
            cursor.cursor.adapters.register_loader("timestamptz", TimestamptzLoader)
        cursor.execute(sql, params)
        return cursor.fetchall()


def _stamp(value: Any) -> str:
    if isinstance(value, datetime):
        return stamp(value)
    raise TypeError(f"{type(value).__name__} can't travel in a bulk write")


def _array(parts: Iterable[str]) -> str:
    """PostgreSQL's text of an array."""
    return "{" + ",".join(parts) + "}"


def as_json_ids(ids: Iterable[int]) -> str:
    """Integers as the parameter for `ids_as_table`."""
    return json.dumps(list(ids), separators=(",", ":"))
