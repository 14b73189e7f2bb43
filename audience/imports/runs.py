"""Runs imports chunk by chunk. A chunk's rows, its counts and where the next one begins are one transaction."""

import itertools
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, BinaryIO, cast

from django.db import OperationalError, transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from audience.imports import report, setup
from audience.imports.columns import Columns
from audience.imports.errors import BadRow, UnusableFile
from audience.imports.report import Remark
from audience.imports.rows import Row, rows
from audience.ingest import Batch, check, track
from audience.models import Import, ImportedProfile, Segment
from workspace import queues

logger = logging.getLogger(__name__)

Status = Import.Status
CHUNK = 1_000  # rows
LEASE = timedelta(seconds=60)
SLICE_SECONDS = 5.0  # then other jobs of the queue have their turn


class Superseded(Exception):
    """Somebody cancelled the import, or another worker took it over: the chunk is not stored."""


@dataclass
class Outcome:
    """What became of a chunk's rows. `remarks` are (row, whether it was left out, sentence)."""

    created: int = 0
    updated: int = 0
    profiles: set[int] = field(default_factory=set)
    remarks: list[Remark] = field(default_factory=list)

    @property
    def skipped(self) -> int:
        return sum(is_left_out for _row, is_left_out, _text in self.remarks)


def run_waiting(stopping: Callable[[], bool]) -> None:
    """Work on the oldest import that waits, or that died, for a few seconds; then others have their turn."""
    deadline = time.monotonic() + SLICE_SECONDS
    while not stopping() and time.monotonic() < deadline and (source := _take(timezone.now())):
        for _done in run(source):
            if stopping() or time.monotonic() > deadline:
                break
        _give_back(source)
    if _waiting(timezone.now()).exists():
        queues.wake("default")


def _waiting(now: datetime) -> Any:
    is_free = Q(leased_until=None) | Q(leased_until__lte=now)
    return Import.objects.filter(is_free, status__in=[Status.WAITING, Status.RUNNING]).order_by("created_at", "pk")


def _take(now: datetime) -> Import | None:
    """Lease the next import that is free and whose file this machine has."""
    for source in _waiting(now):
        if source.file.storage.exists(source.file.name):
            free = _waiting(now).filter(pk=source.pk)
            if free.update(status=Status.RUNNING, leased_until=now + LEASE):
                source.refresh_from_db()
                return source
        else:
            logger.warning("import=%s file is not on this machine", source.pk)
    return None


def lease(source: Import, now: datetime) -> bool:
    """Take this very import, waiting or dead; whether it was free."""
    if not _waiting(now).filter(pk=source.pk).update(status=Status.RUNNING, leased_until=now + LEASE):
        return False
    source.refresh_from_db()
    return True


def _give_back(source: Import) -> None:
    """Leave an unfinished import to whoever comes next."""
    if source.leased_until:
        mine = Import.objects.filter(pk=source.pk, status=Status.RUNNING, leased_until=source.leased_until)
        mine.update(leased_until=None)


def run(source: Import) -> Iterator[Import]:
    """Import a leased file chunk by chunk, from where it stands to its end; the import as it is after each.

    A fault of the file, or of ours, ends it as failed. A database that is away leaves it to be taken up again.
    """
    try:
        with source.file.open("rb") as file:
            yield from _run(source, cast(BinaryIO, file))
    except Superseded:
        source.refresh_from_db()
        source.leased_until = None  # not ours any more
    except UnusableFile as error:
        _finish(source, Status.FAILED, str(error))
    except OperationalError:
        logger.exception("import=%s stopped; it goes on when its lease is over", source.pk)
    except Exception as error:
        logger.exception("import=%s failed", source.pk)
        _finish(source, Status.FAILED, f"{type(error).__name__}: {error}")


def _run(source: Import, file: BinaryIO) -> Iterator[Import]:
    if not source.encoding or not source.size:
        setup.examine(source)
    known = setup.header(source, file)
    if source.position == 0:
        first = next(rows(file, source.encoding))
        source.position, source.line = first.end, first.end_line
    reader = rows(file, source.encoding, source.position, source.line)
    while chunk := [*itertools.islice(reader, CHUNK)]:
        _take_chunk(source, known, chunk)
        yield source
    _finish(source, Status.PARTIAL if source.skipped_count else Status.COMPLETE)
    yield source


