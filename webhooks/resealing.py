"""Seals every stored secret under the newest key of CREDENTIALS_KEY, so that older keys may be taken away."""

from collections.abc import Callable, Iterator
from typing import Any

from django.db import transaction
from django.db.models import Model

from webhooks.models import Content, FrozenRequest, Sender
from workspace.models import Credential
from workspace.secrets import reseal, reseal_bytes

_CHUNK = 200

_WHERE: tuple[tuple[type[Model], str, Callable[[Any], Any]], ...] = (
    (Credential, "sealed_value", reseal),
    (Sender, "sealed_secrets", lambda kept: [each | {"secret": reseal(each["secret"])} for each in kept]),
    (Content, "headers", lambda rows: [_header(row) for row in rows]),
    (FrozenRequest, "sealed", lambda sealed: reseal_bytes(bytes(sealed))),
)


def reseal_all() -> int:
    """Seal all anew; the number of rows looked at. Safe beside a running installation, and to run again.

    Raises UnreadableSecret where a key is missing; what was done until then stays done.
    """
    return sum(_reseal(model, column, change) for model, column, change in _WHERE)


def _header(row: dict[str, Any]) -> dict[str, Any]:
    return row | {"value": reseal(row["value"])} if row.get("is_secret") else row


def _reseal(model: type[Model], column: str, change: Callable[[Any], Any]) -> int:
    return sum(_reseal_chunk(model, column, change, ids) for ids in _ids(model))


@transaction.atomic
def _reseal_chunk(model: type[Model], column: str, change: Callable[[Any], Any], ids: list[int]) -> int:
    """Only what differs is written. Rows are locked meanwhile: nobody's newer value is overwritten."""
    rows = model._default_manager.select_for_update().filter(pk__in=ids).values_list("pk", column)
    for pk, before in list(rows):
        after = change(before)
        if after != before:
            model._default_manager.filter(pk=pk).update(**{column: after})
    return len(ids)


def _ids(model: type[Model]) -> Iterator[list[int]]:
    """All primary keys, a chunk at a time."""
    after = 0
    while ids := list(model._default_manager.filter(pk__gt=after).order_by("pk").values_list("pk", flat=True)[:_CHUNK]):
        yield ids
        after = ids[-1]
