"""Reads the objects of `/users/track` (and of imports) into what is to be done. Nothing here asks the database."""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from typing import Any, TypeVar

from babel.numbers import list_currencies

from audience import times
from audience.ingest import changes, standard, values
from audience.ingest.errors import ItemError, NotStored, Refused, not_valid, required

MAX_ID = 512
MAX_NAME = 255
MAX_ATTRIBUTES = 1_000  # keys in one object, and custom attributes of a profile
MAX_PROPERTIES = 256
MAX_PROPERTY_BYTES = 100 * 1024


class By(Enum):
    """What can name a profile, the first one given counts."""

    EXTERNAL_ID = "external_id"
    BRAZE_ID = "braze_id"
    ALIAS = "user_alias"
    EMAIL = "email"
    PHONE = "phone"


@dataclass(frozen=True, slots=True)
class Identifier:
    """`value` is the alias's name where `by` is ALIAS."""

    by: By
    value: str
    label: str = ""


@dataclass(frozen=True, slots=True)
class Item:
    """What all objects have: whom it is about, whether it may create them, and its place in the request."""

    who: Identifier
    may_create: bool
    index: int


@dataclass(frozen=True, slots=True)
class AttributesItem(Item):
    """`standard` by client's name; `groups` are (subscription group, state) as sent.

    `texts` are custom attributes as they were sent, where that was a text: one may look like a time and be none.
    """

    groups: Sequence[tuple[str, str]] = ()
    standard: dict[str, Any] = field(default_factory=dict)
    custom: dict[str, changes.Change] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    kept: dict[str, Any] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class EventItem(Item):
    name: str
    occurred_at: datetime
    properties: Mapping[str, Any] = field(default_factory=dict)
    event_id: str | None = None
    app_id: str = ""


@dataclass(frozen=True, slots=True)
class PurchaseItem(Item):
    product_id: str
    currency: str
    price: Decimal
    quantity: int
    occurred_at: datetime
    properties: Mapping[str, Any] = field(default_factory=dict)
    app_id: str = ""


AnyItem = TypeVar("AnyItem", bound=Item)


def read_all(
    raw: Sequence[Any], array: str, read: Callable[[Mapping[str, Any], int], AnyItem]
) -> tuple[list[AnyItem], list[ItemError]]:
    """The usable items, and an error for each of the others."""
    items, errors = [], []
    for index, each in enumerate(raw):
        try:
            if not isinstance(each, Mapping):
                raise Refused(f"'{array}' must hold objects")
            items.append(read(each, index))
        except Refused as error:
            errors.append(ItemError(str(error), array, index))
    return items, errors


def identifier(raw: Mapping[str, Any]) -> Identifier:
    """Whom the object names. Raises Refused."""
    for by in By:
        value = raw.get(by.value)
        if value in (None, ""):
            continue
        if by is By.ALIAS:
            return alias(value)
        text = id_text(value, by.value)
        return Identifier(by, text)
    raise Refused("'external_id', 'braze_id', 'user_alias', 'email' or 'phone' is required")


def alias(value: Any) -> Identifier:
    """An alias object `{"alias_name", "alias_label"}`. Raises Refused."""
    if not isinstance(value, Mapping):
        raise Refused(not_valid("user_alias"))
    name, label = (value.get(key) for key in ("alias_name", "alias_label"))
    if name in (None, ""):
        raise Refused(required("alias_name"))
    if label in (None, ""):
        raise Refused(required("alias_label"))
    return Identifier(By.ALIAS, id_text(name, "alias_name"), id_text(label, "alias_label", MAX_NAME))


def id_text(value: Any, name: str, max_length: int = MAX_ID) -> str:
    """An identifier as text; numbers become their decimal text. Raises Refused."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not value or len(value) > max_length:
        raise Refused(not_valid(name))
    return values.storable_text(value)


def _may_create(raw: Mapping[str, Any], who: Identifier) -> bool:
    update_only = as_boolean(raw.get("_update_existing_only"), "_update_existing_only")
    match who.by:
        case By.BRAZE_ID:
            return False
        case By.ALIAS:
            return update_only is False
        case _:
            return not update_only


def as_boolean(value: Any, name: str) -> bool | None:
    """A boolean, also written as text; None if absent. Raises Refused."""
    known = {None: None, True: True, False: False, "true": True, "false": False}
    try:
        return known[value.lower() if isinstance(value, str) else value]
    except (KeyError, TypeError) as error:
        raise Refused(not_valid(name)) from error


def read_attributes(raw: Mapping[str, Any], index: int) -> AttributesItem:
    """An attributes object. Raises Refused; single attributes that can't be stored become warnings."""
    who = identifier(raw)
    if len(raw) > MAX_ATTRIBUTES:
        raise Refused(f"'attributes' has {len(raw):,} keys; at most {MAX_ATTRIBUTES:,} can be set at once")
    merge = bool(as_boolean(raw.get("_merge_objects"), "_merge_objects"))
    item = AttributesItem(who, _may_create(raw, who), index, _groups(raw))
    for name, value in raw.items():
        try:
            _read_attribute(item, name, value, merge)
        except NotStored as error:
            item.warnings.append(f"'{name[:MAX_NAME]}' {error}")
        except standard.LeftUnset:
            pass
    return item


