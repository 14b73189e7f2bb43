"""The inputs of filters: what each accepts, how it is typed into a form, and how it reads in a sentence."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from audience import times
from audience.filters import days, paths, patterns

MAX_VALUES = 256
MAX_TEXT = 512
MAX_INTEGER = 2**63 - 1
MAX_DAYS = 36_500

Choices = Sequence[tuple[Any, Any]]


@dataclass(frozen=True)
class Field:
    """One input of a filter, kept in the leaf under `key`."""

    key: str
    label: Any = ""
    is_optional: bool = False
    widget: ClassVar[str] = "text"
    is_list: ClassVar[bool] = False

    def problem(self, value: Any) -> str | None:
        """What is wrong with the value, in a sentence; None if nothing is."""
        if value is None or value in ("", []):
            return None if self.is_optional else self.missing()
        return self.fault(value)

    def missing(self) -> str:
        return _("Fill in “%s”.") % self.label

    def fault(self, value: Any) -> str | None:
        raise NotImplementedError

    def read(self, typed: Sequence[str]) -> Any:
        """The value that was typed, as the tree keeps it; text that can't be read stays text, for `problem` to name."""
        return typed[0].strip() if typed else ""

    def show(self, value: Any) -> str:
        """The value as the input shows it."""
        return "" if value is None else str(value)

    def words(self, value: Any) -> str:
        """The value as it reads in a sentence."""
        return self.show(value)


@dataclass(frozen=True)
class Text(Field):
    """One text; `suggestions` names a list of known ones to offer (`attributes`, `events`, `products`)."""

    label: Any = gettext_lazy("value")
    suggestions: str = ""
    max_length: int = 255

    def fault(self, value: Any) -> str | None:
        return text_fault(value, self.max_length)


@dataclass(frozen=True)
class Texts(Field):
    """Up to 256 texts, typed one a line."""

    key: str = "values"
    label: Any = gettext_lazy("values")
    suggestions: str = ""
    conjunction: Any = gettext_lazy("or")
    widget: ClassVar[str] = "lines"
    is_list: ClassVar[bool] = True

    def fault(self, value: Any) -> str | None:
        if not isinstance(value, list):
            return _("“%s” is a list.") % self.label
        if len(value) > MAX_VALUES:
            return _("At most %(most)d values; there are %(count)d. Import longer lists as a CSV file.") % {
                "most": MAX_VALUES,
                "count": len(value),
            }
        return next(filter(None, map(self.element_fault, value)), None)

    def element_fault(self, value: Any) -> str | None:
        return text_fault(value, MAX_TEXT)

    def read(self, typed: Sequence[str]) -> Any:
        lines = [line.strip() for text in typed for line in text.splitlines()]
        return [line for line in dict.fromkeys(lines) if line]

    def show(self, value: Any) -> str:
        return "\n".join(map(str, value)) if isinstance(value, list) else str(value or "")

    def words(self, value: Any) -> str:
        return listed([str(each) for each in value], self.conjunction)


@dataclass(frozen=True)
class Scalars(Texts):
    """Texts or numbers. A line that is a number in quotes is text."""

    def element_fault(self, value: Any) -> str | None:
        return text_fault(value, MAX_TEXT) if isinstance(value, str) else number_fault(value)

    def read(self, typed: Sequence[str]) -> Any:
        return [_scalar(line) for line in super().read(typed)]

    def show(self, value: Any) -> str:
        if not isinstance(value, list):
            return str(value or "")
        return "\n".join(map(_as_typed, value))


@dataclass(frozen=True)
class Options(Texts):
    """Some of a closed set."""

    choices: Callable[[], Choices] = tuple
    widget: ClassVar[str] = "options"

    def element_fault(self, value: Any) -> str | None:
        known = any(value == key and isinstance(value, type(key)) for key, _label in self.choices())
        return None if known else _("“%s” is not one of the choices.") % (value,)

    def read(self, typed: Sequence[str]) -> Any:
        by_text = {str(key): key for key, _label in self.choices()}
        return [by_text.get(text, text) for text in dict.fromkeys(typed) if text]

    def words(self, value: Any) -> str:
        labels = dict(self.choices())
        return listed([str(labels.get(each, each)) for each in value], self.conjunction)


@dataclass(frozen=True)
class References(Texts):
    """Some rows of `model`, which have names, kept by id. Whether they exist is the filter's to say (`Filter.load`)."""

    model: Any = None
    choices: Callable[[], Choices] = tuple
    named: Callable[[], Any] | None = None  # the rows with a `name`, where those of the model have none
    widget: ClassVar[str] = "options"

    def rows(self) -> Any:
        """Every row there is, each with its `name`."""
        return self.named() if self.named else self.model._default_manager.all()

    def element_fault(self, value: Any) -> str | None:
        is_id = isinstance(value, int) and not isinstance(value, bool)
        return None if is_id else _("“%s” is not one of the choices.") % (value,)

    def read(self, typed: Sequence[str]) -> Any:
        return [int(text) if text.isdecimal() else text for text in dict.fromkeys(typed) if text]


