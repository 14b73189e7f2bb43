"""What a filter needs to know besides itself while it is compiled."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

Tree = Mapping[str, Any]
Leaf = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Unseen:
    """Rows of the history that filters must not see: the events that are being reacted to at the moment."""

    events: frozenset[int] = frozenset()
    purchases: frozenset[int] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.events or self.purchases)


ALL_SEEN = Unseen()


@dataclass(frozen=True, slots=True)
class SegmentRules:
    """A segment as the segment filter sees it; an archived one lets nobody through."""

    name: str
    tree: Tree
    is_archived: bool = False


@dataclass(frozen=True, slots=True)
class Scope:
    """`now` in whole milliseconds (as precise as attributes are), the company's zone, and what was loaded ahead."""

    now: datetime
    zone: str = "UTC"
    segments: Mapping[int, SegmentRules] = field(default_factory=dict)
    loaded: Mapping[str, Mapping[Any, Any]] = field(default_factory=dict)  # by filter, what its `load` found
    unseen: Unseen = ALL_SEEN
    ignore_case: bool = True
    inside: tuple[int, ...] = ()  # the segments whose trees led here, outermost first

    def ago(self, days: float) -> datetime:
        """The moment n × 24 hours before now."""
        return self.now - timedelta(days=days)

    def ahead(self, days: float) -> datetime:
        return self.now + timedelta(days=days)

    def start_of_day(self, text: str, days_later: int = 0) -> datetime:
        """The first moment in the company's zone of the day written YYYY-MM-DD, or of one some days after it."""
        day = datetime.strptime(text, "%Y-%m-%d") + timedelta(days=days_later)  # noqa: DTZ007 - the zone follows
        return day.replace(tzinfo=ZoneInfo(self.zone))

    def start_of_utc_day(self, days_before: int) -> datetime:
        """00:00 UTC of the day that lies so many days before today (UTC): the start of an X-in-Y window."""
        return self.now.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=days_before)

    def within(self, segment: int) -> "Scope":
        """The same scope for the tree of a segment that is included."""
        return replace(self, inside=(*self.inside, segment))
