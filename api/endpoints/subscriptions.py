"""`/subscription/…`: who is in which group."""

from collections.abc import Sequence
from typing import Annotated, Any

from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from ninja import Query, Router, Schema, Status
from pydantic import BeforeValidator, Field

from api import shapes
from api.answers import Failure, Success
from api.endpoints.users import MOST_IDS, TOO_MANY_IDS
from api.errors import BadRequest
from api.fields import ApiId, Id
from api.gate import BearerKey
from audience import subscribed
from audience.models import SubscriptionGroup
from audience.subscribed import People

router = Router(tags=["Subscription groups"])
STATES = ("subscribed", "unsubscribed")


def _list(value: Any) -> Any:
    """One value is a list of one."""
    return value if isinstance(value, list) or value is None else [value]


Several = Annotated[list[Id] | None, BeforeValidator(_list)]
SETTING = BearerKey("subscription.status.set", "subscription.status.set")


class StatusSet(Schema):
    subscription_group_id: ApiId = None
    subscription_state: Any = None
    external_id: Several = None
    email: Several = None
    phone: Several = None


class GroupsSet(Schema):
    subscription_groups: list[shapes.Group] | None = None


@router.post("/subscription/status/set", auth=SETTING, response={201: Success, 400: Failure})
def subscription_status_set(request: HttpRequest, data: StatusSet) -> Any:
    """Put people in a group or out of it."""
    people = _people(data.external_id, data.email, data.phone)
    if data.email and data.phone and not data.external_id:
        raise BadRequest("Bad Request: only one of 'email' and 'phone' can be given")
    group, state = _group(data.subscription_group_id), _state(data.subscription_state)
    subscribed.set_state(group, state, people, timezone.now())
    return Status(201, Success())


class Entry(StatusSet):
    """One entry of the newer form; each list may also be one value."""

    external_ids: Several = None
    emails: Several = None
    phones: Several = None


@router.post("/v2/subscription/status/set", auth=SETTING, response={201: Success, 400: Failure})
def v2_subscription_status_set(request: HttpRequest, data: GroupsSet) -> Any:
    """Put people in several groups or out of them; all of it, or nothing."""
    entries = data.subscription_groups or []
    if not entries or len(entries) > MOST_IDS:
        raise BadRequest("Bad Request: 'subscription_groups' must hold 1 to 50 objects")
    work = []
    for index, raw in enumerate(entries):
        try:
            entry = Entry.model_validate(raw)
        except ValueError as error:
            raise BadRequest(f"Bad Request: 'subscription_groups.{index}' is not valid") from error
        people = _people(
            entry.external_ids or entry.external_id, entry.emails or entry.email, entry.phones or entry.phone
        )
        work.append((_group(entry.subscription_group_id), _state(entry.subscription_state), people))
    with transaction.atomic():
        for group, state, people in work:
            subscribed.set_state(group, state, people, timezone.now())
    return Status(201, Success())


def _group(value: Any) -> SubscriptionGroup:
    group = subscribed.group(value)
    if group is None:
        raise BadRequest("Invalid subscription group ID")
    return group


def _state(value: Any) -> str:
    if value not in STATES:
        raise BadRequest("Bad Request: 'subscription_state' must be subscribed or unsubscribed")
    return str(value)


def _people(external_ids: Sequence[str] | None, emails: Sequence[str] | None, phones: Sequence[str] | None) -> People:
    """Whom the request names, 50 at most. Raises BadRequest."""
    lists = [external_ids or [], emails or [], phones or []]
    if not any(lists):
        raise BadRequest("Bad Request: 'external_id', 'email' or 'phone' is required")
    if max(map(len, lists)) > MOST_IDS:
        raise BadRequest(TOO_MANY_IDS)
    return People(*lists)


class StatusQuery(Schema):
    subscription_group_id: ApiId = None
    external_id: list[str] = []
    email: list[str] = []
    phone: list[str] = []


class StatusAnswer(Schema):
    message: str
    status: dict[str, str]


@router.get(
    "/subscription/status/get", auth=BearerKey("subscription.status.get"), response={200: StatusAnswer, 400: Failure}
)
def subscription_status_get(request: HttpRequest, query: Query[StatusQuery]) -> Any:
    """What people said about a group, by the name they were asked for."""
    group = _group(query.subscription_group_id)
    _people(query.external_id, query.email, query.phone)
    kinds = (("external_ids", query.external_id), ("emails", query.email), ("phones", query.phone))
    kind, names = next((kind, names) for kind, names in kinds if names)
    found: dict[str, str] = {}
    for name in names:
        known = subscribed.states(group, [*People(**{kind: [name]}).profiles().values_list("pk", flat=True)])
        found[name] = next((state for state in known.values() if state != subscribed.UNKNOWN), subscribed.UNKNOWN)
    return {"message": "success", "status": found}


class UserQuery(Schema):
    external_id: list[str] = []
    email: list[str] = []
    phone: list[str] = []
    limit: Annotated[int, Field(ge=1, le=100)] = 100
    offset: Annotated[int, Field(ge=0, le=1_000_000)] = 0


class UserAnswer(Schema):
    message: str
    users: list[dict[str, Any]]
    total_count: int


@router.get(
    "/subscription/user/status", auth=BearerKey("subscription.groups.get"), response={200: UserAnswer, 400: Failure}
)
def subscription_user_status(request: HttpRequest, query: Query[UserQuery]) -> Any:
    """The groups of people, one entry a profile."""
    people = _people(query.external_id, query.email, query.phone).profiles().order_by("pk")
    page = list(people[query.offset : query.offset + query.limit])
    groups = subscribed.groups_of(page)
    users = [
        {
            "external_id": profile.external_id,
            "email": profile.email or None,
            "phone": profile.phone or None,
            "subscription_groups": groups[profile.pk],
        }
        for profile in page
    ]
    return {"message": "success", "users": users, "total_count": people.count()}
