"""Reads the forms of time that clients send, and writes the one form that attributes keep.

Inside JSON a time is text of one fixed shape, always UTC and in milliseconds, so that both databases order times by
comparing text.
"""

import re
from datetime import UTC, date, datetime, timedelta, timezone

CANONICAL = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$"
_CANONICAL = re.compile(CANONICAL)
_FORM = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)"
    r"(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.:,](\d{1,9}))?)?"
    r"(?: ?(?:([Zz])|(?:UTC)|([+-])(\d{1,2}):?(\d\d)?))?)?"
)
_AMERICAN = re.compile(r"(\d\d)/(\d\d)/(\d{4})")
_LAST_YEAR = 3000


def parse(text: str) -> datetime | None:
    """The time in `text` as aware UTC, or None if it is none of the accepted forms or no such moment exists.

    Accepts ISO 8601 with or without an offset (none: UTC), a blank for the T, milliseconds after a colon, an offset
    hour of one digit, a bare date (midnight UTC) and MM/DD/YYYY.
    """
    if american := _AMERICAN.fullmatch(text):
        month, day, year = american.groups()
        text = f"{year}-{month}-{day}"
    form = _FORM.fullmatch(text)
    try:
        return _moment(form) if form else None
    except (ValueError, OverflowError):
        return None


def parse_wall(text: str) -> datetime | None:
    """The day and time as written, naive, whatever offset stands behind it; None if it is no ISO 8601."""
    form = _FORM.fullmatch(text)
    try:
        return _wall(form) if form else None
    except (ValueError, OverflowError):
        return None


def _moment(form: re.Match[str]) -> datetime | None:
    moment = _wall(form).replace(tzinfo=_offset(form)).astimezone(UTC)
    return moment if moment.year <= _LAST_YEAR else None


def _wall(form: re.Match[str]) -> datetime:
    year, month, day, hour, minute, second = (int(part or 0) for part in form.groups()[:6])
    microsecond = int((form[7] or "0")[:6].ljust(6, "0"))
    return datetime(year, month, day, hour, minute, second, microsecond)  # noqa: DTZ001 - a clock on a wall


def _offset(form: re.Match[str]) -> timezone:
    if not form[9]:
        return UTC
    offset = timedelta(hours=int(form[10]), minutes=int(form[11] or 0))
    return timezone(-offset if form[9] == "-" else offset)


def canonical(moment: datetime) -> str:
    """An aware time as attributes keep it: `2026-03-01T09:30:00.000Z`, cut to milliseconds."""
    moment = moment.astimezone(UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z".rjust(24, "0")


def in_milliseconds(moment: datetime) -> datetime:
    """The moment cut to whole milliseconds, as precise as attributes are."""
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def parse_date(text: str) -> date | None:
    """A date written YYYY-MM-DD, or None."""
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC).date() if len(text) == 10 else None
    except ValueError:
        return None


def is_canonical(text: str) -> bool:
    """Whether an attribute's text is a time."""
    return len(text) == 24 and _CANONICAL.fullmatch(text) is not None
