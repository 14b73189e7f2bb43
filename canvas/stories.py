"""The story of journeys: each step with its times, why it went on, and what became of its messages."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from audience.models import Profile
from canvas.models import Canvas, Journey, JourneyConversion, Path, StepRevision, StepVisit
from webhooks.models import Message, MessageActivityLog


@dataclass(frozen=True, slots=True)
class Sent:
    """A message, and what the Message Activity Log has of its attempts, the first one first."""

    message: Message
    attempts: Sequence[MessageActivityLog]


@dataclass(frozen=True, slots=True)
class Stop:
    """A stay at a step; `path` is the name of the one taken from a branching step."""

    visit: StepVisit
    name: str
    path: str
    sent: Sequence[Sent]


@dataclass(frozen=True, slots=True)
class Story:
    """`who` is None once the profile was deleted; `here` the step it is in; `converted` when it reached which goal."""

    journey: Journey
    who: Profile | None
    here: str
    stops: Sequence[Stop]
    converted: Sequence[tuple[datetime, str]] = field(default_factory=list)


def of(canvas: Canvas, journeys: Sequence[Journey]) -> list[Story]:
    """One for each of these journeys of the Canvas. Seven queries, however many they are."""
    visits = list(StepVisit.objects.filter(journey__in=journeys).order_by("entered_at", "pk"))
    sent = _sent(canvas, journeys, visits)
    names, paths = step_names(canvas), _paths(canvas)
    stops: dict[int, list[Stop]] = {}
    for visit in visits:
        path = paths.get((visit.step_id, visit.path), "")
        stop = Stop(visit, names.get(visit.step_id, ""), path, sent.get(visit.pk, ()))
        stops.setdefault(visit.journey_id, []).append(stop)
    people = Profile.objects.in_bulk([journey.profile_id for journey in journeys])
    converted = _converted(canvas, journeys)
    return [
        Story(j, people.get(j.profile_id), names.get(j.step_id or 0, ""), stops.get(j.pk, ()), converted.get(j.pk, ()))
        for j in journeys
    ]


def _sent(canvas: Canvas, journeys: Sequence[Journey], visits: Sequence[StepVisit]) -> dict[int, list[Sent]]:
    """The messages by visit."""
    rows = Message.objects.filter(sender=canvas.sender_id, cause__in=[visit.pk for visit in visits])
    made = list(rows.order_by("slot"))
    logged = MessageActivityLog.objects.filter(profile__in={journey.profile_id for journey in journeys})
    attempts: dict[int | None, list[MessageActivityLog]] = {}
    for row in logged.filter(sender=canvas.sender_id, message_id__in=[message.pk for message in made]).order_by("pk"):
        attempts.setdefault(row.message_id, []).append(row)
    found: dict[int, list[Sent]] = {}
    for message in made:
        found.setdefault(message.cause, []).append(Sent(message, attempts.get(message.pk, ())))
    return found


def step_names(canvas: Canvas) -> dict[int, str]:
    """What each step is called in the newest version that has it."""
    rows = StepRevision.objects.filter(step__canvas=canvas).order_by("version_id").values_list("step_id", "name")
    return dict(rows)


def _paths(canvas: Canvas) -> dict[tuple[int, int | None], str]:
    rows = Path.objects.filter(version__canvas=canvas, step__isnull=False).exclude(name="").order_by("version_id")
    return {(step or 0, key): name for step, key, name in rows.values_list("step_id", "key", "name")}


def _converted(canvas: Canvas, journeys: Sequence[Journey]) -> Mapping[int, list[tuple[datetime, str]]]:
    found: dict[int, list[tuple[datetime, str]]] = {}
    for row in JourneyConversion.objects.filter(journey__in=journeys).order_by("occurred_at"):
        if row.number < len(canvas.conversions):
            name = canvas.conversions[row.number].get("name", "")
            found.setdefault(row.journey_id, []).append((row.occurred_at, name))
    return found
