"""What values are: how they print, which number they are, what is inside them, how large they are.

A value is None, a bool, an int, a float, a str, a datetime, a date, a list, a dict or a range. Nil and "missing"
are the same. One function turns values to text, and everything that prints goes through it.
"""

import json
import re
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal

from . import times
from .errors import Fault
from .limits import LARGEST_NUMBER, LIMITS, too_long

_LEADING_NUMBER = re.compile(r"\s*([+-]?\d+(?:\.\d+)?)")
_WHOLE_NUMBER = re.compile(r"\s*[+-]?\d+(?:\.\d+)?\s*")


class Nothing:
    """The words `blank` and `empty`: they print nothing, and mean something only beside == and !=."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __str__(self) -> str:
        return ""


BLANK = Nothing("blank")
EMPTY = Nothing("empty")


def text(value: object) -> str:
    """A value as it prints. Raises Fault where that would be too long."""
    kind = type(value)
    if kind is str:
        return value  # type: ignore[return-value]
    if value is None:
        return ""
    if kind is int:
        return str(value)
    if kind is bool:
        return "true" if value else "false"
    if kind is float or kind is Decimal:
        return decimal_text(value)  # type: ignore[arg-type]
    if isinstance(value, datetime | date):
        return times.show(value)
    if isinstance(value, range):
        return f"{value.start}..{value.stop - 1}"
    if isinstance(value, list | tuple | dict):
        moment = times.from_nested(value) if isinstance(value, dict) else None
        return times.show(moment) if moment else to_json(value, ", ", ": ")
    return str(value)


def decimal_text(value: float | Decimal) -> str:
    """Digits and a point, without an exponent; an integral float keeps its `.0`."""
    shown = str(value)
    if "e" not in shown and "E" not in shown:
        return shown
    digits = format(Decimal(shown), "f")
    return digits if "." in digits or isinstance(value, Decimal) else digits + ".0"


def to_json(value: object, comma: str = ",", colon: str = ":") -> str:
    """JSON with non-ASCII as it is and times as text. Raises Fault past the limit on a value, before building it."""
    measure(value)
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(comma, colon), default=_plain)
    except (TypeError, ValueError) as error:
        raise Fault(f"this value cannot be written as JSON: {error}") from error


def _plain(value: object) -> object:
    if isinstance(value, range):
        return list(value)
    return float(value) if isinstance(value, Decimal) else text(value)


def parse_json(source: str) -> object:
    """JSON as a value. Raises ValueError for anything else, the words NaN and Infinity included."""
    try:
        return json.loads(source, parse_constant=_not_json)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def _not_json(word: str) -> object:
    raise ValueError(f"{word} is not JSON")


def measure(value: object, limit: int = LIMITS.value) -> int:
    """About how many characters a value holds, shared parts counted each time. Raises Fault past `limit`."""
    size, waiting = 0, [value]
    while waiting:
        part = waiting.pop()
        if isinstance(part, str):
            size += len(part)
        elif isinstance(part, dict):
            size += 4 * len(part) + sum(len(str(key)) for key in part)
            waiting.extend(part.values())
        elif isinstance(part, list | tuple):
            size += 2 * len(part)
            waiting.extend(part)
        else:
            size += len(part) if isinstance(part, range) else 8
        if size > limit:
            raise too_long("a value", limit)
    return size


def member(value: object, key: object) -> object:
    """What `value[key]` or `value.key` is; None for whatever is not there."""
    kind = type(value)
    if kind is dict:
        if isinstance(key, str) and key in value:  # type: ignore[operator]
            return value[key]  # type: ignore[index]
        return _of_object(value, key)  # type: ignore[arg-type]
    if kind is list or kind is range or kind is tuple:
        return _of_list(value, key)  # type: ignore[arg-type]
    if kind is str:
        return len(value) if key == "size" else None  # type: ignore[arg-type]
    if isinstance(value, Mapping):  # the library's loop variables
        return value.get(key)
    return None


def _of_object(value: dict[str, object], key: object) -> object:
    if key == "size":
        return len(value)
    if key == "first" and value:
        return list(next(iter(value.items())))
    return None


def _of_list(value: list[object], key: object) -> object:
    if type(key) is int:
        return value[key] if -len(value) <= key < len(value) else None
    if key == "size":
        return len(value)
    if key in ("first", "last") and value:
        return value[0 if key == "first" else -1]
    return None


def items(value: object) -> list[object]:
    """A value as a list: nil is empty, anything that is no list is its only item. Raises Fault for too many."""
    if value is None:
        return []
    if not isinstance(value, list | tuple | range):
        return [value]
    if len(value) > LIMITS.items:
        raise too_long("a list", LIMITS.items)
    return value if isinstance(value, list) else list(value)


def is_number(value: object) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def exact(value: object) -> int | Decimal:
    """The number a value counts as in arithmetic: that of leading digits for text, 0 for what is none."""
    if isinstance(value, bool) or value is None:
        return 0
    if isinstance(value, int):
        return value
    if isinstance(value, float | Decimal):
        return Decimal(str(value))
    if isinstance(value, datetime | date):
        return times.epoch(value)
    if isinstance(value, str) and (found := _LEADING_NUMBER.match(value)):
        return _digits(found.group(1))
    if isinstance(value, dict) and (moment := times.from_nested(value)):
        return times.epoch(moment)
    return 0


def whole_number(value: str) -> int | Decimal | None:
    """The number that the whole of a text is, or None."""
    return _digits(value.strip()) if _WHOLE_NUMBER.fullmatch(value) else None


def _digits(shown: str) -> int | Decimal:
    number = Decimal(shown)
    if abs(number) > LARGEST_NUMBER:
        raise too_large()
    return number if "." in shown else int(number)


def native(number: int | Decimal) -> int | float:
    """An exact result as a value. Raises Fault where it is too large."""
    if not -LARGEST_NUMBER <= number <= LARGEST_NUMBER:
        raise too_large()
    return number if isinstance(number, int) else float(number)


def too_large() -> Fault:
    return Fault("this number is too large: at most 10^30 is allowed")
