"""Lists by page or by cursor."""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from typing import Any

from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse

from api.errors import BadRequest


def page_of(rows: "QuerySet[Any]", page: int, size: int) -> "QuerySet[Any]":
    """A page past the end is empty."""
    return rows[page * size : (page + 1) * size]


def after(rows: "QuerySet[Any]", column: str, cursor: str | None, size: int) -> tuple[Sequence[Any], str]:
    """The rows after the cursor in order of a unique column, and the next cursor, empty on the last page.

    Raises BadRequest for a cursor that is none of ours.
    """
    if cursor:
        rows = rows.filter(**{f"{column}__gt": read(cursor)})
    found = [*rows.order_by(column)[: size + 1]]
    last: Model | None = found[size - 1] if len(found) > size else None
    return found[:size], write(str(getattr(last, column))) if last else ""


def write(text: str) -> str:
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read(cursor: str) -> str:
    try:
        return urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    except (binascii.Error, ValueError) as error:
        raise BadRequest("Bad Request: 'cursor' is not valid") from error


def link_next(request: HttpRequest, response: HttpResponse, cursor: str) -> None:
    """Say where the next page is, as an absolute address with the caller's own scheme, host and port."""
    if cursor:
        address = f"{request.scheme}://{request.get_host()}{request.path}?cursor={cursor}"
        response["Link"] = f'<{address}>; rel="next"'
