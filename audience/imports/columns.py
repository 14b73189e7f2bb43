"""What the columns of a file mean, and what a row asks for. Pure, but for the words.

The first of the identifying columns that a file has names the profile. Other columns are standard attributes by their
exact name, or custom attributes. Blank cells change nothing (campaigns specification, section 2.5).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audience import times
from audience.imports.errors import BadRow, UnusableFile
from audience.ingest import standard
from audience.models import Import

AUTO, TEXT, NUMBER, BOOLEAN, TIME, IGNORED = "auto", "text", "number", "boolean", "time", "ignored"
TYPES = (
    (AUTO, gettext_lazy("as it looks")),
    (TEXT, gettext_lazy("text")),
    (NUMBER, gettext_lazy("number")),
    (BOOLEAN, gettext_lazy("true or false")),
    (TIME, gettext_lazy("time")),
    (IGNORED, gettext_lazy("leave out")),
)
IDENTIFIERS = ("external_id", "braze_id", "user_alias_name", "email", "phone")
MOST_COLUMNS = 1_000
_NAMED_TYPES = (TEXT, NUMBER, BOOLEAN, TIME)
_SUBSCRIPTION = ("subscription_group_id", "subscription_state")
_NUMBER = re.compile(r"-?(?:0|[1-9]\d{0,17})(?:\.\d{1,12})?", re.ASCII)
_ANY_NUMBER = re.compile(r"[+-]?\d{1,18}(?:\.\d{1,12})?", re.ASCII)
_BOOLEANS = {"true": True, "false": False, "1": True, "0": False, "yes": True, "no": False}


class _BadCell(ValueError):
    """The value is left out; the rest of the row goes in."""


@dataclass(frozen=True)
class Columns:
    """The header of a file. `identifier` is the column that names profiles; `types` are by column."""

    names: tuple[str, ...]
    types: Mapping[str, str]
    identifier: str
    content: str

    def read(self, cells: Sequence[str]) -> tuple[dict[str, Any], list[str]]:
        """What a row asks for, as `/users/track` would be sent it, and what was left out. Raises BadRow."""
        if len(cells) != len(self.names):
            figures = {"cells": len(cells), "columns": len(self.names)}
            raise BadRow(_("has %(cells)s cells; the header has %(columns)s") % figures)
        filled = {name: cell for name, cell in zip(self.names, cells, strict=True) if cell.strip() and name}
        identity = self._identity(filled)
        if self.content == Import.Content.EVENTS:
            return self._event(identity, filled)
        return self._profile(identity, filled)

    def _identity(self, filled: Mapping[str, str]) -> dict[str, Any]:
        if self.identifier not in filled:
            raise BadRow(_("has no %s") % self.identifier)
        if self.identifier != "user_alias_name":
            return {self.identifier: filled[self.identifier]}
        if "user_alias_label" not in filled:
            raise BadRow(_("has no %s") % "user_alias_label")
        alias = {"alias_name": filled["user_alias_name"], "alias_label": filled["user_alias_label"]}
        return {"user_alias": alias, "_update_existing_only": False}

    def _profile(self, identity: dict[str, Any], filled: Mapping[str, str]) -> tuple[dict[str, Any], list[str]]:
        passed_over = {"user_alias_name", "user_alias_label", *_SUBSCRIPTION, *identity}
        given = {name: cell for name, cell in filled.items() if name not in passed_over}
        values, left_out = self._values(given)
        if any(name in filled for name in _SUBSCRIPTION):
            values["subscription_groups"] = [{name: filled.get(name, "") for name in _SUBSCRIPTION}]
        return identity | values, left_out

    def _event(self, identity: dict[str, Any], filled: Mapping[str, str]) -> tuple[dict[str, Any], list[str]]:
        for name in ("name", "time"):
            if name not in filled:
                raise BadRow(_("has no %s") % name)
        prefix = f"{filled['name']}.properties."
        given = {name: cell for name, cell in filled.items() if name.startswith(prefix)}
        values, left_out = self._values(given)
        properties = {name.removeprefix(prefix): value for name, value in values.items()}
        event = identity | {"name": filled["name"], "time": filled["time"], "properties": properties}
        return event | ({"event_id": filled["event_id"]} if "event_id" in filled else {}), left_out

    def _values(self, given: Mapping[str, str]) -> tuple[dict[str, Any], list[str]]:
        values: dict[str, Any] = {}
        left_out = []
        for name, cell in given.items():
            kind = self.types.get(name, AUTO)
            if kind == IGNORED:
                continue
            try:
                values[name] = cell if name in standard.READERS else _typed(cell, kind)
            except _BadCell as error:
                left_out.append(f"“{name}”: {error}")
        return values, left_out


def read_header(cells: Sequence[str], declared: Mapping[str, str], content: str) -> Columns:
    """The columns of a header row such as `external_id,plan,points:number`. Raises UnusableFile.

    `declared` types win over those in the header.
    """
    pairs = [_name_and_type(cell.strip()) for cell in cells]
    names = [name for name, _kind in pairs]
    if len(names) > MOST_COLUMNS:
        raise UnusableFile(
            _("The file has %(count)d columns; at most %(most)d can be imported at once.")
            % {"count": len(names), "most": MOST_COLUMNS}
        )
    if twice := sorted({name for name in names if name and names.count(name) > 1}):
        raise UnusableFile(_("The column %(name)s is there twice.") % {"name": twice[0]})
    identifier = next((name for name in IDENTIFIERS if name in names), "")
    if not identifier:
        raise UnusableFile(
            _(
                "No column names the profiles. The first row must name the columns, separated by commas; "
                "one of them must be %s."
            )
            % ", ".join(IDENTIFIERS)
        )
    _check(names, identifier, content)
    types = {name: declared.get(name) or kind for name, kind in pairs}
    return Columns(tuple(names), types, identifier, content)


def _check(names: Sequence[str], identifier: str, content: str) -> None:
    if "external_id" in names and "user_alias_name" in names:
        raise UnusableFile(_("External IDs and aliases can't be mixed in one file."))
    if identifier == "user_alias_name" and "user_alias_label" not in names:
        raise UnusableFile(_("The column %s is missing.") % "user_alias_label")
    missing = [name for name in ("name", "time") if name not in names]
    if content == Import.Content.EVENTS and missing:
        raise UnusableFile(_("The column %s is missing.") % missing[0])


def _name_and_type(cell: str) -> tuple[str, str]:
    name, colon, kind = cell.rpartition(":")
    return (name, kind) if colon and name and kind in _NAMED_TYPES else (cell, AUTO)


def _typed(cell: str, kind: str) -> Any:
    match kind:
        case "number":
            return _number(cell)
        case "boolean":
            if cell.strip().lower() not in _BOOLEANS:
                raise _BadCell(_("“%s” is neither true nor false") % cell)
            return _BOOLEANS[cell.strip().lower()]
        case "time":
            if times.parse(cell.strip()) is None:
                raise _BadCell(_("“%s” is not a time") % cell)
            return cell.strip()
        case "text":
            return cell
    return _as_it_looks(cell)


def _number(cell: str) -> int | float:
    text = cell.strip().replace(",", "")
    if not _ANY_NUMBER.fullmatch(text):
        raise _BadCell(_("“%s” is not a number") % cell)
    return float(text) if "." in text else int(text)


def _as_it_looks(cell: str) -> Any:
    """Numbers are numbers unless they begin with a zero: postal codes and the like stay text."""
    if cell.lower() in ("true", "false"):
        return cell.lower() == "true"
    if _NUMBER.fullmatch(cell):
        return float(cell) if "." in cell else int(cell)
    return cell
