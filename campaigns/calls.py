"""Sends an API-triggered campaign: to named recipients, or to its whole audience (campaigns specification, 6.4).

The API only reads requests and writes answers; everything a call does is here.
"""

import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from audience import segments
from audience.ingest import ItemError
from campaigns import admission
from campaigns.admission import Asked
from campaigns.models import Campaign, Delivery
from outreach import calls, counters, later, plan, reach, recipients
from outreach.calls import Call, Checked
from outreach.errors import NotByCall, UnusableCall, WrongStatus
from outreach.later import EVERYBODY, Part, When
from outreach.models import Dispatch, Occurrence, Outreach, ScheduledCall, SendName, Status
from outreach.recipients import MOST, Recipient

SAME_SEND = timedelta(hours=24)
PROPERTIES = ("trigger_properties",)


@dataclass(slots=True)
class Answer:
    """What came of a call: so many accepted, the others by reason. `notice` says why nothing was sent."""

    dispatch_id: uuid.UUID | None = None
    accepted: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    notice: str = ""
    send_id: str = ""
    errors: list[ItemError] = field(default_factory=list)


def trigger(campaign: Campaign, call: Call, now: datetime) -> Answer:
    """Do what an API call asks for. Raises NotByCall and UnusableCall."""
    asked = checked(campaign, call, now)
    if call.recipients:
        return _send_to(campaign, call, asked, now)
    return broadcast(
        campaign,
        now,
        trigger_properties=asked.properties,
        audience=asked.audience,
        send_id=call.send_id or uuid.uuid4().hex,
    )


def checked(campaign: Campaign, call: Call, now: datetime) -> Checked:
    """What the call asks for, if this campaign can be sent by it. Raises NotByCall and UnusableCall."""
    if campaign.delivery != Delivery.API or campaign.status == Status.DRAFT:
        raise NotByCall(_("“%s” is not sent by API call, or it is a draft.") % campaign.name)
    if SendName.objects.filter(send_id=call.send_id).exclude(outreach=campaign).exists():
        raise UnusableCall(_("Bad Request: 'send_id' belongs to another campaign"))
    return calls.check(call, PROPERTIES, now)


def _send_to(campaign: Campaign, call: Call, asked: Checked, now: datetime, **more: Any) -> Answer:
    answer = send(
        campaign,
        asked.recipients,
        now,
        trigger_properties=asked.properties,
        send_id=call.send_id,
        audience=asked.audience,
        **more,
    )
    answer.errors = [*asked.errors, *answer.errors]
    return answer


# --- for later


def schedule(campaign: Campaign, call: Call, at: When, now: datetime) -> ScheduledCall:
    """Keep a call for later. Raises NotByCall and UnusableCall as if it were carried out now."""
    checked(campaign, call, now)
    kept = call.kept | {"send_id": call.send_id or (uuid.uuid4().hex if call.broadcast else "")}
    return later.create(ScheduledCall.Kind.CAMPAIGN, campaign, kept, at, now)


def run(due: ScheduledCall, part: Part, now: datetime) -> None:
    """Carry out a call that was kept (`later.runners`). A campaign that is not active sends nothing."""
    campaign = Campaign.objects.select_related("sender").get(pk=due.outreach_id or 0)
    call = Call(**due.request)
    asked = checked(campaign, call, now)
    if call.recipients:
        _send_to(campaign, call, asked, now, part=part, key=due.dispatch_key, source=f"schedule:{due.key}")
        return
    broadcast(
        campaign,
        now,
        trigger_properties=asked.properties,
        audience=part.tree(asked.audience),
        send_id="" if part.zones else call.send_id,
        key=None if part.zones else due.dispatch_key,
    )


# --- sending


