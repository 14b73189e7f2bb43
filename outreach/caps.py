"""Frequency caps as rules (campaigns specification, section 7.3). Pure.

Minutes are rolling; days and weeks are calendar days on the profile's clock: one day is today, a week seven days.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from outreach.delays import wall_clock


class Unit(StrEnum):
    MINUTES = "minutes"
    DAYS = "days"
    WEEKS = "weeks"


@dataclass(frozen=True, slots=True)
class Rule:
    """At most `most` in `every` units. `tags` are the ids of the tag and those below it; None: all outreach."""

    id: int
    most: int
    every: int
    unit: Unit
    tags: frozenset[int] | None = None

    def covers(self, tags: Iterable[int]) -> bool:
        """Whether it is about outreach with these tags."""
        return self.tags is None or not self.tags.isdisjoint(tags)

    def since(self, now: datetime, zone: ZoneInfo) -> datetime:
        """The start of its window, as an aware UTC moment; what was received then or later counts."""
        if self.unit is Unit.MINUTES:
            return now - timedelta(minutes=self.every)
        count = self.every * (7 if self.unit is Unit.WEEKS else 1)
        return wall_clock(now.astimezone(zone).date() - timedelta(days=count - 1), time(), zone)


def refusing(rules: Iterable[Rule], tags: Iterable[int], counts: Mapping[int, int]) -> Rule | None:
    """The first rule without a free place; `counts` are the places taken, by rule id."""
    tags = set(tags)
    return next((rule for rule in rules if rule.covers(tags) and counts.get(rule.id, 0) >= rule.most), None)
