"""Statuses and what moves between them. Every action is idempotent: doing it twice does it once."""

from collections import Counter
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from outreach import capping, counters, experiments, launch, plan
from outreach.counters import Key
from outreach.errors import NotLaunchable, WrongStatus
from outreach.models import Metric, Outreach, Status
from webhooks import frozen
from webhooks.models import Outcome, Sender
from workspace import bulk
from workspace.queues import wake

MOVES: dict[str, dict[Status, Status]] = {
    "launch": {Status.DRAFT: Status.ACTIVE},
    "pause": {Status.ACTIVE: Status.PAUSED},
    "resume": {Status.PAUSED: Status.ACTIVE, Status.STOPPED: Status.ACTIVE},
    "stop": {Status.ACTIVE: Status.STOPPED, Status.PAUSED: Status.STOPPED},
    "unarchive": {Status.ARCHIVED: Status.STOPPED},
    "redraft": {Status.ARCHIVED: Status.DRAFT},
    "archive": {status: Status.ARCHIVED for status in Status if status != Status.ARCHIVED},
}
_CANCEL_CHUNK = 5_000


def start(outreach: Outreach, now: datetime) -> None:
    """Set a draft active. Raises NotLaunchable with every problem, WrongStatus where it was launched already."""
    found = launch.problems(outreach, now)
    if found:
        raise NotLaunchable(found)
    activate(outreach, now)


def activate(outreach: Outreach, now: datetime) -> None:
    """Set a draft active that the caller has checked. Raises WrongStatus where it was launched already."""
    _move(outreach, "launch", now)


def pause(outreach: Outreach, now: datetime) -> None:
    """Hold every message where it is."""
    _move(outreach, "pause", now)


def resume(outreach: Outreach, now: datetime) -> None:
    """Go on: held messages are sent; what a stop cancelled stays cancelled."""
    _move(outreach, "resume", now)


def stop(outreach: Outreach, now: datetime) -> None:
    """End the sending: what waits is cancelled for good, requests on the wire finish."""
    _move(outreach, "stop", now)
    _end(outreach, now)


def archive(outreach: Outreach, now: datetime) -> None:
    """Retire it, stopped first."""
    _move(outreach, "archive", now)
    _end(outreach, now)


def unarchive(outreach: Outreach, now: datetime) -> None:
    """Bring it back: stopped, or a draft if it was never launched. Nothing is sent until it is resumed."""
    _move(outreach, "unarchive" if outreach.launched_at else "redraft", now)


def _end(outreach: Outreach, now: datetime) -> None:
    experiments.cancel(outreach, now)
    plan.cancel_runs(outreach, now)
    cancel_waiting(outreach, now)


def _move(outreach: Outreach, action: str, now: datetime) -> None:
    with transaction.atomic():
        row = Outreach.with_tests.select_for_update().get(pk=outreach.pk)
        status = Status(row.status)
        if status not in MOVES[action]:
            raise WrongStatus(_("“%(name)s” is %(status)s.") % {"name": row.name, "status": row.get_status_display()})
        row.status = MOVES[action][status]
        row.launched_at = row.launched_at or (now if row.status == Status.ACTIVE else None)
        row.save(update_fields=["status", "launched_at", "updated_at"])
        Sender.objects.filter(pk=row.sender_id).update(is_open=row.status == Status.ACTIVE, name=row.name)
        wake("plan")
        wake("deliver")
    outreach.status, outreach.launched_at = row.status, row.launched_at


def cancel_waiting(outreach: Outreach, now: datetime) -> int:
    """Cancel every message that waits and is not on the wire, in chunks; the number cancelled."""
    total = 0
    while count := _cancel_chunk(outreach, now):
        total += count
    return total


def _cancel_chunk(outreach: Outreach, now: datetime) -> int:
    sql = """
        UPDATE webhooks_message SET outcome = %s, reason = %s, finished_at = %s, leased_until = NULL
        WHERE finished_at IS NULL AND id IN (
            SELECT m.id FROM webhooks_message AS m JOIN webhooks_lane AS l ON l.id = m.lane_id
            WHERE l.sender_id = %s AND m.finished_at IS NULL AND (m.leased_until IS NULL OR m.leased_until <= %s)
            LIMIT %s
        ) RETURNING variant, cause, profile_id, id, attempts
    """
    with transaction.atomic():
        params = [Outcome.CANCELLED, "outreach_inactive", now, outreach.sender_id, now, _CANCEL_CHUNK]
        rows = bulk.fetch(sql, params)
        variants = Counter(variant for variant, *_ in rows)
        capping.give_back({(outreach.sender_id, cause, profile) for _variant, cause, profile, *_ in rows})
        frozen.forget([id for *_, id, attempts in rows if attempts])
        day = counters.today(now)
        counters.add(
            {
                Key(outreach.pk, day, variant, 0, Metric.CANCELLED, "outreach_inactive"): count
                for variant, count in variants.items()
            }
        )
    return variants.total()
