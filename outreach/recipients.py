"""The people an API call names: read from what clients send, then found, with their attributes stored first."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from audience import identities, priority
from audience.ingest import items, resolve
from audience.ingest.errors import ItemError, Refused, not_valid
from audience.ingest.items import By, Identifier
from audience.ingest.track import track
from audience.models import Profile

MOST = 50
MOST_PROPERTIES = 50 * 1024
ARRAY = "recipients"
_NAMES = {"external_user_id": By.EXTERNAL_ID, "braze_id": By.BRAZE_ID, "user_alias": By.ALIAS, "email": By.EMAIL}
_CONTROL = ("external_id", "braze_id", "user_alias", "_update_existing_only")


@dataclass(frozen=True, slots=True)
class Recipient:
    """Somebody to send to. `attributes` are stored before the message is built, `alias` given to the profile.

    `prioritization` says which of several with an email address is meant.
    """

    who: Identifier
    properties: Mapping[str, Any] = field(default_factory=dict)
    attributes: Mapping[str, Any] = field(default_factory=dict)
    send_to_existing_only: bool = True
    prioritization: Sequence[str] = ()
    alias: Identifier | None = None
    index: int = 0


def read(
    raw: Sequence[Any], names: Sequence[str], *, ignored: Collection[str] = ()
) -> tuple[list[Recipient], list[ItemError]]:
    """The usable recipients, and what is wrong with the others.

    `names` are what the recipient's properties may be called, the one that wins last; `ignored` attributes are left
    out.
    """
    found, errors = [], []
    for index, each in enumerate(raw):
        try:
            found.append(_read(each, index, names, ignored))
        except Refused as error:
            errors.append(ItemError(str(error), ARRAY, index))
    return found, errors


def _read(raw: Any, index: int, names: Sequence[str], ignored: Collection[str]) -> Recipient:
    if not isinstance(raw, Mapping):
        raise Refused(f"'{ARRAY}' must hold objects")
    given = [name for name in _NAMES if raw.get(name) not in (None, "")]
    if len(given) != 1:
        raise Refused("exactly one of 'external_user_id', 'user_alias', 'braze_id' and 'email' is required")
    by, value = _NAMES[given[0]], raw[given[0]]
    who = items.alias(value) if by is By.ALIAS else Identifier(by, items.id_text(value, given[0]))
    words = priority.read(raw.get("prioritization")) if by is By.EMAIL else ()
    attributes = raw.get("attributes") or {}
    if not isinstance(attributes, Mapping):
        raise Refused(not_valid("attributes"))
    existing_only = items.as_boolean(raw.get("send_to_existing_only"), "send_to_existing_only") is not False
    if not existing_only and not attributes:
        raise Refused("'attributes' is required where 'send_to_existing_only' is false")
    own: dict[str, Any] = {}
    for name in names:
        own |= properties(raw.get(name), name)
    kept = {name: value for name, value in attributes.items() if name not in _CONTROL and name not in ignored}
    return Recipient(who, own, kept, existing_only, words, _alias(attributes), index)


def properties(value: Any, name: str) -> dict[str, Any]:
    """Trigger or entry properties: an object of at most 50 KB; blank is an empty one. Raises Refused."""
    if value in (None, ""):
        return {}
    if not isinstance(value, dict):
        raise Refused(f"'{name}' must be an object")
    if len(json.dumps(value).encode()) > MOST_PROPERTIES:
        raise Refused(f"'{name}' is larger than 50 KB")
    return value


def _alias(attributes: Mapping[str, Any]) -> Identifier | None:
    """An alias among the attributes; one that can't be read is ignored."""
    try:
        return items.alias(attributes["user_alias"]) if attributes.get("user_alias") else None
    except Refused:
        return None


@dataclass(slots=True)
class Found:
    """The profiles, by id, with the recipient that named each first; how many named nobody or the same again."""

    people: dict[int, Recipient] = field(default_factory=dict)
    missing: int = 0
    repeated: int = 0
    errors: list[ItemError] = field(default_factory=list)


def find(recipients: Sequence[Recipient], now: datetime) -> Found:
    """Store the recipients' attributes, then find them. Call it in the transaction that sends."""
    found = Found(errors=_store(recipients, now))
    known = resolve.find(r.who for r in recipients if r.who.by is not By.EMAIL)
    for recipient in recipients:
        pk = known.get(recipient.who) or _by_address(recipient)
        if pk is None:
            found.missing += 1
        elif pk in found.people:
            found.repeated += 1
        else:
            found.people[pk] = recipient
            if recipient.alias:
                identities.add_alias(pk, recipient.alias, now)
    return found


def _by_address(recipient: Recipient) -> int | None:
    return priority.choose(recipient.who, recipient.prioritization) if recipient.who.by is By.EMAIL else None


def _store(recipients: Sequence[Recipient], now: datetime) -> list[ItemError]:
    named = [recipient for recipient in recipients if recipient.attributes]
    rows = [(recipient, row) for recipient in named if (row := _row(recipient))]
    if not rows:
        return []
    batch = track(attributes=[row for _recipient, row in rows], now=now)
    return [ItemError(error.type, ARRAY, rows[error.index][0].index) for error in batch.errors]


def _row(recipient: Recipient) -> dict[str, Any] | None:
    """The attributes object of a recipient; none for an address that is no one profile's."""
    row = {**recipient.attributes, "_update_existing_only": recipient.send_to_existing_only}
    who = recipient.who
    match who.by:
        case By.ALIAS:  # never creates
            alias = {"alias_name": who.value, "alias_label": who.label}
            return row | {"user_alias": alias, "_update_existing_only": True}
        case By.EMAIL:
            if pk := _by_address(recipient):
                return row | {"braze_id": str(Profile.objects.values_list("braze_id", flat=True).get(pk=pk))}
            return None if priority.is_known(who) else row | {"email": who.value}
        case _:
            return row | {who.by.value: who.value}
