"""Reads an uploaded CSV file as text cells. Encodings and quoting are those of profile imports."""

from collections.abc import Iterator
from typing import BinaryIO, cast

from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _

from audience.imports import encodings
from audience.imports.errors import UnusableFile
from audience.imports.rows import rows


def cells(file: UploadedFile, most_rows: int) -> Iterator[list[str]]:
    """The rows of the file, empty ones left out. Raises UnusableFile, with the line, for what can't be read."""
    encoding, _digest = encodings.examine(file.chunks())
    count = 0
    for row in rows(cast(BinaryIO, file.file), encoding):
        if row.fault:
            raise UnusableFile(_("Line %(line)s can't be read: %(fault)s.") % {"line": row.line, "fault": row.fault})
        if any(cell.strip() for cell in row.cells):
            count += 1
            if count > most_rows:
                raise UnusableFile(_("The file has more than %(most)s rows.") % {"most": f"{most_rows:,}"})
            yield row.cells
