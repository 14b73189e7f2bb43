"""Who of an audience may receive an outreach now (campaigns specification, section 8.1, checks 5 to 7)."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import connection

from outreach import suppression
from outreach.models import Outreach
from workspace import bulk

ALWAYS = timedelta(0)
FEW = 1_000  # profiles


@dataclass(slots=True)
class Considered:
    """Who passed, in the order given; how many did not, by reason; and the last receipt of those who have one."""

    passing: list[int] = field(default_factory=list)
    refused: dict[int, str] = field(default_factory=dict)
    last_receipts: dict[int, datetime] = field(default_factory=dict)

    @property
    def counts(self) -> Counter[str]:
        return Counter(self.refused.values())


def lock(outreach: Outreach, ids: Collection[int]) -> None:
    """Have whoever else considers the same people for the same outreach wait until this transaction ends.

    A few people are locked themselves, in id order, so that calls and events about others go on; a run with many locks
    its outreach. Without it, two calls at once would both find that nobody has received anything.
    """
    if len(ids) <= FEW:
        lock_people(ids)
    elif connection.vendor == "postgresql":
        bulk.fetch("SELECT id FROM outreach_outreach WHERE id = %s FOR NO KEY UPDATE", [outreach.pk])


def lock_people(ids: Collection[int]) -> None:
    """Lock profiles, in id order, until the transaction ends. On SQLite writing transactions never overlap."""
    if connection.vendor == "postgresql":
        sql = f"SELECT p.id FROM audience_profile AS p WHERE {bulk.in_ids('p.id')} ORDER BY p.id FOR NO KEY UPDATE"
        bulk.fetch(sql, [bulk.ids_param(ids)])


def consider(
    outreach: Outreach, ids: Sequence[int], wait: timedelta | None, now: datetime, cause: int = 0
) -> Considered:
    """Sort profiles by whether they may receive it. A few queries, however many there are.

    `wait` is the time after a receipt before the next, None for never again; zero allows several at once. What belongs
    to the reason `cause` itself is not held against anybody, so asking twice gives the same answer.
    """
    tags = set(outreach.tags.values_list("pk", flat=True))
    found = Considered(last_receipts=last_receipts(outreach, ids, cause))
    found.refused.update(suppression.kept_out({outreach.pk: tags}, {outreach.pk: set(ids)}, now)[outreach.pk])
    waiting = waiting_for(outreach, ids, cause) if wait != ALWAYS else set()
    for profile in ids:
        reason = found.refused.get(profile) or reason_against(
            found.last_receipts.get(profile), wait, now, is_waiting=profile in waiting
        )
        if reason:
            found.refused[profile] = reason
        else:
            found.passing.append(profile)
    return found


def reason_against(last: datetime | None, wait: timedelta | None, now: datetime, *, is_waiting: bool) -> str:
    """Why somebody may not receive it again yet; empty where they may. Pure."""
    if last is not None and wait is None:
        return "already_received"
    if is_waiting:
        return "already_pending"
    if last is not None and wait is not None and now < last + wait:
        return "not_yet_reeligible"
    return ""


def last_receipts(outreach: Outreach, ids: Collection[int], cause: int) -> dict[int, datetime]:
    """When each profile last received it, or, in the control group, would have."""
    owners = (
        ("webhooks_receipt", "received_at", "sender_id", outreach.sender_id),
        ("outreach_controlentry", "entered_at", "outreach_id", outreach.pk),
    )
    found: dict[int, datetime] = {}
    for table, at, owner, owner_id in owners:
        condition = f"{owner} = %s AND cause <> %s AND {at} IS NOT NULL"
        source = bulk.rows_of_each(table, "profile_id", f"profile_id, {at} AS at", condition)
        sql = f"SELECT r.profile_id, MAX(r.at) FROM {source} GROUP BY r.profile_id"
        rows = bulk.fetch(sql, [bulk.ids_param(ids), owner_id, cause])
        found |= {profile: bulk.moment(last) for profile, last in rows}
    return found


def waiting_for(outreach: Outreach, ids: Collection[int], cause: int) -> set[int]:
    """Those for whom a message of it, for another reason, has not ended."""
    # + 0: by profile. Where statistics did not know the sender yet, PostgreSQL read all that the sender has waiting.
    condition = "finished_at IS NULL AND sender_id + 0 = %s AND cause <> %s"
    source = bulk.rows_of_each("webhooks_message", "profile_id", "profile_id", condition)
    rows = bulk.fetch(f"SELECT r.profile_id FROM {source}", [bulk.ids_param(ids), outreach.sender_id, cause])
    return {profile for (profile,) in rows}
