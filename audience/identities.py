"""What people are called: aliases, external IDs, and which profiles are the same person.

Each function takes a list of items as clients send them and does what can be done; an item that can't be read is told
by its place. What names nobody is no error.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from audience import erasure, merging, priority
from audience.ingest import items, resolve
from audience.ingest.errors import ItemError, Refused, required
from audience.ingest.items import By, Identifier
from audience.models import Alias, FormerId, Profile


@dataclass(slots=True)
class Done:
    """How many items were accepted, and what was wrong with the others."""

    accepted: int = 0
    errors: list[ItemError] = field(default_factory=list)


Step = Callable[[Mapping[str, Any]], Callable[[], object]]
"""Reads an item (raises Refused) and returns what to do about it."""


def _each(array: str, raw: Sequence[Any], read: Step, done: Done) -> None:
    """Do all items that can be read, each in a transaction of its own."""
    for index, item in enumerate(raw):
        try:
            if not isinstance(item, Mapping):
                raise Refused(f"'{array}' must hold objects")
            act = read(item)
        except Refused as error:
            done.errors.append(ItemError(str(error), array, index))
            continue
        done.accepted += 1
        try:
            with transaction.atomic():
                act()
        except IntegrityError:
            pass  # another caller took the name at the same moment: it belongs to somebody else now


def _external_id(item: Mapping[str, Any], name: str = "external_id") -> str:
    if item.get(name) in (None, ""):
        raise Refused(required(name))
    return items.id_text(item[name], name)


def _profile_of(who: Identifier) -> int | None:
    return resolve.find([who]).get(who)


def _of_external_id(text: str) -> int | None:
    return _profile_of(Identifier(By.EXTERNAL_ID, text))


# --- aliases


def new_aliases(raw: Sequence[Any], now: datetime) -> Done:
    """Add aliases to profiles with that external ID, or make alias-only profiles where none is named."""

    def read(item: Mapping[str, Any]) -> Callable[[], object]:
        alias = items.alias(item)
        external_id = None if item.get("external_id") in (None, "") else _external_id(item)
        return lambda: _add_alias(alias, external_id, now)

    done = Done()
    _each("user_aliases", raw, read, done)
    return done


def _add_alias(alias: Identifier, external_id: str | None, now: datetime) -> None:
    if _profile_of(alias) is not None:
        return
    if external_id is None:
        resolve.create([alias], now)
    elif pk := _of_external_id(external_id):
        add_alias(pk, alias, now)


def add_alias(profile: int, alias: Identifier, now: datetime) -> None:
    """Give the profile the alias, unless it has one of that label or the pair belongs to somebody."""
    taken = Alias.objects.filter(label=alias.label, name=alias.value).exists()
    if not taken and not Alias.objects.filter(profile=profile, label=alias.label).exists():
        Alias.objects.create(profile_id=profile, label=alias.label, name=alias.value, created_at=now)


def rename_aliases(raw: Sequence[Any]) -> Done:
    """Change names under a label; an unknown pair, or a name that is taken, changes nothing."""

    def read(item: Mapping[str, Any]) -> Callable[[], object]:
        label, old, new = (_external_id(item, name) for name in ("alias_label", "old_alias_name", "new_alias_name"))
        return lambda: _rename(label, old, new)

    done = Done()
    _each("alias_updates", raw, read, done)
    return done


def _rename(label: str, old: str, new: str) -> None:
    if not Alias.objects.filter(label=label, name=new).exists():
        Alias.objects.filter(label=label, name=old).update(name=new)


# --- the same person


def identify(lists: Mapping[str, Sequence[Any]], now: datetime, *, merges: bool = True) -> Done:
    """Give anonymous profiles an external ID, or merge them into the profile that has it.

    `lists` are aliases_to_identify, emails_to_identify and phone_numbers_to_identify. Without `merges` only the aliases
    are handed over.
    """

    def reader(name: str) -> Step:
        def read(item: Mapping[str, Any]) -> Callable[[], object]:
            external_id = _external_id(item)
            find, label = _anonymous(item, name)
            return lambda: _identify(find(), label, external_id, now, merges)

        return read

    done = Done()
    for name, raw in lists.items():
        _each(name, raw, reader(name), done)
    return done


def _anonymous(item: Mapping[str, Any], array: str) -> tuple[Callable[[], int | None], str]:
    """How to find the anonymous profile, and the label of the alias it is known by."""
    if array == "aliases_to_identify":
        alias = items.alias(item.get("user_alias"))
        return (lambda: _profile_of(alias)), alias.label
    by = By.EMAIL if array == "emails_to_identify" else By.PHONE
    who, words = Identifier(by, _external_id(item, by.value)), priority.read(item.get("prioritization"))
    return (lambda: priority.choose(who, words)), ""


def _identify(pk: int | None, label: str, external_id: str, now: datetime, merges: bool) -> None:
    anonymous = Profile.objects.select_for_update().filter(pk=pk or 0, external_id=None).first()
    if anonymous is None:
        return
    known = _of_external_id(external_id)
    if known is None:
        anonymous.external_id = external_id
        anonymous.save(update_fields=["external_id", "updated_at"])
    elif label and merging.has_label_of(anonymous.pk, known, label):
        return
    elif merges:
        merging.merge(anonymous.pk, known, now)
    else:
        merging.move_aliases(anonymous.pk, known)


def merge(raw: Sequence[Mapping[str, Any]], now: datetime) -> None:
    """Merge pairs {"identifier_to_merge", "identifier_to_keep"}. Raises Refused, before anything is done."""
    pairs = [(_named(item["identifier_to_merge"]), _named(item["identifier_to_keep"])) for item in raw]
    for gone, survivor in pairs:
        with transaction.atomic():
            former, kept = gone(), survivor()
            if former and kept and former != kept:
                merging.merge(former, kept, now)


def _named(item: Any) -> Callable[[], int | None]:
    """How to find the profile that an identifier object names. Raises Refused."""
    if not isinstance(item, Mapping):
        raise Refused("must be an object")
    who = items.identifier(item)
    return finder(who, item.get("prioritization"))


def finder(who: Identifier, prioritization: Any) -> Callable[[], int | None]:
    """How to find whom this names; an address needs a prioritization. Raises Refused."""
    if who.by in (By.EMAIL, By.PHONE):
        words = priority.read(prioritization)
        return lambda: priority.choose(who, words)
    return lambda: _profile_of(who)


# --- deletion


def delete(array: str, raw: Sequence[Any]) -> Done:
    """Delete people for good: `array` is one of `DELETABLE`."""
    found: list[int | None] = []

    def read(item: Mapping[str, Any]) -> Callable[[], object]:
        find = _deletable(array, item["item"])
        return lambda: found.append(find())

    done = Done()
    _each(array, [{"item": item} for item in raw], read, done)
    erasure.erase({pk for pk in found if pk is not None})
    return done


DELETABLE = ("external_ids", "user_aliases", "braze_ids", "email_addresses", "phone_numbers")


def _deletable(array: str, item: Any) -> Callable[[], int | None]:
    match array:
        case "external_ids":
            who = Identifier(By.EXTERNAL_ID, items.id_text(item, "external_id"))
        case "user_aliases":
            who = items.alias(item)
        case "braze_ids":
            who = Identifier(By.BRAZE_ID, items.id_text(item, "braze_id"))
        case _:
            by = By.EMAIL if array == "email_addresses" else By.PHONE
            item = {by.value: item, "prioritization": ["most_recently_updated"]} if isinstance(item, str) else item
            if not isinstance(item, Mapping):
                raise Refused(f"'{array}' must hold objects")
            who, words = (
                Identifier(by, _external_id(item, by.value)),
                priority.read(item.get("prioritization"), priority.FOR_DELETION),
            )
            return lambda: priority.choose(who, words)
    return lambda: _profile_of(who)


# --- external IDs


def rename_external_id(current: str, new: str) -> str:
    """Give a profile another external ID; the former one goes on finding it. What is wrong, or nothing."""
    if current == new:
        return "The new external_id is the same as the current one"
    with transaction.atomic():
        profile = Profile.objects.select_for_update().filter(external_id=current).first()
        if profile is None:
            return "The current external_id does not exist"
        if Profile.objects.filter(external_id=new).exists() or FormerId.objects.filter(external_id=new).exists():
            return "The new external_id is in use"
        profile.external_id = new
        profile.save(update_fields=["external_id", "updated_at"])
        FormerId.objects.create(profile=profile, external_id=current)
    return ""


def remove_former_id(external_id: str) -> str:
    """Forget an external ID that was renamed. What is wrong, or nothing."""
    if FormerId.objects.filter(external_id=external_id).delete()[0]:
        return ""
    if Profile.objects.filter(external_id=external_id).exists():
        return "The external_id is not deprecated"
    return "The external_id does not exist"
