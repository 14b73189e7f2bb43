"""`/users/…`: what people are called, which profiles are one person, and who is to be forgotten."""

from collections.abc import Callable, Sequence
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from ninja import Router, Schema, Status

from api import shapes
from api.answers import Failure, Fault, Success, faults, with_faults
from api.endpoints.users import MOST_IDS, TOO_MANY_IDS
from api.errors import BadRequest
from api.fields import Id
from api.gate import BearerKey
from audience import identities
from audience.identities import Done
from audience.ingest.errors import Refused

router = Router(tags=["Users"])
BUCKET = "identities"


class Processed(Schema):
    message: str
    aliases_processed: int
    errors: list[Fault] | None = None


def _answer(done: Done, name: str = "aliases_processed") -> Any:
    """201 with what was accepted; 400 where nothing was."""
    if not done.accepted:
        raise BadRequest("Bad Request: no item is valid", errors=faults(done.errors))
    return Status(201, with_faults({"message": "success", name: done.accepted}, done.errors))


def _bounded(name: str, raw: Sequence[Any] | None) -> Sequence[Any]:
    """A list of 1 to 50. Raises BadRequest."""
    if not raw:
        raise BadRequest(f"Bad Request: '{name}' is required")
    if len(raw) > MOST_IDS:
        raise BadRequest(TOO_MANY_IDS)
    return raw


# --- aliases


class NewAliases(Schema):
    user_aliases: list[shapes.NewAlias] | None = None


@router.post(
    "/users/alias/new",
    auth=BearerKey("users.alias.new", BUCKET),
    response={201: Processed, 400: Failure},
    exclude_none=True,
)
def users_alias_new(request: HttpRequest, data: NewAliases) -> Any:
    """Give aliases to people with an external ID, or make alias-only profiles."""
    return _answer(identities.new_aliases(_bounded("user_aliases", data.user_aliases), timezone.now()))


class AliasUpdates(Schema):
    alias_updates: list[shapes.AliasUpdate] | None = None


@router.post(
    "/users/alias/update",
    auth=BearerKey("users.alias.update", BUCKET),
    response={201: Processed, 400: Failure},
    exclude_none=True,
)
def users_alias_update(request: HttpRequest, data: AliasUpdates) -> Any:
    """Change names under a label."""
    return _answer(identities.rename_aliases(_bounded("alias_updates", data.alias_updates)))


# --- identify and merge


class Identified(Schema):
    aliases_to_identify: list[shapes.IdentifyAlias] | None = None
    emails_to_identify: list[shapes.IdentifyEmail] | None = None
    phone_numbers_to_identify: list[shapes.IdentifyPhone] | None = None
    merge_behavior: str | None = None


@router.post(
    "/users/identify",
    auth=BearerKey("users.identify", BUCKET),
    response={201: Processed, 400: Failure},
    exclude_none=True,
)
def users_identify(request: HttpRequest, data: Identified) -> Any:
    """Say who anonymous profiles are. A profile that does not exist is no error."""
    names = ("aliases_to_identify", "emails_to_identify", "phone_numbers_to_identify")
    lists = {name: _bounded(name, raw) for name in names if (raw := getattr(data, name))}
    if not lists:
        raise BadRequest("Bad Request: 'aliases_to_identify' is required")
    if data.merge_behavior not in (None, "", "none", "merge"):
        raise BadRequest("Bad Request: 'merge_behavior' must be none or merge")
    return _answer(identities.identify(lists, timezone.now(), merges=data.merge_behavior != "none"))


class Merged(Schema):
    merge_updates: shapes.Merge = None


_MERGE_KEYS = {"identifier_to_merge", "identifier_to_keep"}
_MERGE_IDENTIFIERS = (
    "identifiers must be objects with an 'external_id' property that is a string, or 'user_alias' property that is an "
    "object, or 'email' or 'phone' with 'prioritization'"
)


