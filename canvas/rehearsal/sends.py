"""The messages of a rehearsal: judged and rendered by the code that sends, then taken as answered with 200.

Nothing goes out. What templates would look up elsewhere (Connected Content) is not asked: its variables are empty.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from audience.models import Profile
from canvas.models import Journey
from canvas.states import State
from webhooks import hooks
from webhooks.attempt import Attempt
from webhooks.claims import Claimed
from webhooks.compose import compile_content, render, the_guard
from webhooks.liquid import LiquidSyntaxProblem, RenderData
from webhooks.masking import shown_request
from webhooks.models import Content, LogKind, Message, Outcome, Receipt
from webhooks.record import record
from webhooks.request import Answer, Refusal, Request

_FIELDS = (
    "id sender_id lane_id content_id profile_id cause slot variant due_at attempts first_attempt_at context lease"
).split()


@dataclass(frozen=True, slots=True)
class Sent:
    """A message as it would have been: `request` as the log may show it, or why there is none."""

    at: datetime
    request: Mapping[str, Any] | None
    refusal: str = ""
    is_abort: bool = False


def answer(journey: Journey, now: datetime) -> tuple[list[Sent], datetime | None]:
    """Answer what the journey's step would send now; where all of it is held, until when."""
    waiting = Message.objects.filter(cause=journey.visit_id or 0, profile=journey.profile_id, finished_at=None)
    batch = [Claimed(*row) for row in waiting.order_by("slot").values_list(*_FIELDS)]
    verdicts = _checked(batch, now)
    attempts: list[Attempt] = []
    shown: list[Sent] = []
    holds: list[datetime] = []
    extra = _context([m for m in batch if m.id not in verdicts])
    profile: Mapping[str, Any] = Profile.objects.filter(pk=journey.profile_id).values().first() or {}
    for message in batch:
        secrets: tuple[str, ...] = ()
        verdict: hooks.Verdict | Request | None = verdicts.get(message.id)
        if verdict is None:
            verdict, secrets = _rendered(message, profile, extra.get(message.id, {}), now)
        if isinstance(verdict, hooks.Hold):
            holds.append(verdict.due_at)
        elif isinstance(verdict, Refusal):
            shown.append(Sent(now, None, verdict.text or verdict.reason, verdict.outcome == Outcome.ABORTED))
            attempts.append(Attempt(message, refusal=_final(verdict)))
        else:
            shown.append(Sent(now, shown_request(verdict, secrets)))
            attempts.append(Attempt(message, answer=Answer(200), began_at=now))
    if attempts:
        record(attempts)
        Receipt.objects.filter(cause=journey.visit_id or 0, profile=journey.profile_id).update(
            reserved_at=now, received_at=now
        )
        Journey.objects.filter(pk=journey.pk, state=State.SENDING).update(wake_at=now)  # recorded by the real clock
    return shown, min(holds, default=None)


def _checked(batch: Sequence[Claimed], now: datetime) -> dict[int, hooks.Verdict]:
    verdicts: dict[int, hooks.Verdict] = {}
    for _position, check in hooks.checks:
        left = [message for message in batch if message.id not in verdicts]
        verdicts |= check(left, now) if left else {}
    return verdicts


def _context(batch: Sequence[Claimed]) -> dict[int, Mapping[str, Any]]:
    found: dict[int, Mapping[str, Any]] = {}
    for source in hooks.context_sources:
        found.update(source(batch))
    return found


def _rendered(
    message: Claimed, profile: Mapping[str, Any], extra: Mapping[str, Any], now: datetime
) -> tuple[Request | Refusal, tuple[str, ...]]:
    """The request, or why there is none; and the secrets in it."""
    content = Content.objects.get(pk=message.content_id)
    try:
        compiled = compile_content(content)
    except LiquidSyntaxProblem as problem:
        return Refusal(Outcome.FAILED, "render_error", problem.message, LogKind.LIQUID_ERROR), ()
    data = RenderData(profile, now=now, **extra)
    return render(compiled, data, the_guard(), str(profile.get("language", ""))), compiled.secrets


def _final(refusal: Refusal) -> Refusal:
    """A look-up that would be tried again later counts as failed: a rehearsal asks nobody."""
    return refusal if refusal.outcome else Refusal(Outcome.FAILED, refusal.reason, refusal.text, refusal.kind)
