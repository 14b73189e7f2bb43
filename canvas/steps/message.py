"""Message: waits for the step's schedule, checks the step's audience, sends, and goes on as the advancement says.

Settings: `schedule` (a delay), `audience`, `unmatched` ("exit" or "skip"), `exceptions` (triggers that end the journey
while it waits here), `advance` ("everyone" or "sent"), `ignores_quiet` (sends in quiet hours too).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from canvas import audiences
from canvas.graph import Node
from canvas.states import Reason, State, Waiting
from canvas.steps import waiting
from canvas.steps.problem import Problem
from canvas.travel import Batch, Traveller
from canvas.verdicts import Go, Leave, Send, Stay, Verdict, Verdicts, Wait
from outreach import delays, launch, matching
from outreach.delays import Mode
from webhooks import content_check
from webhooks.models import Content, Outcome
from workspace import bulk

RENDERS = False
EVERYONE, SENT = "everyone", "sent"
EXIT, SKIP = "exit", "skip"


def contents_of(nodes: Iterable[Node]) -> dict[int, Content]:
    """The webhooks of steps, by id, with their languages. Two queries."""
    wanted = [pk for node in nodes for _slot, pk in node.contents]
    return Content.objects.prefetch_related("overrides").in_bulk(wanted) if wanted else {}


def problems(node: Node, now: datetime, known: Mapping[int, Content] | None = None) -> Iterator[Problem]:
    """`known` are the step's webhooks, where they were read with those of others."""
    if not node.contents:
        yield Problem(_("There is no webhook yet."), "contents")
    found = contents_of([node]) if known is None else known
    for content in (found[pk] for _slot, pk in node.contents if pk in found):
        for fault in content_check.problems(content):
            yield Problem(fault.sentence, "contents")
        if name := launch.placeholder_in(content):
            yield Problem(_("%s is still a placeholder.") % name, "contents")
    for text in waiting.problems(node.settings.get("schedule") or {}, now):
        yield Problem(text, "schedule")
    for text in audiences.problems(node.settings.get("audience") or {}):
        yield Problem(text, "audience")
    for trigger in node.settings.get("exceptions") or ():
        for text in matching.problems(trigger):
            yield Problem(text, "exceptions")


def enter(batch: Batch, node: Node, people: Sequence[Traveller]) -> Verdicts:
    schedule = delays.read(node.settings.get("schedule") or {})
    if schedule.mode is Mode.NONE:
        return _send(batch, node, people)
    why = Waiting.SCHEDULE_DATE if schedule.follows_the_clock else Waiting.SCHEDULE
    return {
        journey: Wait(end, why) if end else Leave(Reason.DATE_PASSED)
        for journey, end in waiting.ends(batch, schedule, people).items()
    }


def resolve(batch: Batch, node: Node, people: Sequence[Traveller]) -> Verdicts:
    sending = [t for t in people if t.state is State.SENDING]
    due = [t for t in people if t.state is not State.SENDING]
    return {
        **(_judged(batch, node, sending) if sending else {}),
        **(_send(batch, node, due) if due else {}),
    }


def _send(batch: Batch, node: Node, people: Sequence[Traveller]) -> Verdicts:
    """The step's audience is asked now, after the delay; who is in it gets the messages."""
    audience = node.settings.get("audience") or {}
    fitting = (
        {t.id for t in people} if audiences.is_empty(audience) else audiences.matching(audience, people, batch.now)
    )
    why = Waiting.SENT if node.settings.get("advance") == SENT else Waiting.OUTCOME
    sends: Verdict = Send(why) if node.contents else Go(note="no webhook")
    return {t.id: sends if t.id in fitting else _unmatched(node, Reason.STEP_AUDIENCE) for t in people}


def _unmatched(node: Node, reason: Reason) -> Verdict:
    return Go(note=reason) if node.settings.get("unmatched") == SKIP else Leave(reason)


@dataclass(frozen=True, slots=True)
class Sent:
    """How one message of a visit stands."""

    outcome: str
    reason: str
    attempts: int


def judge(node: Node, messages: Sequence[Sent]) -> Verdict | None:
    """How a visit goes on, from how its messages stand; None: not yet.

    "Everyone" goes on with the first outcome of any kind, while retries go on behind; "sent" waits for a 2xx, and
    leaves once every message has failed for good.
    """
    if any(message.outcome == Outcome.RECEIVED for message in messages):
        return Go()
    if any(message.reason == Reason.VALIDATION for message in messages):
        return _unmatched(node, Reason.VALIDATION)
    if node.settings.get("advance") == SENT:
        return Leave(Reason.NOT_SENT) if all(message.outcome for message in messages) else None
    if not messages:
        return Go()
    first = next((message for message in messages if message.outcome or message.attempts), None)
    return Go(note=first.reason) if first else None


def _judged(batch: Batch, node: Node, people: Sequence[Traveller]) -> Verdicts:
    found = messages_of(batch.sender_id, people)
    verdicts: dict[int, Verdict] = {}
    for traveller in people:
        verdict = judge(node, found.get(traveller.id, ()))
        if verdict is None and traveller.latched == Reason.EXCEPTION_EVENT:
            verdict = Leave(Reason.EXCEPTION_EVENT)
        verdicts[traveller.id] = verdict or Stay()
    return verdicts


def messages_of(sender_id: int, people: Sequence[Traveller]) -> dict[int, list[Sent]]:
    """The messages of these journeys' visits to their current step, by journey id. One query, mostly.

    Of what a Canvas left lying until its messages were deleted, receipts are left.
    """
    journeys = {t.visit_id: t.id for t in people if t.visit_id}
    source = bulk.rows_of_each("webhooks_message", "cause", "cause, outcome, reason, attempts", "sender_id = %s")
    rows = bulk.fetch(
        f"SELECT r.cause, r.outcome, r.reason, r.attempts FROM {source}", [bulk.ids_param(journeys), sender_id]
    )
    found: dict[int, list[Sent]] = {}
    for visit, outcome, reason, attempts in rows:
        found.setdefault(journeys[visit], []).append(Sent(outcome, reason, attempts))
    without = {t.profile_id for t in people if t.visit_id and t.id not in found}
    if without:
        condition = "sender_id = %s AND received_at IS NOT NULL"
        source = bulk.rows_of_each("webhooks_receipt", "profile_id", "cause", condition)
        rows = bulk.fetch(f"SELECT r.cause FROM {source}", [bulk.ids_param(without), sender_id])
        for (visit,) in rows:
            if visit in journeys:
                found.setdefault(journeys[visit], [Sent(Outcome.RECEIVED, "", 1)])
    return found
