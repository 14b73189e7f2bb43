"""The report of an import: each row or value that was left out, with the reason and the row as it was."""

import csv
import io
import os
from collections.abc import Sequence

from django.core.files.base import ContentFile

from audience import spreadsheet
from audience.imports.rows import Row
from audience.models import Import

Remark = tuple[Row, bool, str]
"""A row, whether it was left out as a whole, and a sentence."""


def append(source: Import, remarks: Sequence[Remark]) -> int:
    """Append the remarks to the report, after what belongs to finished chunks; its size then."""
    if not source.report:
        source.report.save(f"report-{source.pk}.csv", ContentFile(b""), save=False)
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    if source.report_size == 0:
        text.write("\ufeff")
        writer.writerow(["line", "kind", "reason", "row"])
    for row, is_left_out, sentence in sorted(remarks, key=lambda remark: remark[0].line):
        kind = "error" if is_left_out else "warning"
        writer.writerow([row.line, kind, sentence, *map(spreadsheet.cell, row.cells)])
    with open(source.report.path, "r+b") as file:
        file.truncate(source.report_size)
        file.seek(0, os.SEEK_END)
        file.write(text.getvalue().encode())
        return file.tell()