def send(
    campaign: Campaign,
    people: Sequence[Recipient],
    now: datetime,
    *,
    trigger_properties: Mapping[str, Any] | None = None,
    send_id: str = "",
    due_at: datetime | None = None,
    audience: Mapping[str, Any] | None = None,
    part: Part = EVERYBODY,
    key: uuid.UUID | None = None,
    source: str = "",
) -> Answer:
    """Plan the campaign for some people. The same `send_id` sends to each once in 24 hours.

    `audience` is a filter tree that they must meet as well; `part` says whose turn it is; `source` names a call that
    is carried out in parts, and `key` is its dispatch ID. Raises WrongStatus for a draft and UnusableCall for no
    recipients, or more than 50.
    """
    if not 1 <= len(people) <= MOST:
        raise UnusableCall(_("Name 1 to %d recipients, or use broadcast.") % MOST)
    if notice := _notice(campaign):
        return Answer(uuid.uuid4(), notice=notice)
    with transaction.atomic():
        found = recipients.find(people, now)
        dispatch = _dispatch(campaign, trigger_properties, send_id, now, key=key, source=source)
        refused = Counter({"profile_not_found": found.missing, "duplicate": found.repeated})
        answer = Answer(dispatch.key, refused=refused, send_id=send_id, errors=found.errors)
        turn = part.among(found.people)
        members = segments.among(plan.narrowed(reach.audience(campaign, now), audience, now), turn)
        outside = len(turn) - len(members)
        asked = [
            Asked(pk, dispatch.pk, due_at or now, _context(recipient))
            for pk, recipient in found.people.items()
            if pk in members
        ]
        result = admission.admit(campaign, asked, now, cause=dispatch.pk)
        answer.accepted = len(members) - len(result.refused)
        answer.refused.update({"not_in_audience": outside, **Counter(result.refused.values())})
        counters.add(
            admission.turned_away(campaign, {"not_in_audience": outside, "profile_not_found": found.missing}, now)
        )
    answer.refused = +answer.refused
    return answer


def broadcast(
    campaign: Campaign,
    now: datetime,
    *,
    trigger_properties: Mapping[str, Any] | None = None,
    audience: Mapping[str, Any] | None = None,
    send_id: str = "",
    due_at: datetime | None = None,
    key: uuid.UUID | None = None,
) -> Answer:
    """Plan the campaign for its whole audience, narrowed by a filter tree if one is given.

    Raises WrongStatus for a draft, UnusableCall for an audience that can't be read.
    """
    if notice := _notice(campaign):
        return Answer(uuid.uuid4(), notice=notice)
    if audience and (faults := segments.problems((), audience, now)):
        raise UnusableCall(" ".join(fault.sentence for fault in faults))
    with transaction.atomic():
        dispatch = _dispatch(campaign, trigger_properties, send_id, now, audience, key=key)
        if not Occurrence.objects.filter(dispatch=dispatch).exists():
            plan.add_run(campaign, dispatch, due_at or now)
        plan.wake("plan")
    return Answer(dispatch.key, send_id=send_id)


def _notice(campaign: Campaign) -> str:
    """Why a call to a campaign that is not running sends nothing; empty where it is. Raises WrongStatus for a draft."""
    if campaign.status == Status.DRAFT:
        raise WrongStatus(_("“%s” is a draft. Launch it first.") % campaign.name)
    if campaign.status == Status.ACTIVE:
        return ""
    if campaign.status == Status.ARCHIVED:
        return "The campaign is archived. Unarchive the campaign to ensure trigger requests will take effect."
    return "The campaign is paused. Resume the campaign to ensure trigger requests will take effect."


def _context(recipient: Recipient) -> dict[str, Any] | None:
    return {"api_trigger_properties": dict(recipient.properties)} if recipient.properties else None


def _dispatch(
    campaign: Campaign,
    trigger_properties: Mapping[str, Any] | None,
    send_id: str,
    now: datetime,
    audience: Mapping[str, Any] | None = None,
    *,
    key: uuid.UUID | None = None,
    source: str = "",
) -> Dispatch:
    """The dispatch of this call; that of the first one, where the same send is asked for again within a day."""
    if source and (
        started := Dispatch.objects.filter(outreach=campaign, kind=Dispatch.Kind.API, source=source).first()
    ):
        return started
    if send_id:
        Outreach.objects.select_for_update().get(pk=campaign.pk)  # calls with one send_id come one after the other
        same = Dispatch.objects.filter(outreach=campaign, send_id=send_id, created_at__gt=now - SAME_SEND)
        if first := same.order_by("pk").first():
            return first
    return Dispatch.objects.create(
        outreach=campaign,
        kind=Dispatch.Kind.API,
        source=source or uuid.uuid4().hex,
        key=key or uuid.uuid4(),
        send_id=send_id,
        context=dict(trigger_properties or {}) or None,
        audience=dict(audience) if audience else None,
        created_at=now,
    )