@dataclass(frozen=True)
class Choice(Field):
    """One of a closed set."""

    choices: Callable[[], Choices] = tuple
    widget: ClassVar[str] = "choice"

    def fault(self, value: Any) -> str | None:
        known = any(value == key for key, _label in self.choices())
        return None if known else _("“%s” is not one of the choices.") % (value,)

    def read(self, typed: Sequence[str]) -> Any:
        by_text = {str(key): key for key, _label in self.choices()}
        return by_text.get(typed[0], typed[0]) if typed else ""

    def words(self, value: Any) -> str:
        return str(dict(self.choices()).get(value, value))


@dataclass(frozen=True)
class NumberField(Field):
    """A number between two bounds, both included."""

    key: str = "value"
    label: Any = gettext_lazy("number")
    low: float = -math.inf
    high: float = math.inf
    is_whole: bool = False
    widget: ClassVar[str] = "number"

    def fault(self, value: Any) -> str | None:
        if fault := number_fault(value):
            return fault
        if self.is_whole and not isinstance(value, int):
            return _("“%s” is a whole number.") % self.label
        if not self.low <= value <= self.high:
            return _("“%(label)s” lies between %(low)s and %(high)s.") % {
                "label": self.label,
                "low": f"{self.low:,}",
                "high": f"{self.high:,}",
            }
        return None

    def read(self, typed: Sequence[str]) -> Any:
        text = super().read(typed)
        return as_number(text) if as_number(text) is not None else text


@dataclass(frozen=True)
class Days(NumberField):
    """A number of days, n × 24 hours; fractions count."""

    key: str = "days"
    label: Any = gettext_lazy("days")
    low: float = 0
    high: float = MAX_DAYS

    def words(self, value: Any) -> str:
        if isinstance(value, int):
            return ngettext("%d day", "%d days", value) % value
        return _("%s days") % value


@dataclass(frozen=True)
class Date(Field):
    """A day, YYYY-MM-DD."""

    key: str = "date"
    label: Any = gettext_lazy("date")
    widget: ClassVar[str] = "date"

    def fault(self, value: Any) -> str | None:
        day = times.parse_date(value) if isinstance(value, str) else None
        if day is None or not 1900 <= day.year <= 2999:
            return _("“%s” is not a date. Write it as 2026-03-31.") % (value,)
        return None


@dataclass(frozen=True)
class MonthDay(Field):
    """A day of any year, MM-DD."""

    label: Any = gettext_lazy("day")
    widget: ClassVar[str] = "month_day"

    def fault(self, value: Any) -> str | None:
        return None if value in days.YEAR else _("“%s” is not a day of the year. Write it as 03-31.") % (value,)


@dataclass(frozen=True)
class Pattern(Field):
    """A regular expression that both databases read alike."""

    key: str = "pattern"
    label: Any = gettext_lazy("regular expression")

    def fault(self, value: Any) -> str | None:
        if fault := text_fault(value, patterns.MAX_LENGTH):
            return fault
        try:
            patterns.portable(value)
        except patterns.InvalidPattern as error:
            return str(error)
        return None

    def words(self, value: Any) -> str:
        return f"/{value}/"


@dataclass(frozen=True)
class PathField(Field):
    """A path into nested data, such as `pets[].name`."""

    key: str = "path"
    label: Any = gettext_lazy("path")
    is_optional: bool = True

    def fault(self, value: Any) -> str | None:
        if fault := text_fault(value, 5 * 255):
            return fault
        try:
            path = paths.parse(value)
        except paths.InvalidPath as error:
            return _("The path can't be read at the mark: %s") % error
        if paths.depth(path) > paths.MAX_DEPTH or len(path) > 2 * paths.MAX_DEPTH:
            return _("A path goes at most %d levels deep.") % paths.MAX_DEPTH
        return None


def text_fault(value: Any, max_length: int) -> str | None:
    """What keeps a value from being a usable text."""
    if not isinstance(value, str):
        return _("“%s” is not a text.") % (value,)
    if not value:
        return _("A value is empty; to find profiles without one use “is blank”.")
    if len(value) > max_length:
        return _("A value is longer than %d characters.") % max_length
    if "\0" in value or any("\ud800" <= letter <= "\udfff" for letter in value):
        return _("A value holds a character that can't be stored.")
    return None


def number_fault(value: Any) -> str | None:
    if not _is_number(value):
        return _("“%s” is not a number.") % (value,)
    if isinstance(value, int) and not -MAX_INTEGER - 1 <= value <= MAX_INTEGER:
        return _("“%s” is too large a number.") % value
    return None


def as_number(text: str) -> int | float | None:
    """The number that is written in the text; None if it is not one."""
    try:
        return int(text)
    except ValueError:
        pass
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def listed(items: Sequence[str], conjunction: Any) -> str:
    """`a`, `a or b`, `a, b or c`; of a long list the first ten and the number of the others."""
    if len(items) > 12:
        items = [*items[:10], _("%d others") % (len(items) - 10)]
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} {conjunction} {items[-1]}"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _as_typed(value: Any) -> str:
    """The line that is read back as the value: a text that looks like something else is put in quotes."""
    return f'"{value}"' if isinstance(value, str) and _scalar(value) != value else str(value)


def _scalar(line: str) -> Any:
    if len(line) > 2 and line[0] == line[-1] == '"':
        return line[1:-1]
    return line if as_number(line) is None else as_number(line)
