"""Sends for later that API calls ask for: made, moved, cancelled, and carried out when they are due."""

import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import InterfaceError, OperationalError, connection, transaction
from django.utils.translation import gettext as _

from audience import times
from audience.models import Profile
from outreach import schedule, zones
from outreach.errors import OutreachError, UnusableCall
from outreach.models import Outreach, ScheduledCall

logger = logging.getLogger(__name__)

LATE_ALLOWED = timedelta(minutes=5)
LONGEST = timedelta(days=731)
FIRST_ZONE, LAST_ZONE = timedelta(hours=14), timedelta(hours=12)  # UTC+14, UTC-12
NOT_VALID = "schedule_id is not valid"
PASSED = "schedule time has passed"
_ZONES_A_LEAF = 200

Kind = ScheduledCall.Kind
Result = ScheduledCall.Result


@dataclass(frozen=True, slots=True)
class When:
    """A moment, or (`local`, naive) a time on each profile's own wall, for which the moment is the earliest one."""

    due_at: datetime
    local: datetime | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """Whose turn it is: everybody's, or (`zones`, "" for none) that of profiles in these time zones."""

    zones: Sequence[str] | None = None

    def among(self, ids: Collection[int]) -> set[int]:
        """Those of the profiles whose turn it is."""
        if self.zones is None:
            return set(ids)
        rows = Profile.objects.filter(pk__in=ids, time_zone__in=self.zones)
        return set(rows.values_list("pk", flat=True))

    def tree(self, audience: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
        """The audience, narrowed to those whose turn it is."""
        if self.zones is None:
            return audience
        named = sorted(filter(None, self.zones))
        chunks = [named[n : n + _ZONES_A_LEAF] for n in range(0, len(named), _ZONES_A_LEAF)]
        parts: list[Any] = [{"filter": "time_zone", "op": "any_of", "values": chunk} for chunk in chunks]
        parts += [{"filter": "time_zone", "op": "blank"}] if "" in self.zones else []
        turn = {"any": parts}
        return {"all": [audience, turn]} if audience else turn


EVERYBODY = Part()
Runner = Callable[[ScheduledCall, Part, datetime], None]
"""Carries out a call for those whose turn it is. May raise OutreachError: the call then ends with its sentence."""
runners: dict[str, Runner] = {}


# --- when


def when(raw: Any, now: datetime, *, is_change: bool = False) -> When:
    """The time of a schedule object. Raises UnusableCall."""
    if not isinstance(raw, Mapping):
        raise UnusableCall("Bad Request: 'schedule' must be an object")
    moment = times.parse(raw["time"]) if isinstance(raw.get("time"), str) else None
    if moment is None:
        raise UnusableCall("Bad Request: 'schedule.time' must be a time")
    if _is_on(raw, "at_optimal_time"):
        raise UnusableCall("at_optimal_time is not supported")
    if moment > now + LONGEST:
        raise UnusableCall("Bad Request: 'schedule.time' is more than two years ahead")
    if not _is_on(raw, "in_local_time"):
        if moment < now - LATE_ALLOWED:
            raise UnusableCall(PASSED)
        return When(max(moment, now))
    return _on_the_wall(times.parse_wall(raw["time"]) or moment.replace(tzinfo=None), now, is_change)


def _on_the_wall(local: datetime, now: datetime, is_change: bool) -> When:
    """Too late once the time has passed everywhere; a change is, once it has passed anywhere."""
    first = local.replace(tzinfo=UTC) - FIRST_ZONE
    last = local.replace(tzinfo=UTC) + LAST_ZONE
    if (first if is_change else last) < now:
        raise UnusableCall(PASSED)
    return When(first, local)


def _is_on(raw: Mapping[str, Any], name: str) -> bool:
    value = raw.get(name)
    if value in (None, False, "false"):
        return False
    if value in (True, "true"):
        return True
    raise UnusableCall(f"Bad Request: 'schedule.{name}' must be true or false")


# --- made, moved, cancelled


def create(kind: str, outreach: Outreach | None, request: Mapping[str, Any], at: When, now: datetime) -> ScheduledCall:
    return ScheduledCall.objects.create(
        kind=kind,
        outreach=outreach,
        request=dict(request),
        due_at=at.due_at,
        local_at=at.local.isoformat() if at.local else "",
        created_at=now,
    )


def find(kind: str, key: Any, outreach: Outreach | None) -> ScheduledCall:
    """The call that waits, locked. Raises UnusableCall where there is none, or where it is somebody else's."""
    try:
        wanted = UUID(key)
    except (ValueError, AttributeError, TypeError) as error:
        raise UnusableCall(NOT_VALID) from error
    rows = ScheduledCall.objects.select_for_update(of=("self",))
    found = rows.filter(key=wanted, kind=kind, outreach=outreach, finished_at=None).first()
    if found is None:
        raise UnusableCall(NOT_VALID)
    return found


def move(call: ScheduledCall, at: When, now: datetime) -> None:
    """The new time replaces the old one as a whole. Raises UnusableCall for one on the wall that has come anywhere."""
    if call.local_at and call.due_at <= now:
        raise UnusableCall(PASSED)
    call.due_at, call.local_at = at.due_at, at.local.isoformat() if at.local else ""
    call.save(update_fields=["due_at", "local_at"])


def cancel(call: ScheduledCall, now: datetime) -> None:
    call.result, call.finished_at = Result.CANCELLED, now
    call.save(update_fields=["result", "finished_at"])


# --- carried out


def run_due(now: datetime) -> None:
    """Carry out what is due, each call in a transaction of its own (registered with `plan.schedulers`)."""
    for pk in ScheduledCall.objects.filter(finished_at=None, due_at__lte=now).values_list("pk", flat=True):
        with transaction.atomic():
            can_skip = connection.features.has_select_for_update_skip_locked
            rows = ScheduledCall.objects.select_for_update(skip_locked=can_skip)
            call = rows.filter(pk=pk, finished_at=None, due_at__lte=now).first()
            if call:
                _run(call, now)


def _run(call: ScheduledCall, now: datetime) -> None:
    try:
        with transaction.atomic():
            if call.local_at:
                _run_zones(call, now)
            else:
                runners[call.kind](call, EVERYBODY, now)
                call.result, call.finished_at = Result.SENT, now
    except OutreachError as error:
        _fail(call, str(error), now)
    except (OperationalError, InterfaceError):
        raise  # the database is away: later
    except Exception:  # one call that can't be carried out must not keep all others from it
        logger.exception("scheduled_call=%s", call.key)
        _fail(call, _("It could not be carried out; the log says why."), now)
    call.save(update_fields=["result", "finished_at", "note", "due_at", "ran_until"])


def _fail(call: ScheduledCall, sentence: str, now: datetime) -> None:
    call.result, call.finished_at, call.note = Result.FAILED, now, sentence
    logger.warning("scheduled_call=%s outcome=failed (%s)", call.key, sentence)


def _run_zones(call: ScheduledCall, now: datetime) -> None:
    """Send to the zones whose clocks have come to the time since the last run; then wait for the next ones."""
    moments = _moments(datetime.fromisoformat(call.local_at))
    due = [zone for zone, at in moments.items() if at <= now and (call.ran_until is None or at > call.ran_until)]
    if due:
        runners[call.kind](call, Part(due), now)
    later = [at for at in moments.values() if at > now]
    call.ran_until = now
    if later:
        call.due_at = min(later)
    else:
        call.result, call.finished_at = Result.SENT, now


def _moments(local: datetime) -> dict[str, datetime]:
    """When each zone that anybody lives in shows the time; "" stands for profiles without one."""
    names: Iterable[str] = Profile.objects.values_list("time_zone", flat=True).distinct().order_by()
    company = zones.company().key
    return {
        name: schedule.wall_clock(local.date(), local.time(), zones.named(name or company, company))
        for name in {"", *names}
    }
