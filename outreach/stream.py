"""Notes what becomes of messages and journeys, in the transaction of each, where other systems want to know.

Off unless a setting names a file, an address or days to keep: then it costs one statement a batch. `outreach.shipping`
tells what is noted here.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings

from outreach.models import OutgoingEvent, Outreach
from webhooks.hooks import Recorded
from webhooks.models import Outcome
from workspace import bulk
from workspace.remembered import Remembered

Kind = OutgoingEvent.Kind
_KINDS = {
    Outcome.RECEIVED: Kind.SENT,
    Outcome.FAILED: Kind.FAILED,
    Outcome.ABORTED: Kind.ABORTED,
    Outcome.SKIPPED: Kind.SKIPPED,
}
_COLUMNS = {
    "kind": "text",
    "source": "text",
    "at": "timestamptz",
    "sender_id": "bigint",
    "profile_id": "bigint",
    "variant": "bigint",
    "reason": "text",
    "cause": "bigint",
    "slot": "smallint",
    "details": "jsonb",
}
ABORT_LOG = 128  # characters (supplement, section 7)


@dataclass(frozen=True, slots=True)
class Event:
    """`source` says what it is about: with the kind it makes the event's id. `details` go into its line as they are."""

    kind: str
    source: str
    at: datetime
    sender_id: int
    profile_id: int
    variant: int = 0
    reason: str = ""
    cause: int = 0
    slot: int = 0
    details: Mapping[str, Any] | None = None


def is_on() -> bool:
    """Whether anybody wants to know."""
    return bool(settings.EVENTS_OUT_FILE or settings.EVENTS_OUT_URL or settings.EVENTS_OUT_DAYS)


def record(recorded: Sequence[Recorded]) -> None:
    """Note how messages ended (registered with `webhooks.hooks.recorders`)."""
    if is_on():
        put(_of(item) for item in recorded if item.outcome in _KINDS)


def _of(item: Recorded) -> Event:
    message = item.message
    return Event(
        _KINDS[Outcome(item.outcome)],
        f"message:{message.id}",
        item.at,
        message.sender_id,
        message.profile_id,
        message.variant,
        item.reason,
        message.cause,
        message.slot,
        _details(item) or None,
    )


def _details(item: Recorded) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if item.status is not None:
        found["status"] = item.status
    if item.outcome == Outcome.ABORTED:
        found |= {"abort_type": item.reason, "abort_log": item.text[:ABORT_LOG]}
    elif item.text:
        found["error"] = item.text
    if item.extras:
        found["message_extras"] = dict(item.extras)
    return found


def put(events: Iterable[Event]) -> None:
    """Note the events: one statement. Call it in the transaction of what happened; nothing where nobody listens.

    Live tests are told to nobody.
    """
    found = list(events) if is_on() else []
    in_test = _in_test.of(event.sender_id for event in found)
    rows = [{name: getattr(event, name) for name in _COLUMNS} for event in found if not in_test[event.sender_id]]
    if rows:
        names = ", ".join(_COLUMNS)
        bulk.execute(
            f"INSERT INTO outreach_outgoingevent ({names}) SELECT {names} FROM {bulk.rows_as_table(_COLUMNS)}",
            [bulk.as_json(rows)],
        )


def _of_tests(senders: set[int]) -> dict[int, bool]:
    tests = Outreach.with_tests.filter(sender__in=senders, test_of__isnull=False)
    found = set(tests.values_list("sender_id", flat=True))
    return {sender: sender in found for sender in senders}


_in_test = Remembered(_of_tests)
