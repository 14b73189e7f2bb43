"""Lets people into an API-triggered Canvas: named ones, or its whole audience. Everything an API call does is here."""

import uuid
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from audience.ingest import ItemError
from audience.segments import among
from canvas import entry
from canvas.entry import ADMITTED, Candidate
from canvas.models import Canvas, Entry
from outreach import calls, later, plan, reach, recipients
from outreach.calls import Call, Checked
from outreach.errors import NotByCall
from outreach.later import EVERYBODY, Part, When
from outreach.models import Dispatch, ScheduledCall, Status

PROPERTIES = ("canvas_entry_properties", "context")
IGNORED = ("subscription_groups",)


@dataclass(slots=True)
class Answer:
    """What came of a call: so many let in, the others by reason. `notice` says why nobody was."""

    dispatch_id: uuid.UUID
    admitted: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    notice: str = ""
    errors: list[ItemError] = field(default_factory=list)


def trigger(canvas: Canvas, call: Call, now: datetime) -> Answer:
    """Do what an API call asks for. Raises NotByCall and UnusableCall."""
    return _do(canvas, call, checked(canvas, call, now), now, EVERYBODY, uuid.uuid4())


def checked(canvas: Canvas, call: Call, now: datetime) -> Checked:
    """What the call asks for, if this Canvas can be entered by it. Raises NotByCall and UnusableCall."""
    if canvas.entry != Entry.API or canvas.status == Status.DRAFT:
        raise NotByCall(_("“%s” is not entered by API call, or it is a draft.") % canvas.name)
    return calls.check(call, PROPERTIES, now, IGNORED)


def schedule(canvas: Canvas, call: Call, at: When, now: datetime) -> ScheduledCall:
    """Keep a call for later. Raises NotByCall and UnusableCall as if it were carried out now."""
    checked(canvas, call, now)
    return later.create(ScheduledCall.Kind.CANVAS, canvas, call.kept, at, now)


def run(due: ScheduledCall, part: Part, now: datetime) -> None:
    """Carry out a call that was kept (`later.runners`). A Canvas that is not active lets nobody in."""
    canvas = Canvas.objects.get(pk=due.outreach_id or 0)
    call = Call(**due.request)
    _do(canvas, call, checked(canvas, call, now), now, part, due.dispatch_key)


def _do(canvas: Canvas, call: Call, asked: Checked, now: datetime, part: Part, key: uuid.UUID) -> Answer:
    if notice := _notice(canvas):
        return Answer(key, notice=notice, errors=asked.errors)
    with transaction.atomic():
        if call.recipients:
            return _let_in(canvas, asked, now, part, key)
        dispatch = _dispatch(canvas, asked, now, key, part.tree(asked.audience))
        plan.add_run(canvas, dispatch, now)
        plan.wake("plan")
    return Answer(dispatch.key)


def _let_in(canvas: Canvas, asked: Checked, now: datetime, part: Part, key: uuid.UUID) -> Answer:
    found = recipients.find(asked.recipients, now)
    dispatch = _dispatch(canvas, asked, now, key)
    turn = part.among(found.people)
    members = among(plan.narrowed(reach.audience(canvas, now), asked.audience, now), turn)
    candidates = [
        Candidate(pk, f"call:{dispatch.pk}", {**asked.properties, **recipient.properties})
        for pk, recipient in found.people.items()
        if pk in members
    ]
    result = entry.enter(canvas.pk, candidates, now, not_in_audience=len(turn) - len(members))
    admitted = result.pop(ADMITTED, 0)
    result.update({"profile_not_found": found.missing, "duplicate": found.repeated})
    return Answer(dispatch.key, admitted, +result, errors=[*asked.errors, *found.errors])


def _dispatch(canvas: Canvas, asked: Checked, now: datetime, key: uuid.UUID, audience: Any = None) -> Dispatch:
    return Dispatch.objects.create(
        outreach=canvas,
        kind=Dispatch.Kind.API,
        source=uuid.uuid4().hex,
        key=key,
        context=dict(asked.properties) or None,
        audience=audience,
        created_at=now,
    )


def _notice(canvas: Canvas) -> str:
    if canvas.status == Status.ACTIVE:
        return ""
    if canvas.status == Status.ARCHIVED:
        return "The Canvas is archived. Unarchive the Canvas to ensure trigger requests will take effect."
    return "The Canvas is paused. Resume the Canvas to ensure trigger requests will take effect."
