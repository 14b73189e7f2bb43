"""What campaigns and Canvases share must look like in a file: triggers, delays, webhooks, variants, the head."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any
from zoneinfo import available_timezones

from django.utils.translation import gettext as _

from audience.filters.kinds import BY_KIND
from outreach import delays, matching, properties
from webhooks.models import Content
from webhooks.models.content import PairType
from workspace.files import Document
from workspace.files.shapes import (
    DAY,
    NAMES,
    TIME,
    Head,
    checked_by,
    listed,
    mapping,
    number,
    one_of,
    part,
    shape_of,
    text,
)

WEBHOOK = tuple(name for name in Content.FIELDS_OF_A_COPY if name != "client_certificate")
MOST_VARIANTS, MOST_WEBHOOKS, MOST_ROWS = 9, 50, 500  # variants with the control group


def _condition(leaf: dict[str, Any]) -> dict[str, Any]:
    if not all(isinstance(leaf.get(key, ""), str) for key in ("name", "type", "op", "source", "other")):
        raise ValueError(_("A condition is missing its parts."))
    if faults := properties.problems(leaf):
        raise ValueError(faults[0][1])
    op = BY_KIND.get(leaf.get("type", ""), {}).get(leaf["op"])
    known = {"name", "type", "op"} | ({field.key for field in op.fields} if op else {"source", "other"})
    if unknown := sorted(leaf.keys() - known):
        raise ValueError(_("There is no field “%s” in this condition.") % unknown[0][:100])
    return leaf


def _trigger(given: Any) -> Any:
    if faults := matching.problems(given.model_dump(exclude_unset=True)):
        raise ValueError(faults[0])
    return given


def _bearable(given: Any) -> Any:
    length = timedelta(seconds=(given.count or 0) * delays.SECONDS[given.unit or "days"])
    if length > timedelta(days=delays.MOST_DAYS):
        raise ValueError(_("A delay lasts at most %d days.") % delays.MOST_DAYS)
    return given


def _once_each(languages: list[Any]) -> list[Any]:
    if len({each.language for each in languages}) < len(languages):
        raise ValueError(_("A language is there twice."))
    return languages


def _zone(name: str) -> str:
    if name and name not in available_timezones():
        text = _("“%(name)s” is not a time zone. Use a name such as Europe/Paris or Asia/Seoul.")
        raise ValueError(text % {"name": name})
    return name


def _month_day(number: int) -> int:
    if number == 0:
        raise ValueError(_("A day of the month is 1 to 31, or -1 for the last."))
    return number


def arms_problems(document: Document) -> Sequence[str]:
    """What is wrong with the variants together."""
    controls = sum(bool(each.get("is_control")) for each in document.get("variants") or ())
    return [_("There can be one control group.")] if controls > 1 else []


TREE = mapping(str, Any)
CONDITIONS = listed(checked_by(TREE, _condition), 100)
_TRIGGER = part(
    "Trigger",
    needs="kind",
    kind=one_of(matching.KINDS),
    name=text(255),
    to=text(500),
    join=one_of(["all", "any", ""]),
    conditions=CONDITIONS,
)
TRIGGER = checked_by(_TRIGGER, _trigger)
TRIGGERS = listed(TRIGGER, 100)
UNIT = one_of(delays.SECONDS)
COUNT = number(0, delays.MOST_DAYS * 86_400)
DURATION = checked_by(part("Duration", count=COUNT, unit=UNIT), _bearable)


def delay(modes: Iterable[str], **more: Any) -> Any:
    """A delay (`outreach.delays`) of one of these modes."""
    shape = part(
        "Delay",
        mode=one_of(modes),
        count=COUNT,
        unit=UNIT,
        weekday=number(0, 6) | one_of("0123456"),
        date=DAY,
        at=TIME,
        if_passed=one_of(["", "same_day"]),
        zone=one_of(["", "company", "local"]),
        **more,
    )
    return checked_by(shape, _bearable)


_PAIR = part("Pair", needs="key", key=text(), value=text(), type=one_of(PairType.values), omit_blank=bool)
_HEADER = part("Header", needs="name", name=text(1_000), value=text(), is_secret=bool)
PAIRS = listed(_PAIR, MOST_ROWS)
_WORDING = part("Wording", needs="language", language=text(16, 1), url=text(), pairs=PAIRS, raw_body=text())
WEBHOOKS = listed(
    shape_of(
        Content,
        WEBHOOK,
        pairs=PAIRS,
        headers=listed(_HEADER, 100),
        translations=mapping(text(16), mapping(text(255), text())),
        client_certificate=text(100) | None,
        languages=checked_by(listed(_WORDING, 100), _once_each),
    ),
    MOST_WEBHOOKS,
)
ARM = part("Variant", needs="name share", name=text(100, 1), share=number(0, 100), is_control=bool)
SCHEDULE = {
    "zone": checked_by(text(64), _zone),
    "weekdays": listed(number(0, 6), 7),
    "month_days": listed(checked_by(number(-1, 31), _month_day), 32),
}
HEAD = part(
    "Outreach",
    base=Head,
    segments=NAMES,
    subscription_group=text(255) | None,
    rate_per_minute=number(10, 500_000) | None,
    is_signed=bool,
)
