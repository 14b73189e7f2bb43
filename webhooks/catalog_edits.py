"""Makes and changes catalogs and their items for other systems; each fault has the name that clients know."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import IntegrityError, transaction

from audience import times
from webhooks import catalogs
from webhooks.models import Catalog, CatalogItem
from webhooks.models.library import PLAIN

TYPES = ("string", "number", "boolean", "time", "object", "array")
LONGEST = 250
MOST_ITEMS = 50
MOST_VALUE = 5_000
MOST_NESTING = 50


class CatalogFault(Exception):
    """What is wrong, by name; `parameters` are the fields it is about. `is_missing`: there is no such thing."""

    def __init__(
        self,
        id: str,
        message: str,
        parameters: Sequence[str] = (),
        values: Sequence[Any] = (),
        *,
        missing: bool = False,
    ) -> None:
        super().__init__(message)
        self.id, self.message, self.is_missing = id, message, missing
        self.parameters, self.values = list(parameters), list(values)


def find(name: str) -> Catalog:
    """The catalog of that name. Raises CatalogFault."""
    catalog = Catalog.objects.filter(name=name).first()
    if catalog is None:
        raise CatalogFault("catalog-not-found", "Could not find catalog", ["catalog_name"], [name], missing=True)
    return catalog


def create(raw: Any) -> Catalog:
    """The one catalog of the list. Raises CatalogFault."""
    if not isinstance(raw, list) or not raw or not isinstance(raw[0], Mapping):
        raise CatalogFault("catalog-array-invalid", "'catalogs' must be an array of objects", ["catalogs"])
    if len(raw) > 1:
        raise CatalogFault("too-many-catalog-atoms", "A request can make one catalog only", ["catalogs"])
    name, description, fields = raw[0].get("name"), raw[0].get("description"), raw[0].get("fields")
    if not isinstance(name, str) or not PLAIN.search(name):
        raise CatalogFault("invalid-catalog-name", "Use letters, digits, hyphens and underscores", ["name"], [name])
    if len(name) > LONGEST:
        raise CatalogFault("catalog-name-too-large", f"The name is longer than {LONGEST} characters", ["name"], [name])
    if description is not None and (not isinstance(description, str) or len(description) > LONGEST):
        raise CatalogFault("description-too-long", f"At most {LONGEST} characters", ["description"], [description])
    checked = _fields(fields)
    try:
        with transaction.atomic():
            return Catalog.objects.create(name=name, description=description or "", fields=checked, source="API")
    except IntegrityError as error:
        raise CatalogFault(
            "catalog-name-already-exists", "There is a catalog of that name", ["name"], [name]
        ) from error


def _fields(raw: Any) -> list[dict[str, str]]:
    if not isinstance(raw, list) or not raw or not all(isinstance(each, Mapping) for each in raw):
        raise CatalogFault("invalid-fields", "'fields' must be an array of objects", ["fields"])
    if len(raw) > Catalog.MOST_FIELDS:
        raise CatalogFault("too-many-fields", f"At most {Catalog.MOST_FIELDS} fields", ["fields"])
    names = [each.get("name") for each in raw]
    if not all(isinstance(name, str) and PLAIN.search(name) for name in names):
        raise CatalogFault("invalid-field-names", "Use letters, digits, hyphens and underscores", ["fields"], names)
    if any(len(name) > LONGEST for name in names):
        raise CatalogFault("field-names-too-large", f"A name is longer than {LONGEST} characters", ["fields"], names)
    if len(set(names)) < len(names):
        raise CatalogFault("field-names-not-unique", "Each field needs a name of its own", ["fields"], names)
    if any(each.get("type") not in TYPES for each in raw):
        raise CatalogFault("invalid-field-types", f"Types are {', '.join(TYPES)}", ["fields"], names)
    if names[0] != "id" or raw[0]["type"] != "string":
        raise CatalogFault("id-not-first-column", "The first field must be id, a string", ["id"], names[:1])
    return [{"name": each["name"], "type": each["type"]} for each in raw]


# --- items


def put(catalog: Catalog, raw: Any, *, must_exist: bool | None = None, merges: bool = False) -> None:
    """Write several items, all or none. With `merges` values that are not given stay. Raises CatalogFault.

    `must_exist` says whether items with these ids have to be there (True), must not be (False), or either.
    """
    items = _several(raw)
    with transaction.atomic():
        Catalog.objects.select_for_update().get(pk=catalog.pk)
        known = catalogs.items(catalog.pk, [item["id"] for item in items])
        for item in items:
            _check_existence(item["id"], known, must_exist)
        read = [_read(catalog, item) for item in items]
        catalogs.store(catalog, [{**(known.get(item["id"], {}) if merges else {}), **item} for item in read])


def put_one(catalog: Catalog, item_id: str, raw: Any, *, must_exist: bool | None, merges: bool = False) -> None:
    """The same for the one item whose id is in the address."""
    if not isinstance(raw, list) or len(raw) != 1 or not isinstance(raw[0], Mapping):
        raise CatalogFault("item-array-invalid", "'items' must be an array with one object", ["items"])
    if "id" in raw[0]:
        raise CatalogFault("invalid-fields", "The id stands in the address", ["id"], [raw[0]["id"]])
    put(catalog, [{**raw[0], "id": item_id}], must_exist=must_exist, merges=merges)


def delete(catalog: Catalog, raw: Any, *, must_exist: bool = False) -> None:
    """Delete several items. Raises CatalogFault."""
    ids = [item["id"] for item in _several(raw)]
    with transaction.atomic():
        known = catalogs.items(catalog.pk, ids)
        for item_id in ids if must_exist else ():
            _check_existence(item_id, known, True)
        CatalogItem.objects.filter(catalog=catalog, item_id__in=ids).delete()
        catalogs.touch(catalog)


def item(catalog: Catalog, item_id: str) -> dict[str, Any]:
    """One item. Raises CatalogFault."""
    found = catalogs.items(catalog.pk, [item_id])
    _check_existence(item_id, found, True)
    return found[item_id]


def _several(raw: Any) -> list[Mapping[str, Any]]:
    if not isinstance(raw, list) or not raw or not all(isinstance(each, Mapping) for each in raw):
        raise CatalogFault("item-array-invalid", "'items' must be an array of objects", ["items"])
    if len(raw) > MOST_ITEMS:
        raise CatalogFault("request-includes-too-many-items", f"At most {MOST_ITEMS} items", ["items"])
    ids = [each.get("id") for each in raw]
    if any(value in (None, "") for value in ids):
        raise CatalogFault("items-missing-ids", "Each item needs an id", ["id"])
    if not all(isinstance(value, str) for value in ids):
        raise CatalogFault("ids-not-strings", "Ids must be strings", ["id"], ids)
    if len(set(ids)) < len(ids):
        raise CatalogFault("ids-not-unique", "Each item needs an id of its own", ["id"], ids)
    if any(len(str(value)) > LONGEST for value in ids):
        raise CatalogFault("ids-too-large", f"An id is longer than {LONGEST} characters", ["id"])
    if not all(PLAIN.search(str(value)) for value in ids):
        raise CatalogFault("invalid-ids", "Use letters, digits, hyphens and underscores", ["id"], ids)
    return raw


def _check_existence(item_id: str, known: Mapping[str, Any], must_exist: bool | None) -> None:
    if must_exist is True and item_id not in known:
        raise CatalogFault("item-not-found", "Could not find item", ["item_id"], [item_id], missing=True)
    if must_exist is False and item_id in known:
        raise CatalogFault("ids-not-unique", "There is an item with this id", ["id"], [item_id])


def _read(catalog: Catalog, raw: Mapping[str, Any]) -> dict[str, Any]:
    """The item's values in the types of their fields. Raises CatalogFault."""
    kinds = {field["name"]: field["type"] for field in catalog.fields}
    unknown = [name for name in raw if name not in kinds and name != "id"]
    if unknown:
        raise CatalogFault("invalid-fields", "These are not fields of the catalog", unknown)
    return {
        name: value if value is None or name == "id" else _typed(name, kinds[name], value)
        for name, value in raw.items()
    }


