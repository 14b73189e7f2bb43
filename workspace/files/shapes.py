"""What a document must look like: pydantic classes, made from the models where a model says it already.

Fields that are left out are as in a new row. Every problem names its place, in the reader's language.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, time
from typing import Annotated, Any, Literal

from annotated_types import Ge, Le
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, create_model
from pydantic import ValidationError as Invalid

from workspace.files.document import VERSION, Document, at, said

MOST_TEXT = 200_000
_SMALL, _LARGEST_INTEGER = 2**15 - 1, 2**31 - 1


class Part(BaseModel):
    """Something in a document: no other fields than these, no types but theirs."""

    model_config = ConfigDict(extra="forbid", strict=True)


_List: Any = list
_Dict: Any = dict
_Literal: Any = Literal


def text(most: int = MOST_TEXT, least: int = 0) -> Any:
    return Annotated[str, StringConstraints(max_length=most, min_length=least)]


def number(low: int, high: int) -> Any:
    return Annotated[int, Ge(low), Le(high)]


def one_of(values: Iterable[str]) -> Any:
    return _Literal[tuple(str(value) for value in values)]


def listed(kind: Any, most: int, least: int = 0) -> Any:
    return Annotated[_List[kind], Field(min_length=least, max_length=most)]


def mapping(key: Any, value: Any) -> Any:
    return _Dict[key, value]


def checked_by(kind: Any, check: Callable[[Any], Any]) -> Any:
    """The kind, if `check` raises no ValueError; it returns what stands."""
    return Annotated[kind, AfterValidator(check)]


def part(name: str, /, needs: str = "", base: type[Part] = Part, **fields: Any) -> Any:
    """A Part with these fields, of which the words in `needs` may not be left out."""
    given: dict[str, Any] = {}
    for key, kind in fields.items():
        own_name = f"{key}_" if hasattr(Part, key) else key  # "json" is a method of every Part
        given[own_name] = (kind, Field(... if key in needs.split() else None, alias=key))
    return create_model(name, __base__=base, **given)


def _in_our_times(moment: datetime | date) -> Any:
    if not 1970 <= moment.year <= 2999:
        raise ValueError(_("It lies between the years 1970 and 2999."))
    return moment


def _on_the_wall(moment: time) -> time:
    if moment.tzinfo is not None:
        raise ValueError(_("A time of day has no zone."))
    return moment


def checked_text(read: Callable[[str], Any]) -> Any:
    """A text that `read` can read (it raises ValueError); it stays a text."""

    def check(value: str) -> str:
        try:
            read(value)
        except ValueError as error:
            raise ValueError(_("“%s” can't be read.") % value[:100]) from error
        return value

    return checked_by(text(100), check)


TIME = checked_text(lambda value: _on_the_wall(time.fromisoformat(value)) if value else None)
DAY = checked_text(lambda value: _in_our_times(date.fromisoformat(value)) if value else None)


def shape_of(model: type[models.Model], names: Iterable[str], base: type[Part] = Part, **others: Any) -> Any:
    """A Part with these fields of a model: their types, choices and bounds. `others` are more, or say it for JSON."""
    columns = {name: _kind(model._meta.get_field(name)) for name in names if name not in others}
    return part(model.__name__, base=base, **columns, **others)


def _kind(field: Any) -> Any:
    kind: Any
    match field:
        case models.BooleanField():
            kind = bool
        case models.IntegerField():
            kind = number(*_bounds(field))
        case models.DateTimeField():
            kind = checked_by(AwareDatetime, _in_our_times)
        case models.DateField():
            kind = checked_by(date, _in_our_times)
        case models.TimeField():
            kind = checked_by(time, _on_the_wall)
        case _ if field.choices:
            kind = one_of(value for value, _label in field.flatchoices)
        case _:
            kind = text(field.max_length or MOST_TEXT, 0 if field.blank else 1)
    return kind | None if field.null else kind


def _bounds(field: Any) -> tuple[int, int]:
    """The narrowest of what the column and its validators allow, alike on both databases."""
    low = 0 if isinstance(field, models.PositiveIntegerField | models.PositiveSmallIntegerField) else -_LARGEST_INTEGER
    high = _SMALL if isinstance(field, models.PositiveSmallIntegerField) else _LARGEST_INTEGER
    lows = [v.limit_value for v in field._validators if isinstance(v, MinValueValidator)]
    highs = [v.limit_value for v in field._validators if isinstance(v, MaxValueValidator)]
    return max([low, *lows]), min([high, *highs])


NAMES = listed(text(255), 100)
Head = part(
    "Head",
    needs="hookline kind name",
    hookline=_Literal[VERSION],
    kind=text(20),
    name=Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=r"\S")],
    description=text(),
    teams=NAMES,
    tags=NAMES,
)
"""What every document begins with."""


def checked(shape: type[Part], given: Any, place: str = "") -> tuple[Document, list[str]]:
    """What is given as the shape reads it, without what was left out; and everything that is wrong."""
    try:
        found = shape.model_validate_json(json.dumps(given))
    except Invalid as error:
        return {}, [said(_place(place, each["loc"]), _sentence(each)) for each in error.errors(include_url=False)]
    return found.model_dump(by_alias=True, exclude_unset=True), []


def _place(place: str, path: Iterable[str | int]) -> str:
    for key in path:
        if key != "[key]":
            place = at(place, key)
    return place


_SENTENCES: Mapping[str, Any] = {
    "missing": gettext_lazy("It is missing."),
    "extra_forbidden": gettext_lazy("There is no such field."),
    "string_type": gettext_lazy("It must be a text."),
    "int_type": gettext_lazy("It must be a whole number."),
    "int_from_float": gettext_lazy("It must be a whole number."),
    "bool_type": gettext_lazy("It must be true or false."),
    "list_type": gettext_lazy("It must be a list."),
    "dict_type": gettext_lazy("It must be an object."),
    "model_type": gettext_lazy("It must be an object."),
    "literal_error": gettext_lazy("It must be %(expected)s."),
    "string_too_short": gettext_lazy("It is empty."),
    "string_pattern_mismatch": gettext_lazy("It is not written as it should be."),
    "string_too_long": gettext_lazy("It is longer than %(max_length)d characters."),
    "too_long": gettext_lazy("It has more than %(max_length)d entries."),
    "too_short": gettext_lazy("It has fewer than %(min_length)d entries."),
    "greater_than_equal": gettext_lazy("It must be %(ge)d at least."),
    "less_than_equal": gettext_lazy("It must be %(le)d at most."),
    "timezone_aware": gettext_lazy("Write it with its zone, as 2026-03-31T09:00:00Z."),
}
_TIMES = ("date", "time")


def _sentence(error: Any) -> str:
    if error["type"] == "value_error":
        return str(error["ctx"]["error"])
    if error["type"] in _SENTENCES:
        return str(_SENTENCES[error["type"]]) % error.get("ctx", {})
    if error["type"].startswith(_TIMES):
        return _("It is no time: write 2026-03-31T09:00:00Z, a day as 2026-03-31, a time of day as 09:00.")
    return str(error["msg"])
