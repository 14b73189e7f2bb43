"""Windows of the day: quiet hours, and the portion of the day in which a message may go. Pure.

A window is [start, end) on the wall clock of a zone and may cross midnight: at its start it holds, at its end no more.
"""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from outreach.delays import wall_clock


@dataclass(frozen=True, slots=True)
class Window:
    start: time
    end: time

    def holds(self, moment: datetime, zone: ZoneInfo) -> bool:
        """Whether the clocks of the zone show a time inside."""
        at = moment.astimezone(zone).time()
        if self.start <= self.end:
            return self.start <= at < self.end
        return at >= self.start or at < self.end

    def opens(self, moment: datetime, zone: ZoneInfo) -> datetime:
        """The first moment, this one included, that lies inside."""
        return moment if self.holds(moment, zone) else _next(self.start, moment, zone)

    def closes(self, moment: datetime, zone: ZoneInfo) -> datetime:
        """The first moment, this one included, that lies outside."""
        while self.holds(moment, zone):
            moment = _next(self.end, moment, zone)
        return moment


def _next(at: time, after: datetime, zone: ZoneInfo) -> datetime:
    """The first moment after this one at which the clocks show the time."""
    day = after.astimezone(zone).date()
    for days in range(-1, 4):
        moment = wall_clock(day + timedelta(days=days), at, zone)
        if moment > after:
            return moment
    raise AssertionError("no zone skips three days")


def overlap(portion: Window, quiet: Window) -> bool:
    """Whether some minute of the day lies in the portion and outside the quiet hours."""
    minutes = (time(n // 60, n % 60) for n in range(1440))
    return any(_inside(portion, at) and not _inside(quiet, at) for at in minutes)


def _inside(window: Window, at: time) -> bool:
    if window.start <= window.end:
        return window.start <= at < window.end
    return at >= window.start or at < window.end
