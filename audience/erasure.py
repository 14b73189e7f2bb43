"""Deletes people everywhere, for good. Higher apps add what they have to erase or blank."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from django.db import transaction
from django.db.models import Model

from audience.models import (
    Alias,
    CustomEvent,
    EventSummary,
    FormerId,
    ImportedProfile,
    PendingEvent,
    Profile,
    Purchase,
    SubscriptionState,
)

Eraser = Callable[[Sequence[int]], None]
"""Erases what an app keeps about these profile ids, inside the transaction that deletes them."""
Extent = Callable[[Sequence[int]], Mapping[str, int]]
"""How many rows of what an app would erase, by name, for the confirmation."""

CHUNK = 500  # profiles
_erasers: list[tuple[Eraser, Extent]] = []
_TABLES: Sequence[type[Model]] = (
    PendingEvent,
    CustomEvent,
    Purchase,
    EventSummary,
    SubscriptionState,
    Alias,
    FormerId,
    ImportedProfile,
)


def add_eraser(eraser: Eraser, extent: Extent) -> None:
    """Have an app's rows erased with the person."""
    _erasers.append((eraser, extent))


def erase(ids: Iterable[int]) -> int:
    """Delete the profiles with all that is kept about them, in chunks of one transaction each; how many there were.

    Messages that wait for them are skipped when they fall due. Totals stay as they are.
    """
    count = 0
    for start in _chunks(ids):
        with transaction.atomic():
            known = Profile.objects.filter(pk__in=start).order_by("pk").select_for_update()
            present = [*known.values_list("pk", flat=True)]
            for eraser, _extent in _erasers:
                eraser(present)
            for table in _TABLES:
                rows = table._default_manager.filter(profile__in=present)
                rows._raw_delete(rows.db)  # nothing points at these rows
            Profile.objects.filter(pk__in=present).delete()
            count += len(present)
    return count


def extent(ids: Sequence[int]) -> dict[str, int]:
    """How many rows of what would be deleted, by name; what is none is left out."""
    found = {str(table._meta.verbose_name_plural): _count(table, ids) for table in _TABLES}
    for _eraser, count in _erasers:
        found |= count(ids)
    return {name: number for name, number in found.items() if number}


def _count(table: type[Model], ids: Sequence[int]) -> int:
    return table._default_manager.filter(profile__in=ids).count()


def _chunks(ids: Iterable[int]) -> Iterable[list[int]]:
    ids = [*ids]
    return (ids[start : start + CHUNK] for start in range(0, len(ids), CHUNK))
