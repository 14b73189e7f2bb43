"""Reads profiles from CSV, row by row: what is right goes in, what is wrong is named with its line and reason.

Blank cells change nothing. Numbers are numbers unless they begin with a zero; columns that are no standard attribute
become custom attributes (campaigns specification, section 2.5).
"""

import csv
import itertools
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TextIO

from django.utils.translation import gettext as _

from audience.ingest import track

CHUNK = 500
_NUMBER = re.compile(r"-?(?:0|[1-9]\d{0,17})(?:\.\d{1,12})?")
_TEXT_COLUMNS = {"external_id", "email", "phone", "first_name", "last_name", "home_city"}


class UnusableFile(Exception):
    """Nothing was imported; the message says what the file lacks."""


@dataclass
class Result:
    """What became of the rows. `problems` are (line of the file, sentence)."""

    rows: int = 0
    stored: int = 0
    created: int = 0
    problems: list[tuple[int, str]] = field(default_factory=list)


def read(file: TextIO) -> Iterator[tuple[int, Mapping[str, Any] | str]]:
    """For each row its line, and its attributes or the sentence that says what is wrong. Raises UnusableFile."""
    reader = csv.reader(file)
    header = [name.strip() for name in next(reader, [])]
    if "external_id" not in header:
        raise UnusableFile(_("The file has no column external_id. Its first row must name the columns."))
    if duplicates := {name for name in header if header.count(name) > 1}:
        raise UnusableFile(_("The column %(name)s is there twice.") % {"name": sorted(duplicates)[0]})
    for cells in reader:
        yield reader.line_num, _row(header, cells)


def _row(header: list[str], cells: list[str]) -> Mapping[str, Any] | str:
    if len(cells) != len(header):
        return _("has %(cells)s cells; the header has %(columns)s") % {"cells": len(cells), "columns": len(header)}
    values = {name: _typed(name, cell) for name, cell in zip(header, cells, strict=True) if cell.strip() and name}
    return values if values.get("external_id") else _("has no external_id")


def _typed(name: str, cell: str) -> Any:
    if name in _TEXT_COLUMNS:
        return cell
    if cell.lower() in ("true", "false"):
        return cell.lower() == "true"
    if _NUMBER.fullmatch(cell):
        return float(cell) if "." in cell else int(cell)
    return cell


def load(file: TextIO, now: datetime, *, is_dry_run: bool = False) -> Iterator[Result]:
    """Import chunk by chunk, each in one transaction; the result so far after each. Nothing of a bad row is stored."""
    result = Result()
    rows = read(file)
    while chunk := list(itertools.islice(rows, CHUNK)):
        result.rows += len(chunk)
        result.problems += [(line, row) for line, row in chunk if isinstance(row, str)]
        good = [(line, row) for line, row in chunk if not isinstance(row, str)]
        _store(good, now, result, is_dry_run)
        yield result


def _store(good: Iterable[tuple[int, Mapping[str, Any]]], now: datetime, result: Result, is_dry_run: bool) -> None:
    good = list(good)
    if is_dry_run or not good:
        result.stored += len(good)
        return
    batch = track([row for _, row in good], now=now, may_trigger=False)
    bad = {error.index for error in batch.errors}
    result.problems += [(good[error.index][0], error.type) for error in batch.errors]
    result.stored += len(good) - len(bad)
    result.created += len(batch.created)
