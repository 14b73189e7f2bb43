"""Writes times in the forms that templates name, as Ruby does, in English on every machine.

The platform's own strftime is never called: it follows the server's zone and locale and knows other codes.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache

from .times import MONTHS, offset

MOST_WIDTH = 100
LONGEST_CACHED = 100

_DIRECTIVE = re.compile(r"%([-_0^#]*)(\d*)(:?)([A-Za-z%+])")
_DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]

Part = Callable[[datetime], str]


def strftime(moment: datetime, form: str) -> str:
    """The time in this form. What is no directive stays as written."""
    parts = _compiled(form) if len(form) <= LONGEST_CACHED else _compile(form)
    return "".join([part if isinstance(part, str) else part(moment) for part in parts])


@lru_cache(maxsize=1024)
def _compiled(form: str) -> tuple[str | Part, ...]:
    return _compile(form)


def _compile(form: str) -> tuple[str | Part, ...]:
    parts: list[str | Part] = []
    at = 0
    for found in _DIRECTIVE.finditer(form):
        parts += [form[at : found.start()], _part(found)]
        at = found.end()
    return (*parts, form[at:])


def _part(found: re.Match[str]) -> str | Part:
    flags, width, colon, code = found.groups()
    if (colon and code != "z") or (width and int(width) > MOST_WIDTH):
        return found.group()
    if code in _COMPOSED:
        inner = _COMPOSED[code]
        return _padded(lambda moment: strftime(moment, inner), flags, int(width or 0), " ")
    if code in "LN":
        digits = int(width) if width else (3 if code == "L" else 9)
        return lambda moment: f"{moment.microsecond:06}".ljust(digits, "0")[:digits]
    if code == "z":
        return _padded(lambda moment: offset(moment, colon), flags, int(width or 0), "0")
    if code in _NUMBERS:
        value, usual, pad = _NUMBERS[code]
        return _padded(lambda moment: str(value(moment)), flags, int(width or usual), pad)
    if code in _WORDS:
        return _padded(_WORDS[code], flags, int(width or 0), " ", swaps_to_lower=code == "p")
    return found.group()


def _padded(write: Part, flags: str, width: int, pad: str, swaps_to_lower: bool = False) -> Part:
    """Applies flags, the last of the padding ones winning, and the width."""
    for flag in flags:
        pad = {"-": "", "_": " ", "0": "0"}.get(flag, pad)

    def written(moment: datetime) -> str:
        shown = write(moment)
        if "#" in flags:
            shown = shown.lower() if swaps_to_lower else shown.upper()
        elif "^" in flags:
            shown = shown.upper()
        return shown.rjust(width, pad) if pad else shown

    return written


def _week_of_year(moment: datetime, first: int) -> int:
    """The week where `first` (0 is Sunday) begins each, as %U and %W count."""
    weekday = (moment.isoweekday() - first) % 7
    return (moment.timetuple().tm_yday + 6 - weekday) // 7


def _zone_name(moment: datetime) -> str:
    return "UTC" if moment.tzinfo is UTC else moment.tzname() or ""


_NUMBERS: dict[str, tuple[Callable[[datetime], int], int, str]] = {
    "Y": (lambda m: m.year, 4, "0"),
    "C": (lambda m: m.year // 100, 2, "0"),
    "y": (lambda m: m.year % 100, 2, "0"),
    "m": (lambda m: m.month, 2, "0"),
    "d": (lambda m: m.day, 2, "0"),
    "e": (lambda m: m.day, 2, " "),
    "j": (lambda m: m.timetuple().tm_yday, 3, "0"),
    "H": (lambda m: m.hour, 2, "0"),
    "k": (lambda m: m.hour, 2, " "),
    "I": (lambda m: m.hour % 12 or 12, 2, "0"),
    "l": (lambda m: m.hour % 12 or 12, 2, " "),
    "M": (lambda m: m.minute, 2, "0"),
    "S": (lambda m: m.second, 2, "0"),
    "u": (lambda m: m.isoweekday(), 1, "0"),
    "w": (lambda m: m.isoweekday() % 7, 1, "0"),
    "G": (lambda m: m.isocalendar().year, 4, "0"),
    "g": (lambda m: m.isocalendar().year % 100, 2, "0"),
    "V": (lambda m: m.isocalendar().week, 2, "0"),
    "U": (lambda m: _week_of_year(m, 0), 2, "0"),
    "W": (lambda m: _week_of_year(m, 1), 2, "0"),
    "s": (lambda m: int(m.timestamp() // 1), 1, "0"),
}

_WORDS: dict[str, Part] = {
    "A": lambda m: _DAYS[m.weekday()],
    "a": lambda m: _DAYS[m.weekday()][:3],
    "B": lambda m: MONTHS[m.month - 1],
    "b": lambda m: MONTHS[m.month - 1][:3],
    "h": lambda m: MONTHS[m.month - 1][:3],
    "p": lambda m: "AM" if m.hour < 12 else "PM",
    "P": lambda m: "am" if m.hour < 12 else "pm",
    "Z": _zone_name,
    "n": lambda m: "\n",
    "t": lambda m: "\t",
    "%": lambda m: "%",
}

_COMPOSED = {
    "D": "%m/%d/%y",
    "x": "%m/%d/%y",
    "F": "%Y-%m-%d",
    "T": "%H:%M:%S",
    "X": "%H:%M:%S",
    "R": "%H:%M",
    "r": "%I:%M:%S %p",
    "c": "%a %b %e %H:%M:%S %Y",
    "v": "%e-%^b-%Y",
    "+": "%a %b %e %H:%M:%S %Z %Y",
}
