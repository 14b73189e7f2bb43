"""Regular expressions that mean the same on both databases and can't run away.

A pattern is read by Python's own parser, checked against what both engines share, and written anew from plain
characters, classes, groups and repeats: no engine's own idea of a digit, a dot or letter case is left in it. Neither
PostgreSQL's engine nor RE2 (used on SQLite) backtracks on such patterns, and their size is bounded.
"""

import re
import re._constants as sre
import re._parser as parser
import string
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from django.utils.translation import gettext as _

MAX_LENGTH = 32_764
MAX_SIZE = 1_000  # characters and classes once all repeats are written out
_MAX_REPEAT = 255  # PostgreSQL's own limit
_WORD = [(48, 57), (65, 90), (95, 95), (97, 122)]
_CLASSES = {
    sre.CATEGORY_DIGIT: [(48, 57)],
    sre.CATEGORY_WORD: _WORD,
    sre.CATEGORY_SPACE: [(9, 13), (32, 32)],
}
_OPPOSITES = {
    sre.CATEGORY_NOT_DIGIT: sre.CATEGORY_DIGIT,
    sre.CATEGORY_NOT_WORD: sre.CATEGORY_WORD,
    sre.CATEGORY_NOT_SPACE: sre.CATEGORY_SPACE,
}
_LAST = 0x10FFFF
_LAST_CASED = 0x1FFFF
Ranges = list[tuple[int, int]]


class InvalidPattern(ValueError):
    """The pattern can't be used; the message says why, and where if that is known."""


