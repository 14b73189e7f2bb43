"""Catalogs: what a template finds in them, what a selection's conditions mean, and how items get in."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from django.db import transaction
from django.db.models import CharField, F, Func, Q, QuerySet, Value
from django.utils import timezone
from django.utils.translation import gettext as _

from webhooks.models import Catalog, CatalogItem, CatalogSelection

CHUNK = 1000
_CONDITION = re.compile(r"\s*([\w-]+)\s*(!=|<=|>=|=|<|>|contains\b)\s*(.*?)\s*")
_LOOKUPS = {"=": "", "!=": "", "<": "__lt", "<=": "__lte", ">": "__gt", ">=": "__gte", "contains": "__icontains"}
_ORDERED = frozenset({"<", "<=", ">", ">="})


class _KindOf(Func):
    """The JSON type of a field, in the database's word: the two put values of unlike types in different orders."""

    function = "jsonb_typeof"
    output_field = CharField()

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return super().as_sql(compiler, connection, template="jsonb_typeof(%(expressions)s)", arg_joiner=" -> ")

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        source, key = cast(list[Any], self.source_expressions)
        path = Value(f'$."{key.value}"')
        return _KindOf(source, path).as_sql(compiler, connection, template="json_type(%(expressions)s)")


class BadCondition(ValueError):
    """A line that is no condition; the message says what is wrong with it."""


def items(catalog_id: int, ids: Iterable[str]) -> dict[str, dict[str, Any]]:
    """The items that exist, by id. One query."""
    rows = CatalogItem.objects.filter(catalog_id=catalog_id, item_id__in=list(ids)).values_list("item_id", "values")
    return {id: {"id": id, **values} for id, values in rows}


def selected(selection: CatalogSelection) -> list[dict[str, Any]]:
    """A selection's items, in its order. One query. Raises BadCondition."""
    rows: QuerySet[CatalogItem] = CatalogItem.objects.filter(catalog_id=selection.catalog_id)
    for condition in conditions(selection.conditions):
        rows = condition.narrow(rows)
    order = ["item_id"]
    if field := selection.sort_by.strip():
        by = F("item_id" if field == "id" else f"values__{field}")
        order = [by.desc(nulls_last=True) if selection.is_descending else by.asc(nulls_last=True), "item_id"]  # type: ignore[list-item]
    found = rows.order_by(*order).values_list("item_id", "values")[: selection.limit]
    return [{"id": id, **values} for id, values in found]


@dataclass(frozen=True, slots=True)
class Condition:
    """`price < 20`, read."""

    field: str
    operator: str
    value: Any

    def narrow(self, rows: QuerySet[CatalogItem]) -> QuerySet[CatalogItem]:
        if self.operator in _ORDERED and self.field != "id":
            kinds = ("string", "text") if isinstance(self.value, str) else ("number", "integer", "real")
            rows = rows.alias(kind=_KindOf("values", Value(self.field))).filter(kind__in=kinds)
        name = "item_id" if self.field == "id" else f"values__{self.field}"
        test = Q(**{f"{name}{_LOOKUPS[self.operator]}": self.value})
        return rows.exclude(test) if self.operator == "!=" else rows.filter(test)


def conditions(text: str) -> list[Condition]:
    """The conditions, one a line. Raises BadCondition with the line."""
    return [_condition(line) for line in text.splitlines() if line.strip()]


def _condition(line: str) -> Condition:
    found = _CONDITION.fullmatch(line)
    if not found:
        raise BadCondition(_("“%(line)s” is no condition. Write for example: price < 20") % {"line": line.strip()})
    field, operator, value = found.groups()
    if "__" in field:
        raise BadCondition(_("“%(field)s” can't be the name of a field here.") % {"field": field})
    return Condition(field, operator, value if field == "id" or operator == "contains" else _read(value))


def _read(cell: str) -> Any:
    """What a cell looks like: a number, true or false, a list or an object; else its text. Empty: None."""
    text = cell.strip()
    if not text:
        return None
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    if re.fullmatch(r"-?(0|[1-9]\d{0,14})(\.\d{1,10})?", text) or text[0] in "[{":
        try:
            return json.loads(text)
        except ValueError:
            return cell
    return cell


def type_of(value: Any) -> str:
    """The field type of a value, in the API's words."""
    match value:
        case bool():
            return "boolean"
        case int() | float():
            return "number"
        case list():
            return "array"
        case dict():
            return "object"
    return "string"


def typed(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[dict[str, Any]]:
    """Cells as items: a column has a type of its own only where all its cells have it; else it is text."""
    columns = [[_read(row[n]) if n < len(row) else None for row in rows] for n in range(len(header))]
    kinds = [{type_of(value) for value in column if value is not None} for column in columns]
    made = []
    for number, row in enumerate(rows):
        item: dict[str, Any] = {"id": row[0].strip()}
        for n, name in list(enumerate(header))[1:]:
            value = columns[n][number]
            item[name] = value if value is None or len(kinds[n]) == 1 else row[n]
        made.append(item)
    return made


def store(catalog: Catalog, found: Iterable[Mapping[str, Any]]) -> int:
    """Write items, new ones and others' new values, and tell the workers; how many. One transaction."""
    now, count = timezone.now(), 0
    with transaction.atomic():
        chunk: list[CatalogItem] = []
        for item in found:
            values = {name: value for name, value in item.items() if name != "id" and value is not None}
            chunk.append(CatalogItem(catalog=catalog, item_id=str(item["id"]), values=values, updated_at=now))
            if len(chunk) == CHUNK:
                count += _write(chunk)
                chunk = []
        count += _write(chunk)
        touch(catalog)
    return count


def touch(catalog: Catalog) -> None:
    """Tell the workers that something in the catalog changed."""
    Catalog.objects.filter(pk=catalog.pk).update(version=F("version") + 1, updated_at=timezone.now())


def _write(chunk: Sequence[CatalogItem]) -> int:
    last = {item.item_id: item for item in chunk}  # one statement can't write a row twice
    CatalogItem.objects.bulk_create(
        last.values(),
        update_conflicts=True,
        unique_fields=["catalog", "item_id"],
        update_fields=["values", "updated_at"],
    )
    return len(last)


def fields_of(
    header: Sequence[str], found: Iterable[Mapping[str, Any]], before: Iterable[Mapping[str, str]]
) -> list[dict[str, str]]:
    """The fields that a catalog has with these items; those it had before keep their place."""
    kinds = dict.fromkeys(header, "string")
    for item in found:
        kinds |= {name: type_of(value) for name, value in item.items() if value is not None and name != "id"}
    names = list(dict.fromkeys(["id", *(field["name"] for field in before), *header]))
    known = {field["name"]: field["type"] for field in before}
    return [{"name": name, "type": kinds.get(name, known.get(name, "string"))} for name in names]
