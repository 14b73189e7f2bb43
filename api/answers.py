"""The shapes that all answers share."""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from typing import Any

from ninja import Schema

from audience.ingest import ItemError


class Fault(Schema):
    """What is wrong with one item: `index` counts from 0 in the list that `input_array` names."""

    type: str
    input_array: str
    index: int


class Failure(Schema):
    """Nothing of the request was carried out."""

    message: str
    errors: list[Fault] | None = None


class Success(Schema):
    message: str = "success"


def faults(errors: Iterable[ItemError]) -> list[dict[str, Any]]:
    """Entries for `errors`, in the order of the request."""
    return [asdict(error) for error in sorted(errors, key=lambda each: (each.input_array, each.index))]


def with_faults(answer: dict[str, Any], errors: Iterable[ItemError]) -> dict[str, Any]:
    """The answer, with `errors` only if there are any."""
    found = faults(errors)
    return answer | {"errors": found} if found else answer


def moment(at: datetime | None) -> str | None:
    """A time as answers give it: ISO 8601 with an offset."""
    return at.replace(microsecond=0).isoformat() if at else None
