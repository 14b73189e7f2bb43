"""The kinds of value that fields have, as clients really send them: numbers as ids, 0 and 1 as booleans, times."""

import re
from datetime import datetime
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema

from audience import times

_NO_PLUS = re.compile(r" (\d{1,2}:?\d\d)$")
_WORDS = {"true": True, "false": False}
MOST_PAGES = 1_000_000


def _id(value: Any) -> Any:
    """A number is taken as its decimal text."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _boolean(value: Any) -> Any:
    if isinstance(value, str):
        value = _WORDS.get(value.lower(), value)
    if not isinstance(value, bool):
        raise ValueError("must be true or false")
    return value


def _query_boolean(value: Any) -> Any:
    return _boolean({"1": "true", "0": "false"}.get(value, value))


def _time(value: Any) -> datetime:
    moment = times.parse(value.strip()) if isinstance(value, str) else None
    if moment is None:
        raise ValueError("is not a time such as 2026-03-01T09:30:00Z")
    return moment


def _query_time(value: Any) -> datetime:
    """In a query a plus sign that was not encoded arrives as a blank."""
    moment = _time(_NO_PLUS.sub(r"+\1", value) if isinstance(value, str) else value)
    if not 1900 <= moment.year <= 2999:
        raise ValueError("must lie between 1900 and 2999")
    return moment


def _page(value: Any) -> int:
    try:
        number = int(value)
    except (TypeError, ValueError) as error:
        raise ValueError("must be a whole number from 0") from error
    if number < 0:
        raise ValueError("must be a whole number from 0")
    return min(number, MOST_PAGES)


_TIME_SCHEMA = WithJsonSchema({"type": "string", "format": "date-time"})
_OPEN = WithJsonSchema({"type": "object", "additionalProperties": True})

Id = Annotated[str, BeforeValidator(_id)]
Boolean = Annotated[bool, BeforeValidator(_boolean)]
QueryBoolean = Annotated[bool, BeforeValidator(_query_boolean)]
Time = Annotated[datetime, BeforeValidator(_time), _TIME_SCHEMA]
QueryTime = Annotated[datetime, BeforeValidator(_query_time), _TIME_SCHEMA]
Page = Annotated[int, BeforeValidator(_page), WithJsonSchema({"type": "integer", "minimum": 0})]
Length = Annotated[int, Field(ge=1, le=100)]
ApiId = Annotated[Any, WithJsonSchema({"type": "string", "format": "uuid"})]
Open = Annotated[Any, _OPEN]
"""An object of which anything is taken; what can't be used is told item by item."""
