"""When a step's delay is over for each journey of a batch, worked out once for each time zone."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _

from canvas.travel import Batch, Traveller
from outreach import delays
from outreach.delays import Delay, Mode


def ends(batch: Batch, delay: Delay, people: Sequence[Traveller]) -> dict[int, datetime | None]:
    """The end by journey id; None for a date that has passed there."""
    if not delay.uses_profile_zone:
        end = delays.due_at(delay, batch.now, batch.company)
        return {t.id: end for t in people}
    by_zone: dict[str, datetime | None] = {}
    for traveller in people:
        if traveller.zone not in by_zone:
            by_zone[traveller.zone] = delays.due_at(delay, batch.now, batch.zone_of(traveller))
    return {t.id: by_zone[t.zone] for t in people}


def problems(settings: Mapping[str, Any], now: datetime) -> Iterator[str]:
    """What keeps a delay's settings from being used."""
    try:
        delay = delays.read(settings)
    except (ValueError, TypeError, KeyError):
        yield _("The time can't be read. Write it as 09:30, and a date as 2026-03-31.")
        return
    if delay.count < 0 or delay.unit not in delays.SECONDS:
        yield _("Enter how long to wait.")
    elif delay.mode is Mode.DAYS and delay.count < 1:
        yield _("Calendar days start at 1.")
    elif _days(delay) > delays.MOST_DAYS:
        yield _("A delay lasts at most %d days.") % delays.MOST_DAYS
    if delay.mode is Mode.DATE and delay.day is None:
        yield _("Choose the date.")
    elif delay.mode is Mode.DATE and delay.day and delay.day < (now - timedelta(days=1)).date():
        yield _("%s has passed: everybody who comes here would leave the Canvas.") % f"{delay.day:%Y-%m-%d}"
    if delay.mode in (Mode.DATE, Mode.WEEKDAY, Mode.NEXT_WEEKDAY) and delay.at is None:
        yield _("Choose the time of day.")


def _days(delay: Delay) -> float:
    return delay.count if delay.mode is Mode.DAYS else delays.duration(delay).total_seconds() / 86_400
