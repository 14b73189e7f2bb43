"""Values of custom attributes and properties: made storable, bounded, and typed."""

import json
import math
from collections.abc import Mapping
from typing import Any

from audience import times
from audience.ingest.errors import NotStored
from audience.models import Attribute

MAX_TEXT = 255
MAX_LIST = 500
MAX_BYTES = 100 * 1024
MAX_NESTING = 32
_INT64 = 2**63
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
_UNSTORABLE = {0: _REPLACEMENT, **dict.fromkeys(range(0xD800, 0xE000), _REPLACEMENT)}

Type = Attribute.Type


def storable_text(text: str) -> str:
    """The text with what no database column holds (NUL, lone surrogates) replaced."""
    return text if text.isprintable() else text.translate(_UNSTORABLE)


def top_level(value: Any) -> Any:
    """A value as an attribute keeps it: texts that are times become times. Raises NotStored."""
    if isinstance(value, str):
        moment = times.parse(value)
        return times.canonical(moment) if moment else bounded_text(value)
    if isinstance(value, list):
        return objects(value) if value and all(isinstance(each, dict) for each in value) else scalars(value)
    return nested(value) if isinstance(value, dict) else scalar(value)


def bounded_text(text: str) -> str:
    if len(text) > MAX_TEXT:
        raise NotStored(f"is longer than {MAX_TEXT} characters")
    return storable_text(text)


def scalar(value: Any) -> Any:
    """A text, number or boolean. Numbers are what both databases compare exactly."""
    match value:
        case str():
            return bounded_text(value)
        case bool():
            return value
        case int() if -_INT64 <= value < _INT64:
            return value
        case float() if math.isfinite(value):
            # From 2^53 on a float is a whole number; as one it is compared digit by digit.
            return int(value) if 2**53 <= abs(value) < _INT64 else value
    raise NotStored("is not valid")


def scalars(values: list[Any]) -> list[Any]:
    """A list of scalars without repeats, the first place kept; over the most, the oldest leave."""
    return distinct([scalar(value) for value in values])[-MAX_LIST:]


def distinct(values: list[Any]) -> list[Any]:
    """The values by type and value, in order."""
    return [*{(type(value) is bool, value): value for value in reversed(values)}.values()][::-1]


def nested(value: Any, depth: int = 0) -> Any:
    """An object or list inside an attribute, its `{"$time": …}` turned into times. Raises NotStored."""
    if depth > MAX_NESTING:
        raise NotStored("is nested too deeply")
    match value:
        case {"$time": moment, **others} if not others:
            return _time(moment)
        case dict():
            return {_key(key): nested(inner, depth + 1) for key, inner in value.items()}
        case list():
            return [nested(inner, depth + 1) for inner in value]
        case _:
            return scalar(value)


def objects(values: list[Any]) -> list[Any]:
    return [nested(value) for value in values]


def small_enough(value: Any) -> Any:
    """The value if it is at most 100 KB of JSON. Raises NotStored."""
    if isinstance(value, dict | list) and len(json.dumps(value)) > MAX_BYTES:
        raise NotStored("is larger than 100 KB")
    return value


def _key(key: str) -> str:
    if not key or len(key) > MAX_TEXT or " " in key or key.startswith("$"):
        raise NotStored("is not valid")
    return storable_text(key)


def _time(value: Any) -> str:
    moment = times.parse(value) if isinstance(value, str) else None
    if moment is None:
        raise NotStored("is not valid")
    return times.canonical(moment)


def type_of(value: Any) -> Type:
    """The type that a stored value has."""
    match value:
        case bool():
            return Type.BOOLEAN
        case int() | float():
            return Type.NUMBER
        case str():
            return Type.TIME if times.is_canonical(value) else Type.TEXT
        case Mapping():
            return Type.OBJECT
        case [Mapping(), *_]:
            return Type.OBJECTS
        case _:
            return Type.LIST
