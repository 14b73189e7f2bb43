"""Functions that filters need and SQLite lacks: regular expressions that can't run away, and days in a time zone."""

import sqlite3
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import re2
from django.db.backends.base.base import BaseDatabaseWrapper

from audience import times


def add_functions(sender: object, connection: BaseDatabaseWrapper, **kwargs: Any) -> None:
    """Receiver of `connection_created`."""
    if connection.vendor == "sqlite" and isinstance(connection.connection, sqlite3.Connection):
        connection.connection.create_function("hookline_matches", 2, matches, deterministic=True)
        connection.connection.create_function("hookline_month_day", 2, month_day, deterministic=True)


def matches(pattern: str, text: str) -> bool:
    """Whether a match of the pattern (of `filters.patterns`) is found in the text, in time linear to its length."""
    return _compiled(pattern).search(text) is not None


@lru_cache(maxsize=512)
def _compiled(pattern: str) -> Any:
    options = re2.Options()
    options.log_errors = False
    return re2.compile(pattern, options)


def month_day(text: str, zone: str) -> str:
    """The MM-DD of a canonical time in the zone. A time at midnight UTC is a bare date: it keeps its own day."""
    moment = times.parse(text)
    if moment is None or text.endswith("T00:00:00.000Z") or text[5:10] == "02-29":
        return text[5:10]
    if moment.year == 1:  # Python has no day before it; 400 years later the calendar is the same
        moment = moment.replace(year=401)
    return f"{moment.astimezone(ZoneInfo(zone)):%m-%d}"
