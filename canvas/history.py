"""What profiles did while their journeys waited, read from the stored history and from what is still in the outbox."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from canvas.travel import Traveller
from outreach import history, matching
from outreach.matching import Happening, Trigger


def between(triggers: Iterable[Trigger], people: Sequence[Traveller], now: datetime) -> dict[int, list[Happening]]:
    """By journey id, what could match a trigger since the journey came to its step and until its time was up.

    In order of time. The event that let the journey in is left out. One query for each kind of happening.
    """
    listened = matching.names_of(triggers)
    first = min((t.events_since for t in people), default=now)
    last = max((t.wake_at or now for t in people), default=now)
    profiles = {t.profile_id for t in people}
    found: dict[int, list[Happening]] = {}
    for happening in history.read(listened, profiles, first, last):
        found.setdefault(happening.profile_id, []).append(happening)
    for each in found.values():
        each.sort(key=lambda happening: (happening.occurred_at, happening.serial))
    return {t.id: [h for h in found.get(t.profile_id, ()) if _counts(h, t, now)] for t in people}


def _counts(happening: Happening, traveller: Traveller, now: datetime) -> bool:
    end = traveller.wake_at or now
    return traveller.events_since < happening.occurred_at <= end and happening.source != traveller.source
