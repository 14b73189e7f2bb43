"""What higher apps fill in at start: checks before sending, and recorders of outcomes.

Both are called with whole batches. A check may query a few times a batch, never once a message. A recorder runs inside
the transaction that writes the outcomes, so that totals always add up.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any, NamedTuple

from webhooks.claims import Claimed
from webhooks.models import Message
from webhooks.request import Refusal


@dataclass(frozen=True, slots=True)
class Hold:
    """Not now: the message is due again at `due_at`; no attempt is used."""

    due_at: datetime
    reason: str = ""


Verdict = Refusal | Hold
Check = Callable[[Sequence[Claimed], datetime], Mapping[int, Verdict]]
"""Given the claimed messages that passed so far, a verdict by message id for those that must not go now."""


class Recorded(NamedTuple):
    """What was written about one message. `outcome` is empty while it is pending; `was_error` counts one attempt.

    `status` is the last answer's, `text` says in words why it ended without one that counts, `extras` is what the
    template said about it; secrets are masked in both.
    """

    message: Claimed
    outcome: str
    reason: str
    was_error: bool
    at: datetime
    status: int | None = None
    text: str = ""
    extras: Mapping[str, str] = MappingProxyType({})


Recorder = Callable[[Sequence[Recorded]], None]
Reopener = Callable[[Sequence[Message], datetime], None]
"""Given messages as they had failed, takes that back from the totals, in the transaction that makes them pending."""
ContextSource = Callable[[Sequence[Claimed]], Mapping[int, Mapping[str, Any]]]
"""Given claimed messages, by message id what Liquid knows beyond the profile: campaign, canvas, properties."""

checks: list[tuple[int, Check]] = []
recorders: list[Recorder] = []
reopeners: list[Reopener] = []
context_sources: list[ContextSource] = []


def add_check(position: int, check: Check) -> None:
    """Register a check; lower positions run first. The order is the campaigns specification's, section 8.2."""
    checks.append((position, check))
    checks.sort(key=lambda pair: pair[0])