def _take_chunk(source: Import, known: Columns, chunk: Sequence[Row]) -> None:
    now = timezone.now()
    with transaction.atomic():
        outcome = _store(source, known, chunk, now)
        report_size = report.append(source, outcome.remarks) if outcome.remarks else source.report_size
        changes: dict[str, Any] = {"position": chunk[-1].end, "line": chunk[-1].end_line, "report_size": report_size}
        changes |= {"encoding": source.encoding, "size": source.size, "report": source.report.name}
        mine = Import.objects.filter(pk=source.pk, status=Status.RUNNING, leased_until=source.leased_until)
        counted = {
            "row_count": F("row_count") + len(chunk),
            "created_count": F("created_count") + outcome.created,
            "updated_count": F("updated_count") + outcome.updated,
            "skipped_count": F("skipped_count") + outcome.skipped,
            "warning_count": F("warning_count") + len(outcome.remarks) - outcome.skipped,
        }
        if not mine.update(leased_until=now + LEASE, **changes, **counted):
            raise Superseded
    source.refresh_from_db()


def _store(source: Import, known: Columns, chunk: Sequence[Row], now: datetime) -> Outcome:
    outcome = Outcome()
    taken: list[tuple[Row, dict[str, Any]]] = []
    for row in chunk:
        try:
            if row.fault:
                raise BadRow(row.fault)
            asked, left_out = known.read(row.cells)
        except BadRow as error:
            outcome.remarks.append((row, True, str(error)))
            continue
        taken.append((row, asked))
        outcome.remarks += [(row, False, sentence) for sentence in left_out]
    is_events = source.content == Import.Content.EVENTS
    objects = {"events" if is_events else "attributes": [asked for _row, asked in taken]}
    batch = check(**objects, now=now) if source.is_dry_run else track(
        **objects, now=now, may_trigger=source.may_trigger)  # fmt: skip
    _judge(outcome, batch, taken, is_events)
    if not source.is_dry_run:
        ImportedProfile.objects.bulk_create(
            [ImportedProfile(source=source, profile_id=pk) for pk in sorted(outcome.profiles)], ignore_conflicts=True
        )
    return outcome


def _judge(outcome: Outcome, batch: Batch, taken: Sequence[tuple[Row, Any]], is_events: bool) -> None:
    """Sort what the ingestion said: rows left out, values left out, profiles made and changed."""
    array = "events" if is_events else "attributes"
    read = {item.index for item in (batch.events if is_events else batch.attributes)}
    left_out: dict[int, str] = {}
    for error in batch.errors:
        if is_events or error.index not in read:
            left_out.setdefault(error.index, error.type)
        else:
            outcome.remarks.append((taken[error.index][0], False, error.type))
    for index, (row, _asked) in enumerate(taken):
        if index not in left_out and (array, index) not in batch.profiles:
            left_out[index] = _("names no profile that is there")
        if index in left_out:
            outcome.remarks.append((row, True, left_out[index]))
    stored = [batch.profiles[array, index] for index in range(len(taken)) if index not in left_out]
    outcome.profiles = {*stored}
    outcome.created = len(outcome.profiles & batch.created)
    outcome.updated = len(stored) - outcome.created


def _finish(source: Import, status: str, error: str = "") -> None:
    mine = Import.objects.filter(pk=source.pk, status=Status.RUNNING, leased_until=source.leased_until)
    if mine.update(status=status, error=error, finished_at=timezone.now(), leased_until=None):
        logger.info("import=%s %s", source.pk, status)
        if source.makes_segment and not source.is_dry_run and status in (Status.COMPLETE, Status.PARTIAL):
            _make_segment(source)
    source.refresh_from_db()


def _make_segment(source: Import) -> None:
    name, number = source.name[:240], 1
    while Segment.objects.filter(name=name).exists():
        number += 1
        name = f"{source.name[:240]} ({number})"
    Segment.objects.create(name=name, filters={"filter": "imported", "op": "in", "ids": [source.pk]})
