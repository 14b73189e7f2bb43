"""Reads the rows of a CSV file and knows at which byte each ends, so that reading can go on there."""

import codecs
import csv
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from django.utils.translation import gettext as _

MOST_LINE_BYTES = 1_000_000
csv.field_size_limit(MOST_LINE_BYTES)


@dataclass(frozen=True, slots=True)
class Row:
    """`line` is where the row begins, counted from 1; `end` and `end_line` where the next one does.

    `fault` says why the row can't be read; `cells` are empty then.
    """

    line: int
    cells: list[str]
    end: int
    end_line: int
    fault: str = ""


class _Lines:
    """The lines of a file from some byte on."""

    def __init__(self, file: BinaryIO, encoding: str, position: int, line: int) -> None:
        self.file, self.encoding, self.position, self.line = file, encoding, position, line
        self.ends: list[int] = []
        file.seek(position)

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        raw = self.file.readline(MOST_LINE_BYTES)
        if not raw:
            raise StopIteration
        is_first, is_whole = self.position == 0, len(raw) < MOST_LINE_BYTES or raw.endswith(b"\n")
        self.position += len(raw) + (0 if is_whole else self._rest_of_line())
        self.line += 1
        self.ends.append(self.position)
        if not is_whole:
            raise csv.Error(_("it is longer than a megabyte"))
        return raw.removeprefix(codecs.BOM_UTF8 if is_first else b"").decode(self.encoding)

    def _rest_of_line(self) -> int:
        passed_over = 0
        while raw := self.file.readline(MOST_LINE_BYTES):
            passed_over += len(raw)
            if raw.endswith(b"\n"):
                break
        return passed_over

    def back_to_second(self) -> None:
        """Go back to the line after the first that was read since `ends` was emptied."""
        self.position, self.line = self.ends[0], self.line - len(self.ends) + 1
        self.file.seek(self.position)


def rows(file: BinaryIO, encoding: str, position: int = 0, line: int = 1) -> Iterator[Row]:
    """The rows from that byte on, which begins that line. Empty lines are passed over."""
    lines = _Lines(file, encoding, position, line)
    while True:
        begun, lines.ends = lines.line, []
        try:
            cells = next(csv.reader(lines, strict=True), None)
            fault = ""
        except (csv.Error, UnicodeDecodeError) as error:
            # An open quote swallows what follows: only its own line is lost.
            lines.back_to_second()
            cells, fault = [], _explained(error)
        if cells is None:
            return
        if cells or fault:
            yield Row(begun, cells, lines.position, lines.line, fault)


def _explained(error: Exception) -> str:
    if isinstance(error, UnicodeDecodeError):
        return _("holds bytes that are not %(encoding)s") % {"encoding": error.encoding}
    if "unexpected end" in str(error) or "expected after" in str(error):
        return _("has a quote that is not closed or not doubled")
    return _("can't be read: %s") % error
