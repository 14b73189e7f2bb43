"""Calls that must not be carried out twice: those that name an `Idempotency-Key`."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.http import HttpRequest

from api.errors import BadRequest
from api.models import Call

KEPT = timedelta(hours=24)
LONGEST = 255


def once(request: HttpRequest, act: Callable[[], dict[str, Any]], now: datetime) -> dict[str, Any]:
    """The answer of `act`; made again with the same key within a day, the first answer, and nothing is done.

    Calls with one key come one after the other. A call that fails keeps no answer.
    """
    key = request.headers.get("Idempotency-Key", "")
    if not key:
        return act()
    if len(key) > LONGEST:
        raise BadRequest(f"Bad Request: 'Idempotency-Key' is longer than {LONGEST} characters")
    with transaction.atomic():
        path = request.path.strip("/")
        Call.objects.bulk_create([Call(path=path, key=key, made_at=now)], ignore_conflicts=True)
        call = Call.objects.select_for_update().get(path=path, key=key)
        if call.answer is not None and call.made_at > now - KEPT:
            return dict(call.answer)
        call.answer, call.made_at = act(), now
        call.save(update_fields=["answer", "made_at"])
        return dict(call.answer)


def forget_old(now: datetime) -> int:
    """Delete answers that nobody gets any more (timetable); how many."""
    return Call.objects.filter(made_at__lt=now - KEPT).delete()[0]
