"""`/users/…`: data about people in and out."""

from collections.abc import Callable, Collection, Mapping
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from ninja import Router, Schema, Status

from api import loops, shapes
from api.answers import Failure, Fault, faults, with_faults
from api.errors import BadRequest
from api.fields import Id
from api.gate import BearerKey
from audience import described, ids
from audience.ingest import Batch, items, track
from audience.ingest.errors import Refused
from audience.ingest.items import By, Identifier
from campaigns import received as campaigns_received
from canvas import received as canvases_received

router = Router(tags=["Users"])

MOST_OBJECTS = 75
NOTHING_VALID = "Valid data must be provided in the 'attributes', 'events', or 'purchases' fields."


class Tracked(Schema):
    """At most 75 objects in each list."""

    attributes: list[shapes.Attributes] | None = None
    events: list[shapes.Event] | None = None
    purchases: list[shapes.Purchase] | None = None


class TrackAnswer(Schema):
    message: str
    attributes_processed: int | None = None
    events_processed: int | None = None
    purchases_processed: int | None = None
    errors: list[Fault] | None = None


@router.post(
    "/users/track",
    auth=BearerKey("users.track", "users.track"),
    response={201: TrackAnswer, 400: Failure},
    exclude_none=True,
)
def users_track(request: HttpRequest, data: Tracked) -> Any:
    """Store attributes, events and purchases. What can't be used is named in `errors`; the rest is stored."""
    lists: dict[str, Any] = {name: getattr(data, name) or [] for name in ("attributes", "events", "purchases")}
    if any(len(objects) > MOST_OBJECTS for objects in lists.values()):
        raise BadRequest("Max Input Length Exceeded")
    is_loop = loops.cut(request, loops.of_track(lists))
    batch = track(**lists, now=timezone.now(), may_trigger=not is_loop)
    if batch.is_empty:
        raise BadRequest(NOTHING_VALID, errors=faults(batch.errors))
    processed = {f"{name}_processed": _accepted(batch, name) for name, objects in lists.items() if objects}
    return Status(201, with_faults({"message": "success", **processed}, batch.errors))


def _accepted(batch: Batch, name: str) -> int:
    """The objects that were read, without events and purchases that are blocked; attributes left out don't count."""
    read: list[Any] = getattr(batch, name)
    if name == "attributes":
        return len(read)
    refused = {error.index for error in batch.errors if error.input_array == name}
    return sum(item.index not in refused for item in read)


# --- export

MOST_IDS = 50
TOO_MANY_IDS = "The max number of ids per request was exceeded"


class Exported(Schema):
    """Whom to describe. One of `braze_id`, `email_address`, `phone` and `device_id`; ids and aliases 50 together."""

    external_ids: list[Id] | None = None
    user_aliases: list[shapes.Alias] | None = None
    braze_id: Id | None = None
    email_address: str | None = None
    phone: Id | None = None
    device_id: str | None = None
    fields_to_export: list[str] | None = None


class ExportAnswer(Schema):
    message: str
    users: list[dict[str, Any]]
    invalid_user_ids: list[str] | None = None


@router.post(
    "/users/export/ids",
    auth=BearerKey("users.export.ids", "users.export.ids"),
    response={201: ExportAnswer, 400: Failure},
    exclude_none=True,
)
def users_export_ids(request: HttpRequest, data: Exported) -> Any:
    """Everything that is known of these people; with `fields_to_export` only that."""
    found = ids.find(_named(data))
    fields = set(data.fields_to_export) if data.fields_to_export is not None else None
    people = described.people(found.profiles, timezone.now(), fields)
    for name, source in _HISTORIES.items():
        if fields is None or name in fields:
            by_profile = source([profile.pk for profile in found.profiles])
            for profile, entry in zip(found.profiles, people, strict=True):
                entry.update({name: by_profile[profile.pk]} if profile.pk in by_profile else {})
    missing = found.missing + ([data.device_id] if data.device_id else [])
    return Status(201, {"message": "success", "users": people, "invalid_user_ids": missing or None})


_HISTORIES: Mapping[str, Callable[[Collection[int]], Mapping[int, Any]]] = {
    "campaigns_received": campaigns_received.by_profile,
    "canvases_received": canvases_received.by_profile,
}


def _named(data: Exported) -> list[Identifier]:
    """Whom the request names. Raises BadRequest."""
    singles = {By.BRAZE_ID: data.braze_id, By.EMAIL: data.email_address, By.PHONE: data.phone}
    given = [(by, value) for by, value in singles.items() if value]
    if len(given) + bool(data.device_id) > 1:
        raise BadRequest("Bad Request: only one of 'braze_id', 'email_address', 'phone' and 'device_id' can be given")
    external, aliases = data.external_ids or [], data.user_aliases or []
    if len(external) + len(aliases) > MOST_IDS:
        raise BadRequest(TOO_MANY_IDS)
    if not (external or aliases or given or data.device_id):
        raise BadRequest("Bad Request: 'external_ids' or 'user_aliases' is required")
    try:
        named = [Identifier(By.EXTERNAL_ID, value) for value in external] + [items.alias(each) for each in aliases]
    except Refused as error:
        raise BadRequest(f"Bad Request: {error}") from error
    return [*named, *(Identifier(by, value) for by, value in given)]
