"""What Connected Content calls of a message are worth saying: in the preview, and in the Message Activity Log."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from urllib.parse import urlsplit

from django.utils.translation import gettext as _

from webhooks.claims import Claimed
from webhooks.liquid import ConnectedContentAnswer, ConnectedContentCall
from webhooks.masking import shown_request, shown_text
from webhooks.models import LogKind, MessageActivityLog
from webhooks.request import Request

Calls = Iterable[tuple[ConnectedContentCall, ConnectedContentAnswer]]


def said(calls: Calls, secrets: Sequence[str] = ()) -> list[str]:
    """A sentence for each call, secrets masked."""
    return [_sentence(call, answer, secrets) for call, answer in calls]


def failures(message: Claimed, calls: Calls, at: datetime, secrets: Sequence[str] = ()) -> list[MessageActivityLog]:
    """A log row, unsaved, for each call that brought nothing."""
    return [_row(message, call, answer, at, secrets) for call, answer in calls if not answer.is_good]


def _row(
    message: Claimed, call: ConnectedContentCall, answer: ConnectedContentAnswer, at: datetime, secrets: Sequence[str]
) -> MessageActivityLog:
    return MessageActivityLog(
        at=at,
        kind=LogKind.CONNECTED_CONTENT_ERROR,
        sender_id=message.sender_id or None,
        profile_id=message.profile_id or None,
        message_id=message.id or None,
        content_id=message.content_id or None,
        variant=message.variant,
        host=_host(call.url),
        text=_sentence(call, answer, secrets),
        status=answer.status or None,
        attempt=message.attempts + 1,
        is_final=False,
        duration_ms=round(answer.seconds * 1000),
        request=shown_request(_request(call), secrets) | {"body": ""},
    )


def _sentence(call: ConnectedContentCall, answer: ConnectedContentAnswer, secrets: Sequence[str] = ()) -> str:
    shown = {
        "method": call.method,
        "url": shown_request(_request(call), secrets)["url"],
        "status": answer.status or "–",
        "ms": round(answer.seconds * 1000),
    }
    if answer.is_cached:
        return _("Connected Content %(method)s %(url)s: %(status)s, from the cache") % shown
    sentence = _("Connected Content %(method)s %(url)s: %(status)s, %(ms)s ms") % shown
    return f"{sentence}, {shown_text(answer.failure, secrets)}" if answer.failure else sentence


def _request(call: ConnectedContentCall) -> Request:
    return Request(call.method, call.url, _host(call.url), call.headers)


def _host(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "")[:255]
    except ValueError:
        return ""
