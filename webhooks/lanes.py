"""Which lane a content's messages wait in, and which lanes have nothing left."""

import re
from collections.abc import Iterable

from django.db import transaction

from webhooks.address import BadAddress, ascii_host
from webhooks.models import Content, Lane, Message, Sender

_LITERAL_HOST = re.compile(r"\s*https?://(\[[0-9a-fA-F:.]+\]|[^/?#:@\s{%]+)(?=$|[/?#:\s])", re.IGNORECASE)


def host_of(url: str) -> str:
    """The host of a URL template where it is literal; empty where Liquid decides it."""
    found = _LITERAL_HOST.match(url)
    if not found:
        return ""
    try:
        return ascii_host(found[1].strip("[]"))
    except BadAddress:
        return ""


def host_of_content(content: Content) -> str:
    """The one host all languages of a content share, or empty."""
    hosts = {host_of(content.url)} | {host_of(o.url) for o in content.overrides.all() if o.url.strip()}
    return hosts.pop() if len(hosts) == 1 else ""


def open_lanes(sender: Sender, contents: Iterable[Content]) -> dict[int, int]:
    """Lane ids by content id, made and opened as needed. Call it in the transaction that adds the messages."""
    hosts = {content.pk: host_of_content(content) for content in contents}
    Lane.objects.bulk_create([Lane(sender=sender, host=host) for host in set(hosts.values())], ignore_conflicts=True)
    Lane.objects.filter(sender=sender, host__in=hosts.values()).update(is_open=True)
    ids = dict(Lane.objects.filter(sender=sender).values_list("host", "id"))
    return {content: ids[host] for content, host in hosts.items()}


def close_empty() -> int:
    """Close lanes without unfinished messages, so that claims pass them by; the number closed.

    The row is locked before it is judged: a planner that is adding messages holds that lock until they are visible.
    """
    closed = 0
    for pk in Lane.objects.filter(is_open=True).values_list("pk", flat=True):
        with transaction.atomic():
            lane = Lane.objects.select_for_update().get(pk=pk)
            if not Message.objects.filter(lane=lane, finished_at=None).exists():
                lane.is_open = False
                lane.save(update_fields=["is_open"])
                closed += 1
    return closed
