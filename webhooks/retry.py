"""Decides what follows a failed attempt. Pure: time and chance come in as arguments.

The table is the webhooks specification's, section 7.2: at most five retries within 30 minutes of the first attempt;
hosts that could not be reached at all go on at 1, 2, 4 and 8 hours until 24 hours after the first.
"""

import email.utils
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from webhooks.request import Answer

SHORT_WAITS = tuple(timedelta(seconds=s) for s in (15, 60, 180, 420, 900))
LONG_WAITS = tuple(timedelta(hours=h) for h in (1, 2, 4, 8))
SHORT_WINDOW = timedelta(minutes=30)
LONG_WINDOW = timedelta(hours=24)
JITTER = 0.2


@dataclass(frozen=True, slots=True)
class Retry:
    """Try again at `due_at`."""

    due_at: datetime


@dataclass(frozen=True, slots=True)
class GiveUp:
    """The message has failed; `reason` is a short name, `text` a sentence."""

    reason: str
    text: str = ""


def next_attempt(
    answer: Answer, attempts: int, first: datetime, now: datetime, chance: float, scale: float = 1.0
) -> Retry | GiveUp:
    """What follows a failed attempt. Times are aware UTC; `now` is when the attempt ended.

    `attempts` counts those made, this one included; `chance` (0.0 to 1.0) places the wait within 20 % of its base.
    `Retry-After` is kept where it asks for longer (RFC 9110, section 10.2.3) and may stretch a wait to 24 hours; past
    that the message ends at once. `scale` shrinks every wait and window, for demonstrations.
    """
    if not answer.is_retryable:
        return GiveUp(reason_of(answer))
    wait = _wait(answer, attempts, chance)
    if wait is None:
        return GiveUp(reason_of(answer), "all attempts are used")
    asked = retry_after(answer, now)
    due_at = now + max(wait, asked) * scale
    if asked > wait:
        if due_at - first > LONG_WINDOW * scale:
            return GiveUp("retry_after_too_long", f"asked to wait until {due_at:%Y-%m-%d %H:%M} UTC, past 24 hours")
        return Retry(due_at)
    return _within_window(answer, attempts, first, now, due_at, scale)


def _wait(answer: Answer, attempts: int, chance: float) -> timedelta | None:
    spread = 1 - JITTER + 2 * JITTER * chance
    if attempts <= len(SHORT_WAITS):
        return SHORT_WAITS[attempts - 1] * spread
    later = attempts - len(SHORT_WAITS)
    if answer.is_unreachable and later <= len(LONG_WAITS):
        return LONG_WAITS[later - 1] * spread
    return None


def _within_window(
    answer: Answer, attempts: int, first: datetime, now: datetime, due_at: datetime, scale: float
) -> Retry | GiveUp:
    """Move a retry that would start too late to the window's end, or give up where that has passed."""
    window = (SHORT_WINDOW if attempts <= len(SHORT_WAITS) else LONG_WINDOW) * scale
    end = first + window
    if due_at <= end:
        return Retry(due_at)
    if now < end:
        return Retry(end)
    if answer.is_unreachable and attempts <= len(SHORT_WAITS) and due_at <= first + LONG_WINDOW * scale:
        return Retry(due_at)  # slow connection failures used up the half hour; a host may still come back
    return GiveUp(reason_of(answer), "the retry window is over")


def reason_of(answer: Answer) -> str:
    """The short name that statistics group by: the fault, or `http_` and the status."""
    return answer.fault.value if answer.fault else f"http_{answer.status}"


def retry_after(answer: Answer, now: datetime) -> timedelta:
    """How long the answer asks to wait: seconds, or an HTTP date read against its own Date header. Unreadable: zero."""
    value = (answer.header("retry-after") or "").strip()
    if value.isascii() and value.isdigit():
        return timedelta(seconds=min(int(value[:12]), 10 * 366 * 86400))
    until = _http_date(value)
    if until is None:
        return timedelta()
    return max(timedelta(), until - (_http_date(answer.header("date") or "") or now))


def _http_date(value: str) -> datetime | None:
    try:
        moment = email.utils.parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
