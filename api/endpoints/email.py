"""`/email/…`: the email subscription that profiles carry, which webhooks may be bound to."""

from datetime import date, datetime, time, timedelta
from typing import Annotated, Any, Literal

from django.http import HttpRequest
from django.utils import timezone
from ninja import Query, Router, Schema, Status
from pydantic import Field

from api.answers import Failure, Success, moment
from api.endpoints.subscriptions import Several
from api.endpoints.users import MOST_IDS, TOO_MANY_IDS
from api.errors import BadRequest
from api.gate import BearerKey
from audience import subscribed
from audience.models import Subscription
from outreach import zones

router = Router(tags=["Email subscription"])
LARGEST_PAGE = 500


class EmailStatus(Schema):
    email: Several = None
    subscription_state: Any = None


@router.post("/email/status", auth=BearerKey("email.status"), response={201: Success, 400: Failure})
def email_status(request: HttpRequest, data: EmailStatus) -> Any:
    """Set the email subscription of everybody with one of the addresses."""
    if not data.email:
        raise BadRequest("Bad Request: 'email' is required")
    if len(data.email) > MOST_IDS:
        raise BadRequest(TOO_MANY_IDS)
    if data.subscription_state not in Subscription.values:
        raise BadRequest("Bad Request: 'subscription_state' must be opted_in, subscribed or unsubscribed")
    subscribed.set_email_state(data.email, data.subscription_state, timezone.now())
    return Status(201, Success())


class UnsubscribesQuery(Schema):
    start_date: date | None = None
    end_date: date | None = None
    email: str = ""
    limit: Annotated[int, Field(ge=1, le=LARGEST_PAGE)] = 100
    offset: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    sort_direction: Literal["asc", "desc"] = "desc"


class Unsubscribes(Schema):
    message: str
    emails: list[dict[str, Any]]


@router.get("/email/unsubscribes", auth=BearerKey("email.unsubscribe"), response={200: Unsubscribes, 400: Failure})
def email_unsubscribes(request: HttpRequest, query: Query[UnsubscribesQuery]) -> Any:
    """Who unsubscribed from email between two days, or whether that address did."""
    if not query.email and not (query.start_date and query.end_date):
        raise BadRequest("Bad Request: 'start_date' and 'end_date', or 'email', is required")
    since, until = _midnight(query.start_date), _midnight(query.end_date, 1)
    newest_first = query.sort_direction == "desc"
    rows = subscribed.unsubscribed(since, until, query.email, newest_first=newest_first)
    page = rows[query.offset : query.offset + query.limit]
    found = [{"email": row.email, "unsubscribed_at": moment(row.email_subscribe_at)} for row in page]
    return {"message": "success", "emails": found}


def _midnight(day: date | None, days_later: int = 0) -> datetime | None:
    """The beginning of a day in the workspace's zone. Raises BadRequest for days too far away."""
    if day is None:
        return None
    if not 1900 <= day.year <= 2999:
        raise BadRequest("Bad Request: dates must lie between 1900 and 2999")
    return datetime.combine(day + timedelta(days=days_later), time.min, zones.company())
