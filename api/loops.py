"""Cuts loops: webhooks of ours that call this API, which sets off the same webhooks again.

A call of ours shows by its `webhook-id`. What it is about (an event of a person, a campaign for a person) is counted
for a minute; past a bound it is let in, but sets nothing off. With Redis away each process counts by itself.
"""

import json
import logging
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from redis.exceptions import RedisError

from audience.ingest.items import By
from webhooks import log
from webhooks.models import LogKind, MessageActivityLog
from workspace import queues

logger = logging.getLogger(__name__)

_OURS = re.compile(r"msg_[0-9a-f]{30}")
_NAMES = [by.value for by in By] + ["external_user_id"]
_here: dict[tuple[str, int], int] = {}  # counts of this process, by key and minute


def cut(request: HttpRequest, subjects: Iterable[str]) -> bool:
    """Whether this call goes round in a circle: it is ours, and one of its subjects came too often. Logged if so."""
    if not _OURS.fullmatch(request.headers.get("webhook-id", "")):
        return False
    keys = [sha256(f"{request.path}\0{subject}".encode()).hexdigest() for subject in set(subjects)]
    most = max(_counted(keys), default=0)
    if most <= settings.API_LOOP_CALLS:
        return False
    text = _("Loop cut: a webhook of ours called %(path)s about the same thing %(count)d times within a minute.")
    words = text % {"path": request.path, "count": most}
    logger.warning("path=%s outcome=loop_cut", request.path)
    log.write([MessageActivityLog(at=timezone.now(), kind=LogKind.API_ERROR, host=request.get_host(), text=words)])
    return True


def of_track(lists: Mapping[str, Sequence[Any]]) -> list[str]:
    """What a `/users/track` is about: each person's events and products by name, and their attributes."""
    found = []
    for array, objects in lists.items():
        for each in objects:
            if isinstance(each, Mapping):
                found.append(f"{array} {each.get('name') or each.get('product_id') or ''} {who(each)}")
    return found


def of_send(what: Any, recipients: Iterable[Any]) -> list[str]:
    """What a send is about: the same thing for each person, or for everybody."""
    people = [who(each) for each in recipients if isinstance(each, Mapping)]
    return [f"{what} {person}" for person in people or ["everybody"]]


def who(each: Mapping[str, Any]) -> str:
    """Whom an object names, as text."""
    value = next((each[name] for name in _NAMES if each.get(name)), "")
    return json.dumps(value, sort_keys=True)


def this_minute() -> int:
    """The minute that calls are counted in."""
    return int(time.time()) // 60


def _counted(keys: Sequence[str]) -> list[int]:
    """Count one call for each key; how many that is this minute."""
    minute = this_minute()
    try:
        pipe = queues.connection().pipeline(transaction=False)
        for key in keys:
            pipe.incr(f"loop:{key}:{minute}")
            pipe.expire(f"loop:{key}:{minute}", 120)
        return [int(count) for count in pipe.execute()[::2]]
    except RedisError:
        for old in [key for key in _here if key[1] != minute]:
            del _here[old]
        for key in keys:
            _here[key, minute] = _here.get((key, minute), 0) + 1
        return [_here[key, minute] for key in keys]
