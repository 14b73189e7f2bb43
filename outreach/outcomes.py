"""What follows from outcomes: places given back, the control group's entries, and word to those who wait for it.

Registered with `webhooks.hooks.recorders`; runs inside the transaction that writes the outcomes, before the totals.
"""

from collections.abc import Sequence
from datetime import datetime

from audience import reactions
from audience.ingest import outbox
from audience.ingest.outbox import Happened
from audience.models import PendingEvent
from outreach import capping, counters
from outreach.counters import CONTROL_REASON
from outreach.matching import interaction
from outreach.models import ControlEntry
from webhooks.hooks import Recorded
from webhooks.models import Outcome
from workspace.remembered import Recent


def record(recorded: Sequence[Recorded]) -> None:
    """Act on a batch of outcomes. A handful of statements, none where nothing of the kind happened."""
    ended = [item for item in recorded if item.outcome and item.outcome != Outcome.RECEIVED]
    capping.give_back({(i.message.sender_id, i.message.cause, i.message.profile_id) for i in ended})
    told = [i for i in recorded if i.outcome == Outcome.RECEIVED or i.reason == CONTROL_REASON]
    owners = counters.outreach_by_sender({i.message.sender_id for i in told}) if told else {}
    held = [i for i in told if i.reason == CONTROL_REASON and i.message.sender_id in owners]
    ControlEntry.objects.bulk_create(
        (
            ControlEntry(
                outreach_id=owners[i.message.sender_id],
                profile_id=i.message.profile_id,
                variant=i.message.variant,
                cause=i.message.cause,
                entered_at=i.at,
            )
            for i in held
        ),
        ignore_conflicts=True,
    )
    announce(
        [
            (owners[i.message.sender_id], i.message.profile_id, "in_control" if i in held else "received", i.at)
            for i in told
            if i.message.sender_id in owners
        ]
    )


def announce(interactions: Sequence[tuple[int, int, str, datetime]]) -> None:
    """Put (outreach, profile, what, when) into the outbox where somebody waits for it."""
    names = {interaction(what, outreach) for outreach, _profile, what, _at in interactions}
    if not names:
        return
    wanted = _wanted.of(names)
    outbox.insert(
        [
            Happened(profile, PendingEvent.Kind.OUTREACH, name, None, {}, at, at)
            for outreach, profile, what, at in interactions
            if (name := interaction(what, outreach)) in wanted
        ]
    )


def _load_wanted(names: set[str]) -> dict[str, bool]:
    """Which of these interactions somebody waits for: as it was a second ago at most, since every batch asks."""
    kind = PendingEvent.Kind.OUTREACH
    return dict.fromkeys(reactions.wanted({kind: names}).get(kind, set()), True)


_wanted = Recent(_load_wanted)
