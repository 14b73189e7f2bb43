"""Sends webhooks that are composed in an API call: to named people at once, to a segment or audience in chunks."""

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import QuerySet

from audience import segments
from audience.ingest import ItemError, items, resolve
from audience.ingest.errors import Refused
from audience.ingest.items import By, Identifier
from audience.models import Profile
from outreach import calls, composed, counters, later
from outreach.calls import NO_RECIPIENTS, TOO_MANY
from outreach.counters import Key
from outreach.errors import UnusableCall
from outreach.later import EVERYBODY, Part, When
from outreach.models import DirectSend, Dispatch, Metric, Outreach, ScheduledCall, SendName, Variant
from outreach.plan import CHUNK, wake
from outreach.recipients import MOST
from webhooks.lanes import open_lanes
from webhooks.models import Content, Message, Sender
from workspace import bulk

SENDER = "API messages"
PRUNED_AT_ONCE = 1_000
_STATES: Mapping[str, Sequence[str]] = {
    "subscribed": ("subscribed", "opted_in"),
    "opted_in": ("opted_in",),
    "all": (),
}
_COPIED = ("url", "method", "raw_body", "headers")  # what makes two webhooks the same


@dataclass(frozen=True, slots=True)
class DirectCall:
    """A `/messages/send` as it was sent; empty values are absent ones."""

    external_user_ids: Sequence[str] = ()
    user_aliases: Sequence[Any] = ()
    segment: int | None = None
    audience: Any = None
    broadcast: bool = False
    messages: Any = None
    outreach: int | None = None
    variation: str = ""
    send_id: str = ""
    subscription_state: str = "subscribed"

    @property
    def kept(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Checked:
    """A call that can be carried out: whom it names, the audience as a filter tree, and the webhook, not yet saved."""

    people: Sequence[Identifier]
    audience: Mapping[str, Any] | None
    content: Content
    variant: int = 0
    errors: list[ItemError] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Answer:
    dispatch_id: uuid.UUID
    send_id: str = ""
    errors: Sequence[ItemError] = ()


def send(call: DirectCall, now: datetime) -> Answer:
    """Do what the call asks for. Raises UnusableCall."""
    return _do(call, check(call, now), now, EVERYBODY, uuid.uuid4())


def schedule(call: DirectCall, at: When, now: datetime) -> ScheduledCall:
    """Keep the call for later. Raises UnusableCall as if it were carried out now."""
    check(call, now)
    return later.create(ScheduledCall.Kind.MESSAGES, None, call.kept, at, now)


def run(due: ScheduledCall, part: Part, now: datetime) -> None:
    """Carry out a call that was kept (`later.runners`)."""
    call = DirectCall(**due.request)
    key = uuid.uuid4() if part.zones else due.dispatch_key
    _do(call, check(call, now), now, part, key)


# --- what the call says


def check(call: DirectCall, now: datetime) -> Checked:
    """What is asked for. Raises UnusableCall."""
    named = [*call.external_user_ids, *call.user_aliases]
    if len(named) > MOST:
        raise UnusableCall(TOO_MANY)
    if not (named or call.segment or call.audience):
        raise UnusableCall(NO_RECIPIENTS)
    if bool(named) == call.broadcast:
        raise UnusableCall(NO_RECIPIENTS if not named else "Bad Request: 'broadcast' is for calls that name nobody")
    if call.subscription_state not in _STATES:
        raise UnusableCall("Bad Request: 'recipient_subscription_state' must be subscribed, opted_in or all")
    content, errors = composed.webhook(call.messages)
    people = [Identifier(By.EXTERNAL_ID, value) for value in call.external_user_ids]
    try:
        people += [items.alias(each) for each in call.user_aliases]
    except Refused as error:
        raise UnusableCall(f"Bad Request: {error}") from error
    return Checked(people, _tree(call, now), content, _variant(call), errors)


def _tree(call: DirectCall, now: datetime) -> Mapping[str, Any] | None:
    parts: list[Any] = []
    if call.segment:
        parts.append({"filter": "segment", "op": "in", "segments": [call.segment]})
    if tree := calls.tree(call.audience, now):
        parts.append(tree)
    if states := _STATES[call.subscription_state]:
        parts.append({"filter": "email_subscribe", "op": "any_of", "values": [*states]})
    return {"all": parts} if parts else None


def _variant(call: DirectCall) -> int:
    """The variant that a campaign's sends are counted under. Raises UnusableCall."""
    if call.outreach is None:
        return 0
    if not call.variation:
        raise UnusableCall("Message Variant Unspecified")
    try:
        key = uuid.UUID(call.variation)
    except ValueError as error:
        raise UnusableCall("Invalid Message Variant") from error
    variant = Variant.objects.filter(outreach=call.outreach, key=key, is_control=False, is_removed=False).first()
    if variant is None:
        raise UnusableCall("Invalid Message Variant")
    if SendName.objects.filter(send_id=call.send_id).exclude(outreach=call.outreach).exists():
        raise UnusableCall("Bad Request: 'send_id' belongs to another campaign")
    return variant.pk


# --- sending


def _do(call: DirectCall, asked: Checked, now: datetime, part: Part, key: uuid.UUID) -> Answer:
    with transaction.atomic():
        outreach = Outreach.objects.get(pk=call.outreach) if call.outreach else None
        direct = _stored(call, asked, outreach, now, key)
        if call.broadcast:
            direct.audience = dict(part.tree(asked.audience) or {"filter": "everyone"})
            direct.save()
            wake("plan")
        else:
            found = part.among(set(resolve.find(asked.people).values()))
            people = Profile.objects.filter(pk__in=found)
            _plan(direct, _matching(people, asked.audience, now), now)
            direct.finished_at = now
            direct.save()
    return Answer(key, direct.send_id, asked.errors)


def _stored(call: DirectCall, asked: Checked, outreach: Outreach | None, now: datetime, key: uuid.UUID) -> DirectSend:
    digest = sha256(json.dumps([getattr(asked.content, name) for name in _COPIED]).encode()).hexdigest()
    same = DirectSend.objects.filter(digest=digest).select_related("content").first()
    content = same.content if same else asked.content
    if same is None:
        content.save()
    send_id = call.send_id or (uuid.uuid4().hex if call.broadcast and outreach else "")
    dispatch = None
    if outreach:
        dispatch = Dispatch.objects.create(
            outreach=outreach, kind=Dispatch.Kind.API, source=f"direct:{key}", key=key, send_id=send_id, created_at=now
        )
    return DirectSend.objects.create(
        key=key,
        sender=outreach.sender if outreach else sender(),
        content=content,
        digest=digest,
        outreach=outreach,
        dispatch=dispatch,
        variant=asked.variant,
        send_id=send_id,
        due_at=now,
        created_at=now,
    )


def sender() -> Sender:
    """The sender of all API messages that belong to no campaign."""
    found = Sender.objects.filter(outreach=None, name=SENDER).order_by("pk").first()
    return found or Sender.objects.create(name=SENDER, is_open=True)


def _matching(people: "QuerySet[Profile]", tree: Mapping[str, Any] | None, now: datetime) -> "QuerySet[Profile]":
    return people & segments.members((), tree, now) if tree else people


def plan_due(now: datetime) -> None:
    """Plan broadcasts to their end, chunk by chunk (registered with `plan.schedulers`)."""
    for pk in DirectSend.objects.filter(finished_at=None, due_at__lte=now).values_list("pk", flat=True):
        while _plan_chunk(pk, now):
            pass


def _plan_chunk(pk: int, now: datetime, size: int = CHUNK) -> bool:
    """Plan the next profiles; whether any may be left. A second planner leaves."""
    can_skip = connection.features.has_select_for_update_skip_locked
    with transaction.atomic():
        rows = DirectSend.objects.select_for_update(skip_locked=can_skip, of=("self",) if can_skip else ())
        direct = rows.filter(pk=pk, finished_at=None).first()
        if direct is None:
            return False
        people = _matching(Profile.objects.filter(pk__gt=direct.cursor), direct.audience, now).order_by("pk")[:size]
        last = _plan(direct, people, now)
        direct.cursor = last or direct.cursor
        if last is None:
            direct.finished_at = now
        direct.save(update_fields=["cursor", "finished_at", "planned_count"])
    return last is not None


def _plan(direct: DirectSend, people: "QuerySet[Profile]", now: datetime) -> int | None:
    """Make a message for each; the last one's id, None for nobody."""
    ids = sorted(people.values_list("pk", flat=True))
    if not ids:
        return None
    lane = open_lanes(direct.sender, [direct.content])[direct.content_id]
    made = bulk.fetch(
        f"""
        INSERT INTO webhooks_message (
            sender_id, lane_id, content_id, profile_id, cause, slot, variant, due_at, attempts, lease, outcome, reason
        )
        SELECT %s, %s, %s, u.id, %s, 0, %s, %s, 0, 0, '', '' FROM {bulk.ids_as_table()}
        WHERE TRUE ON CONFLICT (sender_id, cause, profile_id, slot) DO NOTHING RETURNING id
        """,
        [
            direct.sender_id,
            lane,
            direct.content_id,
            direct.dispatch_id or direct.pk,
            direct.variant,
            bulk.time_param(direct.due_at),
            bulk.as_json_ids(ids),
        ],
    )
    direct.planned_count += len(made)
    if direct.outreach_id:
        key = Key(direct.outreach_id, counters.today(now), direct.variant, 0, Metric.PLANNED)
        counters.add({key: len(made)})
    wake("deliver")
    return ids[-1]


def prune(now: datetime) -> int:
    """Delete sends as old as the log is kept whose messages have all ended, and webhooks nothing names any more."""
    until = now - timedelta(days=settings.LOG_DAYS_KEPT)
    old = list(DirectSend.objects.filter(finished_at__lt=until).order_by("pk")[:PRUNED_AT_ONCE])
    causes = {direct.dispatch_id or direct.pk for direct in old}
    senders = {direct.sender_id for direct in old}
    open_messages = Message.objects.filter(sender__in=senders, cause__in=causes, finished_at=None)
    waiting = set(open_messages.values_list("sender_id", "cause"))
    ended = [direct for direct in old if (direct.sender_id, direct.dispatch_id or direct.pk) not in waiting]
    DirectSend.objects.filter(pk__in=[direct.pk for direct in ended]).delete()
    contents = Content.objects.filter(pk__in={direct.content_id for direct in ended})
    contents.exclude(pk__in=DirectSend.objects.values("content")).delete()
    return len(ended)
