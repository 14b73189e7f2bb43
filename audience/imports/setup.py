"""What happens to an import besides running: its file is examined, it is started, cancelled, its files are deleted."""

import itertools
from datetime import datetime
from typing import Any, BinaryIO, cast

from django.utils.translation import gettext as _

from audience.imports import columns, encodings
from audience.imports.columns import Columns
from audience.imports.errors import UnusableFile
from audience.imports.rows import Row, rows
from audience.models import Import
from workspace import queues

Status = Import.Status


def examine(source: Import) -> Columns:
    """Note encoding, size and digest of the file, and read its header. Raises UnusableFile; saves nothing."""
    with source.file.open("rb") as file:
        found, source.digest = encodings.examine(iter(lambda: file.read(1 << 20), b""))
        source.encoding = source.encoding or found
        source.size = file.tell()
        return header(source, cast(BinaryIO, file))


def header(source: Import, file: BinaryIO) -> Columns:
    """The columns of the file. Raises UnusableFile."""
    first = next(rows(file, source.encoding), None)
    if first is None or first.fault:
        raise UnusableFile(_("The file is empty.") if first is None else _("The first row %s.") % first.fault)
    return columns.read_header(first.cells, source.column_types, source.content)


def preview(source: Import, count: int = 5) -> list[Row]:
    """The first rows after the header."""
    with source.file.open("rb") as file:
        return [*itertools.islice(rows(cast(BinaryIO, file), source.encoding), 1, count + 1)]


def start(source: Import, *, is_dry_run: bool) -> None:
    """Have the import run from the beginning."""
    fresh: dict[str, Any] = {
        "position": 0,
        "line": 0,
        "row_count": 0,
        "created_count": 0,
        "updated_count": 0,
        "skipped_count": 0,
    }
    fresh |= {"warning_count": 0, "report_size": 0, "error": "", "finished_at": None, "leased_until": None}
    stopped = Import.objects.filter(pk=source.pk).exclude(status__in=[Status.WAITING, Status.RUNNING])
    stopped.update(status=Status.WAITING, is_dry_run=is_dry_run, **fresh)
    queues.wake("default")


def go_on(source: Import) -> None:
    """Have an import that failed or was cancelled go on where it stopped."""
    stopped = Import.objects.filter(pk=source.pk, status__in=[Status.FAILED, Status.CANCELLED])
    stopped.update(status=Status.WAITING, error="", finished_at=None, leased_until=None)
    queues.wake("default")


def cancel(source: Import, now: datetime) -> None:
    """Stop before the next chunk. What was imported stays."""
    active = Import.objects.filter(pk=source.pk, status__in=[Status.UPLOADED, Status.WAITING, Status.RUNNING])
    active.update(status=Status.CANCELLED, finished_at=now)


def prune(before: datetime) -> int:
    """Delete the files of imports that ended before; their counts stay."""
    old = Import.objects.filter(finished_at__lt=before).exclude(file="", report="")
    for source in old:
        source.file.delete(save=False)
        source.report.delete(save=False)
        Import.objects.filter(pk=source.pk).update(file="", report="")
    return len(old)
