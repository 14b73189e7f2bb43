"""`/catalogs/…`: tables of things that messages mention."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Schema, Status

from api import shapes
from api.answers import Success, moment
from api.errors import ApiError, BadRequest
from api.gate import BearerKey
from api.paging import read, write
from webhooks import catalog_edits
from webhooks.catalog_edits import CatalogFault
from webhooks.models import Catalog, CatalogItem

router = Router(tags=["Catalogs"])
SIZE = 50


class CatalogFailure(Schema):
    message: str
    errors: list[dict[str, Any]] | None = None


class CatalogList(Schema):
    message: str
    catalogs: list[dict[str, Any]]


class ItemList(Schema):
    message: str
    items: list[dict[str, Any]]


class Catalogs(Schema):
    catalogs: shapes.Catalogs = None


class Items(Schema):
    items: shapes.Items = None


FAILURES: dict[int, Any] = {400: CatalogFailure, 404: CatalogFailure}


@contextmanager
def told() -> Iterator[None]:
    try:
        yield
    except CatalogFault as fault:
        entry = {
            "id": fault.id,
            "message": fault.message,
            "parameters": fault.parameters,
            "parameter_values": fault.values,
        }
        raise ApiError("Invalid Request", errors=[entry], status=404 if fault.is_missing else 400) from fault


def _shown(catalog: Catalog, count: int) -> dict[str, Any]:
    return {
        "name": catalog.name,
        "description": catalog.description or None,
        "fields": [{**field, "token": f"token-{number:02}"} for number, field in enumerate(catalog.fields)],
        "num_items": count,
        "storage_size": 0,
        "updated_at": moment(catalog.updated_at),
        "source": catalog.source,
        "selections": [],
    }


@router.get("/catalogs", auth=BearerKey("catalogs.get", "catalogs"), response={200: CatalogList})
def catalogs(request: HttpRequest) -> Any:
    """All catalogs."""
    rows = Catalog.objects.annotate(count=Count("items"))
    return {"message": "success", "catalogs": [_shown(catalog, catalog.count) for catalog in rows]}


@router.post("/catalogs", auth=BearerKey("catalogs.create", "catalogs"), response={201: CatalogList, **FAILURES})
def catalogs_create(request: HttpRequest, data: Catalogs) -> Any:
    """Make a catalog."""
    with told():
        return Status(201, {"message": "success", "catalogs": [_shown(catalog_edits.create(data.catalogs), 0)]})


@router.delete(
    "/catalogs/{catalog_name}", auth=BearerKey("catalogs.delete", "catalogs"), response={200: Success, **FAILURES}
)
def catalogs_delete(request: HttpRequest, catalog_name: str) -> Any:
    """Delete a catalog with all of its items."""
    with told():
        catalog_edits.find(catalog_name).delete()
    return Success()


# --- items, in bulk


class CursorQuery(Schema):
    cursor: str | None = None


@router.get(
    "/catalogs/{catalog_name}/items",
    auth=BearerKey("catalogs.get_items", "catalogs.item"),
    response={200: ItemList, **FAILURES},
)
def catalog_items(request: HttpRequest, response: HttpResponse, catalog_name: str, query: Query[CursorQuery]) -> Any:
    """Items of a catalog, 50 a page; the pages beside it are in the header Link."""
    with told():
        catalog = catalog_edits.find(catalog_name)
        place = _place(query.cursor)
    rows = list(CatalogItem.objects.filter(catalog=catalog).order_by("item_id")[place : place + SIZE + 1])
    _link(response, catalog, place, len(rows) > SIZE)
    items = [{"id": row.item_id, **row.values} for row in rows[:SIZE]]
    return {"message": "success", "items": items}


def _place(cursor: str | None) -> int:
    try:
        return max(0, min(int(read(cursor)), 10**9)) if cursor else 0
    except (BadRequest, ValueError) as error:
        raise CatalogFault("invalid-cursor", "The cursor is not valid", ["cursor"], [cursor]) from error


def _link(response: HttpResponse, catalog: Catalog, place: int, has_more: bool) -> None:
    path = f"/catalogs/{quote(catalog.name)}/items?cursor="
    links = [f'<{path}{write(str(max(0, place - SIZE)))}>; rel="prev"'] if place else []
    links += [f'<{path}{write(str(place + SIZE))}>; rel="next"'] if has_more else []
    if links:
        response["Link"] = ",".join(links)


BULK: dict[str, Any] = {"response": {202: Success, **FAILURES}}


@router.post("/catalogs/{catalog_name}/items", auth=BearerKey("catalogs.add_items", "catalogs.items"), **BULK)
def catalog_items_add(request: HttpRequest, catalog_name: str, data: Items) -> Any:
    """Add items, 50 at most, all or none."""
    with told():
        catalog_edits.put(catalog_edits.find(catalog_name), data.items, must_exist=False)
    return Status(202, Success())


@router.patch("/catalogs/{catalog_name}/items", auth=BearerKey("catalogs.update_items", "catalogs.items"), **BULK)
def catalog_items_update(request: HttpRequest, catalog_name: str, data: Items) -> Any:
    """Change items; values that are not given stay."""
    with told():
        catalog_edits.put(catalog_edits.find(catalog_name), data.items, must_exist=True, merges=True)
    return Status(202, Success())


@router.put("/catalogs/{catalog_name}/items", auth=BearerKey("catalogs.replace_items", "catalogs.items"), **BULK)
def catalog_items_replace(request: HttpRequest, catalog_name: str, data: Items) -> Any:
    """Replace items; those that are not there are made."""
    with told():
        catalog_edits.put(catalog_edits.find(catalog_name), data.items)
    return Status(202, Success())


@router.delete("/catalogs/{catalog_name}/items", auth=BearerKey("catalogs.delete_items", "catalogs.items"), **BULK)
def catalog_items_delete(request: HttpRequest, catalog_name: str, data: Items) -> Any:
    """Delete items."""
    with told():
        catalog_edits.delete(catalog_edits.find(catalog_name), data.items)
    return Status(202, Success())


# --- one item

ONE = "/catalogs/{catalog_name}/items/{item_id}"


@router.get(ONE, auth=BearerKey("catalogs.get_item", "catalogs.item"), response={200: ItemList, **FAILURES})
def catalog_item(request: HttpRequest, catalog_name: str, item_id: str) -> Any:
    """One item."""
    with told():
        found = catalog_edits.item(catalog_edits.find(catalog_name), item_id)
    return {"message": "success", "items": [found]}


@router.post(ONE, auth=BearerKey("catalogs.create_item", "catalogs.item"), response={201: Success, **FAILURES})
def catalog_item_create(request: HttpRequest, catalog_name: str, item_id: str, data: Items) -> Any:
    """Make one item."""
    with told():
        catalog_edits.put_one(catalog_edits.find(catalog_name), item_id, data.items, must_exist=False)
    return Status(201, Success())


@router.patch(ONE, auth=BearerKey("catalogs.update_item", "catalogs.item"), response={200: Success, **FAILURES})
def catalog_item_update(request: HttpRequest, catalog_name: str, item_id: str, data: Items) -> Any:
    """Change one item; values that are not given stay."""
    with told():
        catalog_edits.put_one(catalog_edits.find(catalog_name), item_id, data.items, must_exist=True, merges=True)
    return Success()


@router.put(ONE, auth=BearerKey("catalogs.replace_item", "catalogs.item"), response={200: Success, **FAILURES})
def catalog_item_replace(request: HttpRequest, catalog_name: str, item_id: str, data: Items) -> Any:
    """Replace one item, or make it."""
    with told():
        catalog_edits.put_one(catalog_edits.find(catalog_name), item_id, data.items, must_exist=None)
    return Success()


@router.delete(ONE, auth=BearerKey("catalogs.delete_item", "catalogs.item"), response={200: Success, **FAILURES})
def catalog_item_delete(request: HttpRequest, catalog_name: str, item_id: str) -> Any:
    """Delete one item."""
    with told():
        catalog_edits.delete(catalog_edits.find(catalog_name), [{"id": item_id}], must_exist=True)
    return Success()
