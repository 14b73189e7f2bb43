"""Credits what profiles do to what they received (campaigns specification, section 10.2).

An event is judged by its own time: the latest receipt before it whose window is open gets it, in every outreach, and a
receipt converts once for each conversion event. So the order in which events come in changes nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from audience.models import PendingEvent
from audience.reactions import Names
from outreach import counters, matching, outcomes, properties, stream
from outreach.counters import Key
from outreach.matching import Happening
from outreach.models import ConversionEvent, Metric, Status
from workspace import bulk
from workspace.models import Workspace

LATEST = timedelta(hours=48)  # after the window has closed
LONGEST_WINDOW = timedelta(days=30)


def listener(occurred: Names) -> Names:
    """The names that some launched outreach counts as success. One query, plain: every stored event asks it."""
    since = timezone.now() - LONGEST_WINDOW - LATEST
    rows = bulk.fetch(_LISTENED, [Status.ARCHIVED, bulk.time_param(since)])
    triggers = [bulk.document(trigger) for (trigger,) in rows]
    return matching.wanted(matching.names_of(t for t in triggers if not matching.problems(t)), occurred)


_LISTENED = """
    SELECT e."trigger" FROM outreach_conversionevent AS e JOIN outreach_outreach AS o ON o.id = e.outreach_id
    WHERE o.launched_at IS NOT NULL AND NOT (o.status = %s AND o.updated_at < %s)
"""


def _in_use() -> Iterable[ConversionEvent]:
    """Conversion events of what was launched; stopped and archived outreach goes on counting for what it has sent."""
    since = timezone.now() - LONGEST_WINDOW - LATEST
    rows = ConversionEvent.objects.exclude(outreach__launched_at=None).select_related("outreach")
    alive = rows.exclude(outreach__status=Status.ARCHIVED, outreach__updated_at__lt=since)
    return [event for event in alive if not matching.problems(event.trigger)]


@dataclass(frozen=True, slots=True)
class Exposure:
    """That a profile received something, or would have, at `at`."""

    cause: int
    variant: int
    at: datetime
    is_control: bool


def credited(
    happening: datetime, arrived: datetime, exposures: Iterable[Exposure], window: timedelta
) -> Exposure | None:
    """The latest exposure before the event whose window is open; None where there is none. Pure.

    Within the same second the order of arrival decides, as many clients send whole seconds.
    """
    fitting = [
        exposure
        for exposure in exposures
        if happening <= exposure.at + window
        and (
            exposure.at < happening
            or (int(exposure.at.timestamp()) == int(happening.timestamp()) and exposure.at < arrived)
        )
    ]
    return max(fitting, key=lambda exposure: (exposure.at, exposure.cause), default=None)


def react(events: Sequence[PendingEvent], now: datetime) -> None:
    """Credit a batch of events, each of another profile (registered with `audience.reactions`)."""
    in_use = list(_in_use())
    arrived = {event.profile_id: event.received_at for event in events}
    scope = properties.scope_at(now, Workspace.current().time_zone)
    found: list[tuple[ConversionEvent, Happening, Exposure]] = []
    happenings = [matching.of_pending(event) for event in events]
    for event in in_use:
        window = timedelta(seconds=event.window_seconds)
        fitting = [h for h in happenings if matching.matches(event.trigger, h, scope, {})]
        exposures = _exposures(event, [h.profile_id for h in fitting], fitting, window) if fitting else {}
        for happening in fitting:
            came = arrived[happening.profile_id]
            exposure = credited(happening.occurred_at, came, exposures.get(happening.profile_id, ()), window)
            if exposure and came <= exposure.at + window + LATEST:
                found.append((event, happening, exposure))
    _store(found, now)


def _exposures(
    event: ConversionEvent, profiles: Sequence[int], fitting: Sequence[Happening], window: timedelta
) -> Mapping[int, list[Exposure]]:
    since = bulk.time_param(min(h.occurred_at for h in fitting) - window)
    found: dict[int, list[Exposure]] = {}
    owners = (
        ("webhooks_receipt", "received_at", "sender_id", event.outreach.sender_id, False),
        ("outreach_controlentry", "entered_at", "outreach_id", event.outreach_id, True),
    )
    for table, at, owner, owner_id, is_control in owners:
        columns = f"profile_id, cause, variant, {at} AS at"
        source = bulk.rows_of_each(table, "profile_id", columns, f"{owner} = %s AND {at} >= %s")
        rows = bulk.fetch(
            f"SELECT r.profile_id, r.cause, r.variant, r.at FROM {source}", [bulk.ids_param(profiles), owner_id, since]
        )
        for profile, cause, variant, at_time in rows:
            found.setdefault(profile, []).append(Exposure(cause, variant, bulk.moment(at_time), is_control))
    return found


_COLUMNS = {
    "event_id": "bigint",
    "outreach_id": "bigint",
    "profile_id": "bigint",
    "variant": "bigint",
    "cause": "bigint",
    "is_control": "boolean",
    "exposed_at": "timestamptz",
    "converted_at": "timestamptz",
    "source": "text",
}


def _store(found: Sequence[tuple[ConversionEvent, Happening, Exposure]], now: datetime) -> None:
    """Insert what is new and count it. A conversion that was there keeps its row; an earlier time corrects it."""
    if not found:
        return
    rows = [
        dict(
            zip(
                _COLUMNS,
                (
                    e.pk,
                    e.outreach_id,
                    h.profile_id,
                    x.variant,
                    x.cause,
                    x.is_control,
                    x.at,
                    h.occurred_at,
                    h.source[:64],
                ),
                strict=True,
            )
        )
        for e, h, x in found
    ]
    names = ", ".join(_COLUMNS)
    made = bulk.fetch(
        f"""
        INSERT INTO outreach_conversion ({names}) SELECT {names} FROM {bulk.rows_as_table(_COLUMNS)} WHERE TRUE
        ON CONFLICT (event_id, profile_id, cause) DO NOTHING RETURNING event_id, profile_id, cause
        """,
        [bulk.as_json(rows)],
    )
    new = set(made)
    _correct([row for row in rows if (row["event_id"], row["profile_id"], row["cause"]) not in new])
    fresh = [(e, h, x) for e, h, x in found if (e.pk, h.profile_id, x.cause) in new]
    outcomes.announce([(e.outreach_id, h.profile_id, "converted", now) for e, h, x in fresh if not x.is_control])
    stream.put(
        stream.Event(
            stream.Kind.CONVERSION,
            f"conversion:{e.pk}:{h.profile_id}:{x.cause}",
            h.occurred_at,
            e.outreach.sender_id,
            h.profile_id,
            x.variant,
            str(e),
        )
        for e, h, x in fresh
    )
    totals: dict[Key, int] = {}
    for event, happening, exposure in fresh:
        day = counters.today(happening.occurred_at)
        key = Key(event.outreach_id, day, exposure.variant, 0, Metric.CONVERTED, str(event))
        totals[key] = totals.get(key, 0) + 1
    counters.add(totals)


def _correct(known: Sequence[Mapping[str, Any]]) -> None:
    """An earlier time than the one that a conversion has takes its place. One statement."""
    if known:
        bulk.execute(
            f"""
            UPDATE outreach_conversion SET converted_at = u.converted_at FROM {bulk.rows_as_table(_COLUMNS)}
            WHERE outreach_conversion.event_id = u.event_id AND outreach_conversion.profile_id = u.profile_id
              AND outreach_conversion.cause = u.cause AND outreach_conversion.converted_at > u.converted_at
            """,
            [bulk.as_json(known)],
        )