@lru_cache(maxsize=512)
def portable(pattern: str, ignore_case: bool = True) -> str:
    """The pattern as both engines read it. `(?i)` at its start ignores letter case too. Raises InvalidPattern."""
    if len(pattern) > MAX_LENGTH:
        raise InvalidPattern(_("The expression is longer than %d characters.") % MAX_LENGTH)
    try:
        tree = parser.parse(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        raise InvalidPattern(_explain(error)) from error
    if tree.state.flags & ~(sre.SRE_FLAG_IGNORECASE | sre.SRE_FLAG_UNICODE):
        raise InvalidPattern(_("Only the flag (?i) can be used."))
    writer = _Writer(ignore_case or bool(tree.state.flags & sre.SRE_FLAG_IGNORECASE))
    if writer.size(tree) > MAX_SIZE:
        raise InvalidPattern(_("The expression is too large once its repeats are written out."))
    return writer.sequence(tree)


def _explain(error: Exception) -> str:
    if isinstance(error, re.error) and error.pos is not None:
        return _("%(fault)s at position %(position)d.") % {"fault": error.msg.capitalize(), "position": error.pos + 1}
    return _("The expression can't be read.")


class _Writer:
    def __init__(self, ignore_case: bool) -> None:
        self.ignore_case = ignore_case

    def sequence(self, items: Iterable[Any]) -> str:
        return "".join(self.item(*item) for item in items)

    def item(self, op: Any, value: Any) -> str:
        match op:
            case sre.LITERAL:
                return self._set([(value, value)])
            case sre.NOT_LITERAL:
                return self._set([(value, value)], negated=True)
            case sre.ANY:
                return "[^\n]"
            case sre.IN:
                negated = value[0][0] is sre.NEGATE
                classes = [name for op, name in value[negated:] if op is sre.CATEGORY]
                letters = [self._range(*member) for member in value[negated:] if member[0] is not sre.CATEGORY]
                return self._set(letters, negated, [pair for name in classes for pair in _class(name)])
            case sre.BRANCH:
                return "(?:" + "|".join(self.sequence(branch) for branch in value[1]) + ")"
            case sre.SUBPATTERN:
                return self._group(*value)
            case sre.MAX_REPEAT | sre.MIN_REPEAT:
                return self._repeat(*value)
            case sre.AT:
                return self._anchor(value)
            case _:
                raise InvalidPattern(_("Look-around, back references and conditions can't be used."))

    def size(self, items: Iterable[Any]) -> int:
        return sum(self._size(*item) for item in items)

    def _size(self, op: Any, value: Any) -> int:
        match op:
            case sre.BRANCH:
                return sum(self.size(branch) for branch in value[1])
            case sre.SUBPATTERN:
                return self.size(value[3])
            case sre.MAX_REPEAT | sre.MIN_REPEAT:
                low, high, inner = value
                return max(1, low, 0 if high is sre.MAXREPEAT else high) * self.size(inner)
            case _:
                return 1

    def _group(self, number: int | None, on: int, off: int, inner: Any) -> str:
        if on or off:
            raise InvalidPattern(_("Flags inside the expression can't be used; write (?i) at its start."))
        return f"(?:{self.sequence(inner)})"

    def _repeat(self, low: int, high: Any, inner: Any) -> str:
        if max(low, 0 if high is sre.MAXREPEAT else high) > _MAX_REPEAT:
            raise InvalidPattern(_("Nothing can be repeated more than %d times.") % _MAX_REPEAT)
        if any(op is sre.AT for op, _value in inner):
            raise InvalidPattern(_("A place such as ^, $ or \\b can't be repeated."))
        most = "" if high is sre.MAXREPEAT else str(high)
        return f"(?:{self.sequence(inner)}){{{low},{most}}}" if low != high else f"(?:{self.sequence(inner)}){{{low}}}"

    def _anchor(self, place: Any) -> str:
        if place in (sre.AT_BEGINNING, sre.AT_BEGINNING_STRING):
            return "^"
        if place in (sre.AT_END, sre.AT_END_STRING):
            return "$"
        raise InvalidPattern(_("\\b and \\B can't be used; write the characters around the word instead."))

    def _range(self, op: Any, value: Any) -> tuple[int, int]:
        return value if op is sre.RANGE else (value, value)

    def _set(self, letters: Ranges, negated: bool = False, classes: Sequence[tuple[int, int]] = ()) -> str:
        ranges = _storable([*self._both_cases(letters), *classes])
        if not ranges:
            raise InvalidPattern(_("NUL and surrogates are never part of a text."))
        if len(ranges) == 1 and ranges[0][0] == ranges[0][1] and not negated:
            return _escaped(ranges[0][0])
        members = (_escaped(low) if low == high else f"{_escaped(low)}-{_escaped(high)}" for low, high in ranges)
        return f"[{'^' if negated else ''}{''.join(members)}]"

    def _both_cases(self, ranges: Ranges) -> Ranges:
        if not self.ignore_case:
            return ranges
        others = {
            other
            for code, cases in _cases().items()
            if any(low <= code <= high for low, high in ranges)
            for other in cases
        }
        return [*ranges, *((code, code) for code in others)]


@lru_cache(maxsize=1)
def _cases() -> dict[int, list[int]]:
    """By letter all letters that differ from it in case alone: the Kelvin sign is a k, the long s an s."""
    groups: dict[str, set[int]] = {}
    for code in range(_LAST_CASED + 1):
        letter = chr(code)
        for folded in (letter.upper().lower(), letter.lower()):
            if len(folded) == 1:
                groups.setdefault(folded, set()).add(code)
    return {code: sorted(group) for group in groups.values() if len(group) > 1 for code in group}


def _class(name: Any) -> Ranges:
    return _complement(_CLASSES[_OPPOSITES[name]]) if name in _OPPOSITES else _CLASSES[name]


def _complement(ranges: Ranges) -> Ranges:
    starts = [0, *(high + 1 for _low, high in ranges)]
    ends = [*(low - 1 for low, _high in ranges), _LAST]
    return [(low, high) for low, high in zip(starts, ends, strict=True) if low <= high]


def _storable(ranges: Ranges) -> Ranges:
    """The ranges in order, without NUL and surrogates: no text holds those, and neither engine takes them."""
    parts = [(max(low, a), min(high, b)) for low, high in ranges for a, b in ((1, 0xD7FF), (0xE000, _LAST))]
    return sorted({(low, high) for low, high in parts if low <= high})


def _escaped(code: int) -> str:
    return f"\\{chr(code)}" if chr(code) in string.punctuation else chr(code)