@router.post("/users/merge", auth=BearerKey("users.merge", BUCKET), response={202: Success, 400: Failure})
def users_merge(request: HttpRequest, data: Merged) -> Any:
    """Make one profile of two, pair by pair."""
    updates = data.merge_updates
    if not isinstance(updates, list) or not updates or not all(isinstance(each, dict) for each in updates):
        raise BadRequest("'merge_updates' must be an array of objects")
    if len(updates) > MOST_IDS:
        raise BadRequest("a single request may not contain more than 50 merge updates")
    if any(set(each) != _MERGE_KEYS for each in updates):
        raise BadRequest("'merge_updates' must only have 'identifier_to_merge' and 'identifier_to_keep'")
    try:
        identities.merge(updates, timezone.now())
    except Refused as error:
        raise BadRequest(_MERGE_IDENTIFIERS) from error
    return Status(202, Success())


# --- deletion


class Deleted(Schema):
    external_ids: list[Id] | None = None
    user_aliases: list[shapes.Alias] | None = None
    braze_ids: list[Id] | None = None
    email_addresses: list[shapes.EmailToDelete] | None = None
    phone_numbers: list[shapes.PhoneToDelete] | None = None


class DeleteAnswer(Schema):
    message: str
    deleted: int
    errors: list[Fault] | None = None


@router.post(
    "/users/delete",
    auth=BearerKey("users.delete", BUCKET),
    response={201: DeleteAnswer, 400: Failure},
    exclude_none=True,
)
def users_delete(request: HttpRequest, data: Deleted) -> Any:
    """Delete people with all that is kept about them, for good. Totals stay."""
    given = [name for name in identities.DELETABLE if getattr(data, name)]
    if len(given) != 1:
        raise BadRequest("Bad Request: exactly one of " + ", ".join(f"'{name}'" for name in identities.DELETABLE))
    raw = _bounded(given[0], getattr(data, given[0]))
    return _answer(identities.delete(given[0], raw), "deleted")


# --- external IDs


class Renamed(Schema):
    external_id_renames: list[shapes.Rename] | None = None


class RenameAnswer(Schema):
    message: str
    external_ids: list[dict[str, str]]
    rename_errors: list[list[Any]]


@router.post(
    "/users/external_ids/rename",
    auth=BearerKey("users.external_ids.rename", "external_ids.rename"),
    response={201: RenameAnswer, 400: Failure},
)
def users_external_ids_rename(request: HttpRequest, data: Renamed) -> Any:
    """Give people other external IDs; the former ones go on finding them."""
    done: list[dict[str, str]] = []

    def rename(item: Any) -> str:
        pair = {name: _text(item, name) for name in ("current_external_id", "new_external_id")}
        if not all(pair.values()):
            return "'current_external_id' and 'new_external_id' are required"
        problem = identities.rename_external_id(*pair.values())
        if not problem:
            done.append(pair)
        return problem

    errors = _problems(_bounded("external_id_renames", data.external_id_renames), rename)
    return Status(201, {"message": "success", "external_ids": done, "rename_errors": errors})


class Removed(Schema):
    external_ids: list[Id] | None = None


class RemoveAnswer(Schema):
    message: str
    removed_ids: list[str]
    removal_errors: list[list[Any]]


@router.post(
    "/users/external_ids/remove",
    auth=BearerKey("users.external_ids.remove", "external_ids.remove"),
    response={201: RemoveAnswer, 400: Failure},
)
def users_external_ids_remove(request: HttpRequest, data: Removed) -> Any:
    """Forget external IDs that were renamed before."""
    named = _bounded("external_ids", data.external_ids)
    errors = _problems(named, identities.remove_former_id)
    wrong = {index for index, _text in errors}
    removed = [text for index, text in enumerate(named) if index not in wrong]
    return Status(201, {"message": "success", "removed_ids": removed, "removal_errors": errors})


def _problems(raw: Sequence[Any], act: Callable[[Any], str]) -> list[list[Any]]:
    """[index, what is wrong] for each item that could not be done."""
    return [[index, problem] for index, item in enumerate(raw) if (problem := act(item))]


def _text(item: Any, name: str) -> str:
    value = item.get(name) if isinstance(item, dict) else None
    value = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    return value if isinstance(value, str) and len(value) <= 512 else ""
