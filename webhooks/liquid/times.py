"""Reading points in time from values and text, zones, and how a time prints. All pure, all in UTC unless said.

A `date` is a day without a zone; a `datetime` is always aware. What a text can be is listed in the requirement
(ISO 8601 in its usual forms, and two spoken forms); anything else is no time, and nothing is guessed.
"""

import re
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

from .errors import Fault

type_of_moment = (datetime, date)
Moment = datetime | date

_ISO = re.compile(
    r"""(?P<year>\d{4})(?P<dash>[-/])(?P<month>\d{1,2})(?P=dash)(?P<day>\d{1,2})
    (?:(?:T|\s+)(?P<hour>\d{1,2})(?::(?P<minute>\d{2}))?(?::(?P<second>\d{2})(?:[.,:](?P<fraction>\d{1,9}))?)?
    \s*(?P<zone>Z|UTC|[+-]\d{2}(?::?\d{2})?)?)?""",
    re.VERBOSE | re.IGNORECASE,
)
_CLOCK = r"(?:,?\s+(?:at\s+)?(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2}))?\s*(?P<half>[ap]m)?)?"
_SPOKEN = [
    re.compile(r"(?P<month>[a-z]{3,9})\.?\s+(?P<day>\d{1,2})(?:st|nd|rd|th)?,?\s+(?P<year>\d{4})" + _CLOCK, re.I),
    re.compile(r"(?P<day>\d{1,2})(?:st|nd|rd|th)?\s+(?P<month>[a-z]{3,9})\.?,?\s+(?P<year>\d{4})" + _CLOCK, re.I),
]
MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_EPOCH = re.compile(r"\d{5,13}")
_OFFSET = re.compile(r"([+-])(\d{1,2})(?::?(\d{2}))?")
NOW_WORDS = ("now", "today")
LONGEST = 64  # characters of a text that can be a time or a zone; caches hold nothing longer


def read(value: object, now: datetime) -> Moment | None:
    """The point in time that `value` is or says, or None. Never raises."""
    if isinstance(value, type_of_moment):
        return value
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float):
        return from_epoch(value)
    if isinstance(value, dict):
        return from_nested(value)
    if isinstance(value, str):
        return now if value.strip().lower() in NOW_WORDS else read_text(value)
    return None


def read_text(text: str) -> Moment | None:
    """The point in time that a text says, or None."""
    return _read_text(text.strip()) if len(text) <= LONGEST else None


@lru_cache(maxsize=4096)
def _read_text(text: str) -> Moment | None:
    if _EPOCH.fullmatch(text):
        return from_epoch(int(text))
    try:
        return _iso(text) or _spoken(text)
    except (ValueError, OverflowError):
        return None  # the form is right, but there is no such day or hour


def from_epoch(seconds: float) -> datetime | None:
    """Seconds since 1970, the fraction dropped."""
    try:
        return datetime.fromtimestamp(int(seconds), UTC)
    except (ValueError, OverflowError, OSError):
        return None


def from_nested(value: dict[str, object]) -> Moment | None:
    """The time that {"$time": "2026-05-28"} in nested attributes stands for."""
    said = value.get("$time")
    return read_text(said) if isinstance(said, str) else None


def _iso(text: str) -> Moment | None:
    found = _ISO.fullmatch(text)
    if not found:
        return None
    day = date(int(found["year"]), int(found["month"]), int(found["day"]))
    if found["hour"] is None:
        return day
    hour, minute, second = (int(found[part] or 0) for part in ("hour", "minute", "second"))
    if hour == 24 and (minute or second):
        return None
    micros = int((found["fraction"] or "0")[:6].ljust(6, "0"))
    clock = datetime(day.year, day.month, day.day, hour % 24, minute, second, micros, _iso_zone(found["zone"]))
    return (clock + timedelta(days=hour // 24)).astimezone(UTC)


def _iso_zone(text: str | None) -> tzinfo:
    if not text or text.upper() in ("Z", "UTC"):
        return UTC
    zone = offset_zone(text)
    if zone is None:
        raise ValueError("no such offset")
    return zone


def _spoken(text: str) -> Moment | None:
    for form in _SPOKEN:
        if found := form.fullmatch(text):
            month = _month(found["month"])
            if not month:
                return None
            day = date(int(found["year"]), month, int(found["day"]))
            return _at_clock(day, found) if found["hour"] else day
    return None


def _month(name: str) -> int | None:
    """The number of a month by its name, whole or of three letters (or "Sept")."""
    wanted = "Sep" if name.lower() == "sept" else name.capitalize()
    return next((n for n, month in enumerate(MONTHS, 1) if wanted in (month, month[:3])), None)


def _at_clock(day: date, found: re.Match[str]) -> datetime:
    hour, half = int(found["hour"]), (found["half"] or "").lower()
    if half:
        if not 1 <= hour <= 12:
            raise ValueError("no such hour")
        hour = hour % 12 + (12 if half == "pm" else 0)
    return datetime(day.year, day.month, day.day, hour, int(found["minute"]), int(found["second"] or 0), tzinfo=UTC)


def offset_zone(text: str) -> tzinfo | None:
    """The zone of `+05:30`, `-0500` or `+5`, or None where it is no offset."""
    found = _OFFSET.fullmatch(text)
    if not found:
        return None
    away = timedelta(hours=int(found[2]), minutes=int(found[3] or 0))
    if away >= timedelta(hours=24):
        return None
    return timezone(-away if found[1] == "-" else away)


def find_zone(value: object) -> tzinfo:
    """The zone a template names: IANA name, hours from UTC, or an offset; nil and blank are UTC.

    Raises Fault for a zone that does not exist, because a wrong local time is worse than none.
    """
    if value is None or (isinstance(value, str) and not value.strip()):
        return UTC
    if isinstance(value, int | float) and not isinstance(value, bool) and -24 < value < 24:
        return timezone(timedelta(hours=value))
    zone = _named_zone(value.strip()) if isinstance(value, str) and len(value) <= LONGEST else None
    if zone is None:
        raise Fault(f"there is no time zone '{str(value)[:LONGEST]}'; write one like 'Europe/Berlin'")
    return zone


@lru_cache(maxsize=1024)
def _named_zone(name: str) -> tzinfo | None:
    if name.upper() in ("UTC", "Z"):
        return UTC
    try:
        return offset_zone(name) or ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return None


def at_zone(moment: Moment, zone: tzinfo) -> datetime:
    """A time in that zone. A day becomes its midnight there, so that the day never shifts."""
    if isinstance(moment, datetime):
        return moment.astimezone(zone)
    return datetime(moment.year, moment.month, moment.day, tzinfo=zone)


def as_time(moment: Moment) -> datetime:
    """A day as its midnight in UTC, a time as it is."""
    return moment if isinstance(moment, datetime) else at_zone(moment, UTC)


def epoch(moment: Moment) -> int:
    return int(as_time(moment).timestamp() // 1)


def show(moment: Moment) -> str:
    """How a time prints: with `UTC`, with the offset of another zone, or as a day."""
    if not isinstance(moment, datetime):
        return f"{moment.year:04}-{moment.month:02}-{moment.day:02}"
    zone = "UTC" if moment.tzinfo is UTC else offset(moment)
    return f"{show(moment.date())} {moment.hour:02}:{moment.minute:02}:{moment.second:02} {zone}"


def offset(moment: datetime, colon: str = "") -> str:
    minutes = int((moment.utcoffset() or timedelta()).total_seconds() // 60)
    sign, minutes = ("-", -minutes) if minutes < 0 else ("+", minutes)
    return f"{sign}{minutes // 60:02}{colon}{minutes % 60:02}"
