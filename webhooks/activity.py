"""Rows of the Message Activity Log, made from attempts. Secrets are masked here, before anything is stored."""

from datetime import datetime
from http import HTTPStatus

from django.db.models import Count
from django.utils.translation import gettext as _

from webhooks.attempt import Attempt, Ruling
from webhooks.masking import carried, shown_answer, shown_request, shown_text
from webhooks.models import LogKind, Message, MessageActivityLog
from webhooks.request import HOST_HALTED, Answer, Fault

_FAULT_WORDS = {
    Fault.NAME: "The host name was not found",
    Fault.CONNECT: "No connection",
    Fault.CONNECT_TIMEOUT: "No connection in time",
    Fault.TLS: "TLS",
    Fault.TIMEOUT: "No complete answer in time",
    Fault.RESET: "The connection was closed",
    Fault.NOT_HTTP: "Not a valid HTTP answer",
    Fault.GUARD: "Refused by the egress guard",
    Fault.UNUSABLE: "Not a usable request",
}


def row(attempt: Attempt, ruling: Ruling, at: datetime, *, is_test: bool = False) -> MessageActivityLog:
    """The log row of an attempt that was not received, was aborted, or was a test."""
    answer, request, refusal = attempt.answer, attempt.request, attempt.refusal
    text = refusal.text if refusal else headline(answer) if answer else ruling.text
    if answer and not answer.is_received and ruling.text:
        text += f" — {ruling.text}"
    secrets = secrets_of(attempt)
    return MessageActivityLog(
        at=at,
        kind=_kind(attempt, is_test),
        sender_id=attempt.message.sender_id or None,
        profile_id=attempt.message.profile_id or None,
        message_id=attempt.message.id or None,
        content_id=attempt.message.content_id or None,
        variant=attempt.message.variant,
        host=request.host if request else "",
        text=("[TEST SEND] " if is_test else "") + shown_text(text, secrets),
        status=answer.status if answer else None,
        attempt=max(1, ruling.attempts),
        is_final=ruling.is_final,
        next_try_at=None if ruling.is_final else ruling.due_at,
        duration_ms=round(answer.seconds * 1000) if answer else None,
        request=shown_request(request, secrets) if request else None,
        response=shown_answer(answer, secrets) if answer else None,
    )


def secrets_of(attempt: Attempt) -> tuple[str, ...]:
    """What must not be seen of an attempt, wherever it is told of."""
    return (*attempt.secrets, *(carried(attempt.request) if attempt.request else ()))


def of_stale_token(attempt: Attempt, at: datetime) -> MessageActivityLog:
    """The log row of a 401 after which the message goes once more, at once, with what was cached fetched anew."""
    text = _("the cached Connected Content answers were dropped; sent once more at once")
    return row(attempt, Ruling("", "http_401", at, attempt.message.attempts + 1, attempt.answer.status, text), at)  # type: ignore[union-attr]


def note_halt(host: str) -> None:
    """One row a sender whose messages a halted host keeps waiting, with their number."""
    counts = Message.objects.filter(lane__host=host, lane__is_open=True, finished_at=None)
    rows = counts.order_by().values_list("sender_id").annotate(Count("id"))
    MessageActivityLog.objects.bulk_create(
        MessageActivityLog(
            kind=LogKind.HOST_HALTED,
            sender_id=sender,
            host=host,
            status=HOST_HALTED,
            covers=waiting,
            is_final=False,
            text=f"{host} fails too often: no requests for a minute, then one probes it; {waiting} messages wait",
        )
        for sender, waiting in rows
    )


def headline(answer: Answer) -> str:
    """The first line a person reads: the status line, or why there was no answer; for a redirect, where it pointed."""
    if answer.fault is Fault.CONDITION:
        return f"{status_line(answer.status)}, but it does not count as received: {answer.text}"
    if answer.fault:
        words = _FAULT_WORDS[answer.fault]
        hint = "; the server may have acted" if answer.was_written and answer.is_retryable else ""
        return f"{words}: {answer.text}{hint}"
    if 300 <= answer.status <= 399 and (target := answer.header("location")):
        return f"{status_line(answer.status)}, redirected to {target}; put the final address into the URL"
    return status_line(answer.status)


def status_line(status: int) -> str:
    """For example `404 Not Found`."""
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def _kind(attempt: Attempt, is_test: bool) -> str:
    if is_test:
        return LogKind.TEST_SEND
    if attempt.refusal:
        return attempt.refusal.kind or LogKind.ABORTED
    if attempt.answer and attempt.answer.fault is Fault.GUARD:
        return LogKind.GUARD_REFUSED
    return LogKind.SENT if attempt.answer and attempt.answer.is_received else LogKind.WEBHOOK_ERROR
