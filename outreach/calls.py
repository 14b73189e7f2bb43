"""What an API call that sets off a campaign or a Canvas says, checked before anything is done."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from audience import connected, segments
from audience.connected import BadAudience
from audience.ingest import ItemError
from audience.ingest.errors import Refused
from outreach import recipients
from outreach.errors import UnusableCall
from outreach.recipients import MOST, Recipient

NO_RECIPIENTS = "No Recipients"
TOO_MANY = "The max number of external_ids and aliases per request was exceeded"


@dataclass(frozen=True, slots=True)
class Call:
    """A call as it was sent: whom it names, or everybody (`broadcast`), narrowed by a connected audience."""

    recipients: Sequence[Any] = ()
    broadcast: bool = False
    audience: Any = None
    properties: Any = None
    send_id: str = ""

    @property
    def kept(self) -> dict[str, Any]:
        """As JSON, for a call that is carried out later."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Checked:
    """A call that can be carried out. `audience` is a filter tree, `errors` are recipients that can't be used."""

    recipients: Sequence[Recipient]
    audience: Mapping[str, Any] | None
    properties: Mapping[str, Any]
    errors: list[ItemError] = field(default_factory=list)


def check(call: Call, names: Sequence[str], now: datetime, ignored: Collection[str] = ()) -> Checked:
    """What the call asks for. `names` are what a recipient's properties may be called. Raises UnusableCall."""
    if len(call.recipients) > MOST:
        raise UnusableCall(TOO_MANY)
    if call.recipients and call.broadcast:
        raise UnusableCall("Bad Request: 'broadcast' must not be true where recipients are named")
    if not call.recipients and not call.broadcast:
        raise UnusableCall(NO_RECIPIENTS)
    try:
        properties = recipients.properties(call.properties, names[-1])
    except Refused as error:
        raise UnusableCall(f"Bad Request: {error}") from error
    audience = tree(call.audience, now)
    found, errors = recipients.read(call.recipients, names, ignored=ignored)
    if call.recipients and not found:
        raise UnusableCall(NO_RECIPIENTS, errors)
    return Checked(found, audience, properties, errors)


def tree(raw: Any, now: datetime) -> Mapping[str, Any] | None:
    """The filter tree of a connected audience, if there is one. Raises UnusableCall."""
    if raw in (None, {}):
        return None
    try:
        found = connected.tree(raw, now)
    except BadAudience as error:
        raise UnusableCall(f"Bad Request: {error}") from error
    if problems := segments.problems((), found, now):
        raise UnusableCall(f"Bad Request: {problems[0].sentence}")
    return found
