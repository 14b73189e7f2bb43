"""What can be asked of one value, apart from where the value is stored.

Filters say what they mean with these; `columns` turns them into conditions on a column, `documents` into conditions on
a value inside JSON. A value of another type than asked for never satisfies a positive condition.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum

from audience.filters.paths import Path


class Kind(Enum):
    """The types a value can have. A time inside JSON is text of one fixed shape (`audience.times.CANONICAL`)."""

    TEXT = "text"
    NUMBER = "number"
    BOOLEAN = "boolean"
    TIME = "time"
    LIST = "list"


class Sign(Enum):
    LESS = "<"
    AT_MOST = "<="
    MORE = ">"
    AT_LEAST = ">="


Number = int | float


@dataclass(frozen=True, slots=True)
class Present:
    """A value that is not null. An empty text is one."""


@dataclass(frozen=True, slots=True)
class Filled:
    """A value that is not null, not an empty text and not an empty list: the opposite of blank."""


@dataclass(frozen=True, slots=True)
class HasKind:
    kind: Kind


@dataclass(frozen=True, slots=True)
class OneOf:
    """A text or number equal to one of these, by type and value."""

    values: tuple[str | Number, ...]


@dataclass(frozen=True, slots=True)
class ContainsAny:
    """A text that holds one of these, letter case as given."""

    parts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Matches:
    """A text in which the regular expression (as `patterns.portable` wrote it) is found."""

    pattern: str


@dataclass(frozen=True, slots=True)
class Compare:
    """A number, a time or a date that stands so to `value`."""

    sign: Sign
    value: Number | datetime | date


@dataclass(frozen=True, slots=True)
class IsBoolean:
    value: bool


@dataclass(frozen=True, slots=True)
class OnDays:
    """A time or date whose month and day lie in one of these ranges ("MM-DD", both ends included) in `zone`."""

    ranges: tuple[tuple[str, str], ...]
    zone: str


@dataclass(frozen=True, slots=True)
class HoldsAny:
    """A list with an element for which the condition holds."""

    element: "OneOf | ContainsAny | Matches"


@dataclass(frozen=True, slots=True)
class ElementMeets:
    """A list with one element that meets all of these, each asked at a path inside the element."""

    demands: "Sequence[tuple[Path, Condition]]"


@dataclass(frozen=True, slots=True)
class Not:
    condition: "Condition"


@dataclass(frozen=True, slots=True)
class Every:
    conditions: Sequence["Condition"]


@dataclass(frozen=True, slots=True)
class Either:
    conditions: Sequence["Condition"]


Condition = (
    Present
    | Filled
    | HasKind
    | OneOf
    | ContainsAny
    | Matches
    | Compare
    | IsBoolean
    | OnDays
    | HoldsAny
    | ElementMeets
    | Not
    | Every
    | Either
)
