"""What delivery needs to know of the outreach behind a batch: whether, when and to whom its messages may go."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import time
from typing import Any

from outreach.models import Outreach, Quiet, Status, Subscribed
from outreach.windows import Window
from workspace.models import Workspace
from workspace.remembered import Recent


@dataclass(frozen=True, slots=True)
class Controls:
    """The settings of one outreach. `quiet` is the one window in force, if any."""

    id: int
    sender_id: int
    status: Status
    quiet: Window | None
    quiet_waits: bool
    obeys_caps: bool
    subscribed: Subscribed
    subscription_group_id: int | None
    tags: frozenset[int] = frozenset()


_FIELDS = (
    *("id", "sender_id", "status", "quiet_mode", "quiet_start", "quiet_end", "quiet_waits", "obeys_caps"),
    *("subscribed", "subscription_group_id"),
)


def of(senders: Iterable[int]) -> dict[int, Controls]:
    """By sender id, as they were a second ago at most; senders without an outreach (API messages) have none."""
    return _recent.of(senders)


def _load(senders: Collection[int]) -> dict[int, Controls]:
    workspace = Workspace.current()
    rows = list(Outreach.with_tests.filter(sender_id__in=senders).values(*_FIELDS))
    tags = tags_of([row["id"] for row in rows])
    return {row["sender_id"]: _controls(row, workspace, tags.get(row["id"], set())) for row in rows}


_recent = Recent(_load)


def _controls(row: dict[str, Any], workspace: Workspace, tags: Collection[int]) -> Controls:
    mode, start, end = row.pop("quiet_mode"), row.pop("quiet_start"), row.pop("quiet_end")
    row |= {"status": Status(row["status"]), "subscribed": Subscribed(row["subscribed"])}
    return Controls(quiet=window(mode, start, end, workspace), tags=frozenset(tags), **row)


def window(mode: str, start: time | None, end: time | None, workspace: Workspace) -> Window | None:
    """The quiet hours in force: its own, else the workspace's, else none; opting out means none."""
    if mode == Quiet.WORKSPACE:
        start, end = workspace.quiet_start, workspace.quiet_end
    if mode == Quiet.NONE or start is None or end is None or start == end:
        return None
    return Window(start, end)


def quiet_window(outreach: Outreach) -> Window | None:
    """The quiet hours of one outreach."""
    return window(outreach.quiet_mode, outreach.quiet_start, outreach.quiet_end, Workspace.current())


def tags_of(outreach: Collection[int]) -> dict[int, set[int]]:
    """The tag ids of each outreach, as they are now."""
    links = Outreach.tags.through.objects.filter(outreach_id__in=outreach).values_list("outreach_id", "tag_id")
    found: dict[int, set[int]] = {}
    for key, tag in links:
        found.setdefault(key, set()).add(tag)
    return found
