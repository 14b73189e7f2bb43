"""Notes that journeys reached what their Canvas is for (Canvas specification, section 12.1).

An event counts once for each journey, within its window from the entry, for the profile's latest journey alone, whether
it is still inside or has left. It belongs to the variant, and to the step whose message the profile received last.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count

from audience.models import PendingEvent
from canvas import live
from canvas.live import Live
from canvas.models import Canvas, Journey, JourneyConversion
from outreach import matching, properties, stream
from outreach.matching import Happening, Trigger
from outreach.models import Status
from workspace.models import Workspace

MOST = 4
LEAST_WINDOW, MOST_WINDOW = timedelta(minutes=5), timedelta(days=30)
DEFAULT_WINDOW = timedelta(days=3)


def window(conversion: Mapping[str, Any]) -> timedelta:
    return timedelta(seconds=conversion.get("seconds") or DEFAULT_WINDOW.total_seconds())


def last_window(canvas: Live, default: timedelta) -> timedelta:
    """How long a journey can still convert: the longest window."""
    return max((window(each) for each in canvas.conversions), default=default)


def triggers_of(canvas: Live) -> Iterator[Trigger]:
    for conversion in canvas.conversions:
        yield from conversion.get("triggers") or ()


@dataclass(frozen=True, slots=True)
class Entered:
    """What is needed of a journey to say whether something that happened is its success."""

    id: int
    variant_id: int
    entered_at: datetime
    began_at: datetime
    source: str
    last_message_step: int | None
    last_message_at: datetime | None


def convert(events: Sequence[PendingEvent], now: datetime) -> None:
    """Note what these events convert. A query for each Canvas with conversion events, and one insert."""
    running = Canvas.with_tests.exclude(status=Status.DRAFT).exclude(conversions=[])
    happenings = sorted(map(matching.of_pending, events), key=lambda each: (each.occurred_at, each.serial))
    scope = properties.scope_at(now, Workspace.current().time_zone)
    made: list[JourneyConversion] = []
    for canvas in live.of(running.values_list("pk", flat=True)).values():
        hits = [(h, n) for h in happenings for n in _numbers(canvas, h, scope)]
        found = latest([canvas.canvas_id], {h.profile_id for h, _n in hits}) if hits else {}
        for happening, number in hits:
            journey = found.get((canvas.canvas_id, happening.profile_id))
            within = window(canvas.conversions[number])
            if journey and is_within(journey, within, happening.occurred_at, happening.source):
                made.append(_row(canvas, journey, happening, number))
    JourneyConversion.objects.bulk_create(made, ignore_conflicts=True)
    _tell(made)


def _tell(made: Sequence[JourneyConversion]) -> None:
    """Told again, a conversion has the same id; so those that were there already do no harm."""
    if not made or not stream.is_on():
        return
    people = dict(Journey.objects.filter(pk__in={row.journey_id for row in made}).values_list("pk", "profile_id"))
    senders = dict(Canvas.with_tests.filter(pk__in={row.canvas_id for row in made}).values_list("pk", "sender_id"))
    stream.put(
        stream.Event(
            stream.Kind.CONVERSION,
            f"journey:{row.journey_id}:{row.number}",
            row.occurred_at,
            senders[row.canvas_id],
            people[row.journey_id],
            row.variant,
            "ABCD"[row.number],
        )
        for row in made
    )


def _numbers(canvas: Live, happening: Happening, scope: Any) -> Iterable[int]:
    for number, conversion in enumerate(canvas.conversions):
        if any(matching.matches(trigger, happening, scope, {}) for trigger in conversion.get("triggers") or ()):
            yield number


def latest(
    canvases: Iterable[int], profiles: Iterable[int], since: datetime | None = None
) -> dict[tuple[int, int], Entered]:
    """The latest journey by Canvas and profile, of those entered since then. One query."""
    rows = Journey.objects.filter(canvas_id__in=canvases, profile_id__in=profiles).order_by("entered_at", "pk")
    rows = rows.filter(entered_at__gte=since) if since else rows
    columns = "canvas_id profile_id pk variant_id entered_at began_at source last_message_step last_message_at".split()
    return {row[:2]: Entered(*row[2:]) for row in rows.values_list(*columns)}


def is_within(journey: Entered, within: timedelta, at: datetime, source: str) -> bool:
    """After the entry and within the window; the event that let the journey in is not what it is for."""
    return source != journey.source and journey.began_at < at <= journey.entered_at + within


def step_of(journey: Entered, at: datetime) -> int:
    """The step whose message the profile had received last by then, 0 without one."""
    received = journey.last_message_at is not None and journey.last_message_at <= at
    return (journey.last_message_step or 0) if received else 0


def _row(canvas: Live, journey: Entered, happening: Happening, number: int) -> JourneyConversion:
    return JourneyConversion(
        journey_id=journey.id,
        number=number,
        canvas_id=canvas.canvas_id,
        variant=journey.variant_id,
        step=step_of(journey, happening.occurred_at),
        occurred_at=happening.occurred_at,
    )


# --- totals


def by_step(canvas_id: int) -> dict[int, int]:
    """Primary conversions by step (0: without a message)."""
    rows = JourneyConversion.objects.filter(canvas=canvas_id, number=0).values_list("step")
    return dict(rows.annotate(Count("pk")))


def by_variant(canvas_id: int) -> dict[tuple[int, int], int]:
    """Conversions by variant and number of the event."""
    rows = JourneyConversion.objects.filter(canvas=canvas_id).values_list("variant", "number")
    return {(variant, number): count for variant, number, count in rows.annotate(Count("pk"))}
