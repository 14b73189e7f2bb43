"""Hosts as people see and limit them: one row for each host that messages go to, with limits that hold for everybody.

How a host stands just now is `health`'s; this adds what an operator sets.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import Exists, OuterRef
from redis.exceptions import RedisError

from webhooks.models import Host, Lane
from workspace import queues
from workspace.remembered import Recent


@dataclass(frozen=True, slots=True)
class Limits:
    """None: no limit. `at_once` counts requests in flight of each worker, `per_second` those of all together."""

    per_second: int | None = None
    at_once: int | None = None


def limits(host: str) -> Limits | None:
    """What is set for a host, as it was a few seconds ago at most; None for nothing."""
    return _recent.get(host)


def _load(names: set[str]) -> Mapping[str, Limits]:
    rows = Host.objects.filter(name__in=names).exclude(per_second=None, at_once=None)
    return {name: Limits(second, once) for name, second, once in rows.values_list("name", "per_second", "at_once")}


_recent = Recent(_load, seconds=5.0)


def take(host: str, per_second: int) -> bool:
    """Take one of this second's places of a host, shared by all workers. Without Redis there is one for everybody."""
    key = f"host:second:{host}:{int(time.time())}"
    try:
        pipe = queues.connection().pipeline(transaction=False)
        pipe.incr(key)
        pipe.expire(key, 5)
        return int(pipe.execute()[0]) <= per_second
    except RedisError:
        return True


def note_new() -> None:
    """Make the rows of hosts that lanes lead to. One query while there are none."""
    known = Host.objects.filter(name=OuterRef("host"))
    new = Lane.objects.exclude(host="").filter(~Exists(known)).values_list("host", flat=True).distinct()
    Host.objects.bulk_create([Host(name=name) for name in new], ignore_conflicts=True)