def _typed(name: str, kind: str, value: Any) -> Any:
    if len(json.dumps(value)) > MOST_VALUE + 2:
        raise CatalogFault("items-too-large", f"A value is longer than {MOST_VALUE} characters", [name])
    if isinstance(value, dict | list):
        _check_nested(name, value)
    match kind, value:
        case "string", (str() | bool() | int() | float()):
            return value if isinstance(value, str) else json.dumps(value)
        case "number", (int() | float()) if not isinstance(value, bool):
            return value
        case "boolean", bool():
            return value
        case "time", str() if moment := times.parse(value):
            return times.canonical(moment)
        case "object", dict():
            return value
        case "array", list():
            return value
    raise CatalogFault("unable-to-coerce-value", f"'{name}' can't be read as {kind}", [name], [value])


def _check_nested(name: str, value: Any, depth: int = 0) -> None:
    if depth > MOST_NESTING:
        raise CatalogFault("too-deep-nesting-in-value-object", f"More than {MOST_NESTING} levels", [name])
    inner: Iterable[Any] = value.values() if isinstance(value, dict) else value
    if isinstance(value, dict) and any("." in key or key.startswith("$") for key in value):
        raise CatalogFault("invalid-keys-in-value-object", "Keys can't hold dots or begin with $", [name])
    for each in inner:
        if isinstance(each, dict | list):
            _check_nested(name, each, depth + 1)
