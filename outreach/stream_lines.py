"""Events out as lines of JSON: what each says about the profile, the outreach, the variation and the message."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid5

from audience.models import Profile
from outreach.models import Dispatch, OutgoingEvent, Outreach, Variant
from outreach.told import message_key
from workspace.models import Workspace

Source = Callable[[Sequence[OutgoingEvent]], Mapping[int, Mapping[str, Any]]]
sources: list[Source] = []
"""Higher apps that know more of some events (by id): a Canvas its step. Each takes a few queries for all of them."""


@dataclass(frozen=True, slots=True)
class _Known:
    """What the rows of a batch name, by id; the owners by sender."""

    workspace: UUID
    people: Mapping[int, Profile]
    owners: Mapping[int, Outreach]
    variants: Mapping[int, Variant]
    dispatches: Mapping[int, Dispatch]
    more: Mapping[int, Mapping[str, Any]]


def lines(events: Sequence[OutgoingEvent]) -> Iterator[str]:
    """One line of JSON for each event. A few queries, however many there are."""
    known = _known(events)
    for event in events:
        yield json.dumps(_line(event, known), ensure_ascii=False) + "\n"


_NAMES = ("pk", "external_id", "braze_id", "time_zone")


def _known(events: Sequence[OutgoingEvent]) -> _Known:
    owners = {o.sender_id: o for o in Outreach.objects.filter(sender__in={e.sender_id for e in events})}
    dispatches = Dispatch.objects.filter(pk__in={e.cause for e in events if e.cause}, outreach__in=owners.values())
    more: dict[int, Mapping[str, Any]] = {}
    for source in sources:
        more |= source(events)
    return _Known(
        Workspace.current().key,
        {p.pk: p for p in Profile.objects.filter(pk__in={e.profile_id for e in events}).only(*_NAMES)},
        owners,
        Variant.objects.in_bulk({e.variant for e in events}),
        {dispatch.pk: dispatch for dispatch in dispatches},
        more,
    )


def _line(event: OutgoingEvent, known: _Known) -> dict[str, Any]:
    owner, person = known.owners.get(event.sender_id), known.people.get(event.profile_id)
    variant = known.variants.get(event.variant)
    return {
        "id": str(uuid5(known.workspace, f"{event.kind} {event.source}")),
        "type": event.kind,
        "time": event.at.isoformat(),
        "workspace_id": str(known.workspace),
        "external_id": person.external_id if person else None,
        "braze_id": str(person.braze_id) if person else None,
        "time_zone": (person.time_zone or None) if person else None,
        "outreach_id": str(owner.key) if owner else None,
        "outreach_name": owner.name if owner else None,
        "variation_id": str(variant.key) if variant else None,
        "variation_name": variant.name if variant else None,
        "reason": event.reason or None,
        **_message(event, known, variant),
        **known.more.get(event.pk, {}),
        **(event.details or {}),
    }


def _message(event: OutgoingEvent, known: _Known, variant: Variant | None) -> dict[str, Any]:
    """What only messages have. A dispatch counts if it is the sender's: the cause of a Canvas's message is a visit."""
    if not event.kind.startswith("webhook."):
        return {}
    found: dict[str, Any] = {"message_variation_id": str(message_key(variant, event.slot)) if variant else None}
    dispatch, owner = known.dispatches.get(event.cause), known.owners.get(event.sender_id)
    if dispatch and owner and dispatch.outreach_id == owner.pk:
        found |= {"dispatch_id": str(dispatch.key), "send_id": dispatch.send_id or None}
    return found
