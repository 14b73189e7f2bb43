"""Reads about purchases."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal

from django.http import HttpRequest
from django.utils import timezone
from ninja import Query, Router, Schema

from api.answers import Failure
from api.endpoints.segments import NAMES_A_PAGE, EventsQuery, Series
from api.fields import Length, QueryTime
from api.gate import BearerKey
from api.paging import page_of
from audience import series as audience_series
from audience.models import EventName
from outreach.series import span

router = Router(tags=["Purchases"])


class ProductList(Schema):
    message: str
    products: list[str]


@router.get(
    "/purchases/product_list",
    auth=BearerKey("purchases.product_list", "names"),
    response={200: ProductList, 400: Failure},
)
def purchases_product_list(request: HttpRequest, query: Query[EventsQuery]) -> Any:
    """The ids of all products, 250 a page."""
    names = EventName.objects.filter(kind=EventName.Kind.PRODUCT).order_by("name").values_list("name", flat=True)
    return {"message": "success", "products": [*page_of(names, query.page, NAMES_A_PAGE)]}


class SeriesQuery(Schema):
    length: Length
    unit: Literal["day", "hour"] = "day"
    ending_at: QueryTime | None = None
    product: str = ""


@router.get(
    "/purchases/quantity_series",
    auth=BearerKey("purchases.quantity_series"),
    response={200: Series, 400: Failure},
)
def purchases_quantity_series(request: HttpRequest, query: Query[SeriesQuery]) -> Any:
    """How many pieces were bought, by day or by hour."""
    data = [{"time": at.isoformat(), "purchase_quantity": pieces} for at, pieces, _money in _rows(query)]
    return {"message": "success", "data": data}


@router.get(
    "/purchases/revenue_series", auth=BearerKey("purchases.revenue_series"), response={200: Series, 400: Failure}
)
def purchases_revenue_series(request: HttpRequest, query: Query[SeriesQuery]) -> Any:
    """How much money was spent, by day or by hour."""
    data = [{"time": at.isoformat(), "revenue": float(money)} for at, _pieces, money in _rows(query)]
    return {"message": "success", "data": data}


def _rows(query: SeriesQuery) -> Sequence[tuple[date | datetime, int, Decimal]]:
    ending_at = query.ending_at or timezone.now()
    if query.unit == "hour":
        return audience_series.purchases_by_hour(query.product, query.length, ending_at)
    days = span(query.length, ending_at)
    return audience_series.purchases_by_day(query.product, days.days, days.zone)
