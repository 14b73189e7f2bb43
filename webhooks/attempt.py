"""What one attempt, or the decision not to make it, means for a message. Pure."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from webhooks import retry
from webhooks.request import NO_ANSWER, Answer, Fault, Refusal, Request

if TYPE_CHECKING:
    from webhooks.claims import Claimed


class Attempt(NamedTuple):
    """A message this worker is done with for now: answered, refused, or held until `hold_until`."""

    message: "Claimed"
    request: Request | None = None
    answer: Answer | None = None
    refusal: Refusal | None = None
    hold_until: datetime | None = None
    began_at: datetime | None = None
    secrets: tuple[str, ...] = ()
    extras: Mapping[str, str] = MappingProxyType({})  # what its template said about the message


class Ruling(NamedTuple):
    """What to write. `outcome` is empty while the message stays pending, due again at `due_at`."""

    outcome: str
    reason: str
    due_at: datetime
    attempts: int
    status: int | None = None
    text: str = ""

    @property
    def is_final(self) -> bool:
        return bool(self.outcome)


def rule(attempt: Attempt, now: datetime, chance: float, scale: float = 1.0) -> Ruling:
    """Decide what an attempt means. `now` is when it ended, `chance` places a retry (see `retry.next_attempt`)."""
    message = attempt.message
    if attempt.hold_until is not None:
        return Ruling("", "held", attempt.hold_until, message.attempts)
    if attempt.refusal is not None:
        return _rule_refusal(attempt, attempt.refusal, now, chance, scale)
    if attempt.answer is None:
        raise ValueError("an attempt is answered, refused or held")
    return _rule_answer(attempt, attempt.answer, now, chance, scale)


def _rule_refusal(attempt: Attempt, refusal: Refusal, now: datetime, chance: float, scale: float) -> Ruling:
    """A refusal ends the message, unless it has no outcome: then Connected Content asked to try again later."""
    if refusal.outcome:
        return Ruling(refusal.outcome, refusal.reason, now, attempt.message.attempts, text=refusal.text)
    attempts = attempt.message.attempts + 1
    first = attempt.message.first_attempt_at or attempt.began_at or now
    match retry.next_attempt(_LOOK_UP_FAILED, attempts, first, now, chance, scale):
        case retry.Retry(due_at):
            return Ruling("", refusal.reason, due_at, attempts, text=refusal.text)
        case retry.GiveUp():
            return Ruling("aborted", "connected_content", now, attempts, text=refusal.text)


_LOOK_UP_FAILED = Answer(NO_ANSWER, fault=Fault.TIMEOUT)


def _rule_answer(attempt: Attempt, answer: Answer, now: datetime, chance: float, scale: float) -> Ruling:
    attempts = attempt.message.attempts + 1
    if answer.is_received:
        return Ruling("received", "", now, attempts, answer.status)
    first = attempt.message.first_attempt_at or attempt.began_at or now
    match retry.next_attempt(answer, attempts, first, now, chance, scale):
        case retry.Retry(due_at):
            return Ruling("", retry.reason_of(answer), due_at, attempts, answer.status)
        case retry.GiveUp(reason, text):
            return Ruling("failed", reason, now, attempts, answer.status, text)