def _read_attribute(item: AttributesItem, name: str, value: Any, merge: bool) -> None:
    if name in standard.CONTROL or (item.who.by.value == name):
        return
    if name in standard.READERS:
        item.standard[name] = standard.read(name, value)
    elif name in standard.KEPT_AS_SENT:
        item.kept[name] = standard.kept(name, value)
    elif not name or len(name) > MAX_NAME:
        raise NotStored("is not valid")
    else:
        stored = values.storable_text(name)
        item.custom[stored] = changes.read(value, merge)
        if isinstance(value, str):
            item.texts[stored] = value


def _groups(raw: Mapping[str, Any]) -> list[tuple[str, str]]:
    entries = raw.get("subscription_groups") or []
    if not isinstance(entries, list):
        raise Refused(not_valid("subscription_groups"))
    found = []
    for entry in entries:
        key, state = (entry.get(f"subscription_{part}") if isinstance(entry, dict) else None for part in _GROUP_KEYS)
        if not isinstance(key, str) or state not in ("subscribed", "unsubscribed"):
            raise Refused(not_valid("subscription_groups"))
        found.append((key, str(state)))
    return found


_GROUP_KEYS = ("group_id", "state")


def read_event(raw: Mapping[str, Any], index: int, now: datetime) -> EventItem:
    """An event object; a time in the future becomes now. Raises Refused."""
    who = identifier(raw)
    name = _text(raw, "name")
    properties = _properties(raw, ("time", "event_name"))
    event_id = raw.get("event_id")
    return EventItem(
        who,
        _may_create(raw, who),
        index,
        name,
        _time(raw, now),
        properties,
        id_text(event_id, "event_id", MAX_NAME) if event_id not in (None, "") else None,
        _app_id(raw),
    )


def read_purchase(raw: Mapping[str, Any], index: int, now: datetime) -> PurchaseItem:
    """A purchase object. Raises Refused."""
    who = identifier(raw)
    reserved = ("time", "event_name", "product_id", "quantity", "price", "currency")
    return PurchaseItem(
        who,
        _may_create(raw, who),
        index,
        _text(raw, "product_id"),
        _currency(raw),
        _price(raw),
        _quantity(raw),
        _time(raw, now),
        _properties(raw, reserved),
        _app_id(raw),
    )


def _text(raw: Mapping[str, Any], name: str) -> str:
    if raw.get(name) in (None, ""):
        raise Refused(required(name))
    return id_text(raw[name], name, MAX_NAME)


def _time(raw: Mapping[str, Any], now: datetime) -> datetime:
    if raw.get("time") in (None, ""):
        raise Refused(required("time"))
    moment = times.parse(raw["time"]) if isinstance(raw["time"], str) else None
    if moment is None:
        raise Refused(not_valid("time"))
    return min(moment, now)


def _currency(raw: Mapping[str, Any]) -> str:
    code = _text(raw, "currency").upper()
    if code not in _currencies():
        raise Refused(not_valid("currency"))
    return code


@lru_cache(maxsize=1)
def _currencies() -> frozenset[str]:
    return frozenset(list_currencies())


def _price(raw: Mapping[str, Any]) -> Decimal:
    price = raw.get("price")
    if price is None:
        raise Refused(required("price"))
    if isinstance(price, bool) or not isinstance(price, int | float | Decimal) or not math.isfinite(price):
        raise Refused(not_valid("price"))
    exact = round(Decimal(str(price)), 4)
    if abs(exact) >= Decimal(10) ** 12:
        raise Refused(not_valid("price"))
    return exact


def _quantity(raw: Mapping[str, Any]) -> int:
    quantity = raw.get("quantity", 1)
    if quantity is None:
        return 1
    if isinstance(quantity, bool) or not isinstance(quantity, int) or not 1 <= quantity <= 100:
        raise Refused(not_valid("quantity"))
    return quantity


def _app_id(raw: Mapping[str, Any]) -> str:
    value = raw.get("app_id")
    return values.storable_text(value)[:MAX_NAME] if isinstance(value, str) else ""


def _properties(raw: Mapping[str, Any], reserved: Sequence[str]) -> dict[str, Any]:
    properties = raw.get("properties")
    if properties is None:
        return {}
    if not isinstance(properties, Mapping) or any(name in properties for name in reserved):
        raise Refused("Invalid 'properties' field")
    try:
        found = {_property_name(name): values.top_level(value) for name, value in _first(properties)}
    except NotStored as error:
        raise Refused(not_valid("properties")) from error
    if any(isinstance(value, dict | list) for value in found.values()) and len(json.dumps(found)) > MAX_PROPERTY_BYTES:
        raise Refused("'properties' is larger than 100 KB")
    return found


def _first(properties: Mapping[str, Any]) -> list[tuple[str, Any]]:
    return [(name, value) for name, value in properties.items() if value is not None][:MAX_PROPERTIES]


def _property_name(name: str) -> str:
    if not name or len(name) > MAX_NAME or name.startswith("$"):
        raise NotStored("is not valid")
    return values.storable_text(name)
