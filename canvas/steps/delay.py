"""Delay: waits. The end is worked out once, on arrival, and kept.

Settings are a delay's (`outreach.delays`), or `{"mode": "personal", "source": "context" | "attribute", "name": path,
"as": "duration" | "date", …}`; `holds_at_end` keeps people even where no step follows.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from audience import times
from audience.filters import paths
from canvas import audiences
from canvas.counts import StepMetric
from canvas.graph import Node
from canvas.states import Reason, Waiting
from canvas.steps import waiting
from canvas.steps.problem import Problem
from canvas.travel import Batch, Traveller
from canvas.verdicts import Go, Leave, Verdict, Verdicts, Wait
from outreach import delays, properties

RENDERS = False
PERSONAL = "personal"
MOST = timedelta(days=delays.MOST_DAYS)


def problems(node: Node, now: datetime) -> Iterator[Problem]:
    settings = node.settings
    if settings.get("mode") != PERSONAL:
        if settings.get("mode") in (None, "", "none"):
            yield Problem(_("Choose how long to wait."), "mode")
        for text in waiting.problems(settings, now):
            yield Problem(text, "mode")
        return
    if settings.get("source") not in properties.SOURCES or not settings.get("name"):
        yield Problem(_("Name the context variable or attribute that holds the delay."), "name")
    if settings.get("as") not in ("duration", "date"):
        yield Problem(_("Say whether the value is a number or a date."), "as")


def enter(batch: Batch, node: Node, people: Sequence[Traveller]) -> Verdicts:
    if batch.graph.next(node.id, 0) is None and not node.settings.get("holds_at_end"):
        return {t.id: Go() for t in people}
    if node.settings.get("mode") == PERSONAL:
        return _personal(batch, node, people)
    delay = delays.read(node.settings)
    why = Waiting.DATE if delay.follows_the_clock else Waiting.DELAY
    return {
        journey: Wait(end, why) if end else Leave(Reason.DATE_PASSED)
        for journey, end in waiting.ends(batch, delay, people).items()
    }


def resolve(batch: Batch, node: Node, people: Sequence[Traveller]) -> Verdicts:
    return {t.id: Go() for t in people}


def _personal(batch: Batch, node: Node, people: Sequence[Traveller]) -> Verdicts:
    values = _values(node, people)
    is_date = node.settings["as"] == "date"
    verdicts: dict[int, Verdict] = {}
    for traveller in people:
        zone = batch.zone_of(traveller) if node.settings.get("zone") == "local" else batch.company
        end = personal_end(node.settings, values.get(traveller.id), batch.now, zone)
        if end is None:
            batch.count(traveller, node.id, StepMetric.NO_DELAY)
            verdicts[traveller.id] = _unreadable(batch, node)
        else:
            verdicts[traveller.id] = Wait(end, Waiting.DATE if is_date else Waiting.DELAY)
    return verdicts


def _values(node: Node, people: Sequence[Traveller]) -> dict[int, Any]:
    """The value of the variable or attribute by journey id. At most one query."""
    path = paths.parse(node.settings["name"])
    if node.settings["source"] == "context":
        return {t.id: properties.value_at(t.context or {}, path) for t in people}
    known = audiences.values_of({t.profile_id for t in people})
    found = {pk: row["custom_attributes"] for pk, row in known.items()}
    return {t.id: properties.value_at(found.get(t.profile_id, {}), path) for t in people}


def personal_end(settings: Mapping[str, Any], value: Any, now: datetime, zone: ZoneInfo) -> datetime | None:
    """The end that a value asks for; None where it is no delay: in the past, too far ahead, or of another type."""
    at = time.fromisoformat(settings["at"]) if settings.get("at") else None
    if settings["as"] == "duration":
        return _after(settings, value, now, at, zone)
    moment = _moment(value, zone)
    if moment is None:
        return None
    moment += timedelta(
        seconds=int(settings.get("offset") or 0) * delays.SECONDS[settings.get("offset_unit") or "days"]
    )
    if at is not None:
        moment = delays.wall_clock(moment.astimezone(zone).date(), at, zone)
    return moment if now <= moment <= now + MOST else None


def _after(settings: Mapping[str, Any], value: Any, now: datetime, at: time | None, zone: ZoneInfo) -> datetime | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        return None
    seconds = value * delays.SECONDS[settings.get("unit") or "days"]
    if seconds > MOST.total_seconds():
        return None
    end = now + timedelta(seconds=seconds)
    return end if at is None else delays.next_time(end, at, zone)


def _moment(value: Any, zone: ZoneInfo) -> datetime | None:
    """A time in a text. Without an offset it is a time in the zone; attributes of type time are UTC."""
    if not isinstance(value, str):
        return None
    try:
        naive = datetime.fromisoformat(value)
    except ValueError:
        return times.parse(value)
    return naive.replace(tzinfo=zone) if naive.tzinfo is None else naive


def _unreadable(batch: Batch, node: Node) -> Verdict:
    match node.settings.get("on_failure"):
        case "continue":
            return Go(note=Reason.PERSONAL_DELAY)
        case "default":
            default = node.settings.get("default") or {}
            delay = delays.read({"mode": "after", **default})
            return Wait(batch.now + delays.duration(delay), Waiting.DELAY)
        case _:
            return Leave(Reason.PERSONAL_DELAY)
