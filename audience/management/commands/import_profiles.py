"""Imports profiles or events from a CSV file."""

import csv
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.files import File
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from tqdm import tqdm

from audience.imports import encodings, runs, setup
from audience.imports.columns import TYPES
from audience.imports.errors import UnusableFile
from audience.models import Import

SHOWN = 20  # problems


class Command(BaseCommand):
    help = (
        "Create and update profiles from a CSV file whose first row names the columns (external_id, email, plan, "
        "points:number …). Bad rows are named and left out. One that was interrupted goes on with --resume ID, or by "
        "itself where workers run."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, nargs="?")
        parser.add_argument("--dry-run", action="store_true", help="check the rows; store nothing")
        parser.add_argument("--events", action="store_true", help="the file holds events, not profiles")
        parser.add_argument("--encoding", choices=[name for name, _label in encodings.CHOICES], default="")
        parser.add_argument("--type", action="append", default=[], metavar="COLUMN=TYPE", help=str(dict(TYPES)))
        parser.add_argument("--resume", type=int, metavar="ID", help="go on with an import that was interrupted")

    def handle(self, *args: Any, **options: Any) -> None:
        source = self.resumed(options["resume"]) if options["resume"] else self.uploaded(options)
        if not runs.lease(source, timezone.now()):
            raise CommandError(f"Import {source.pk} is {source.get_status_display()}, or another process runs it.")
        with tqdm(unit=" rows", leave=False, initial=source.row_count) as bar:
            for done in runs.run(source):
                bar.update(done.row_count - bar.n)
        self.report(source)

    def resumed(self, pk: int) -> Import:
        source = Import.objects.filter(pk=pk).first()
        if source is None:
            raise CommandError(f"There is no import {pk}.")
        setup.go_on(source)
        return source

    def uploaded(self, options: dict[str, Any]) -> Import:
        path: Path | None = options["file"]
        if path is None or not path.is_file():
            raise CommandError(f"There is no file {path}.")
        content = Import.Content.EVENTS if options["events"] else Import.Content.PROFILES
        source = Import(name=path.name, content=content, is_dry_run=options["dry_run"], encoding=options["encoding"])
        source.column_types = dict(self.column_type(text) for text in options["type"])
        with path.open("rb") as file:
            source.file.save(path.name, File(file), save=False)
        try:
            setup.examine(source)
        except UnusableFile as error:
            source.file.delete(save=False)
            raise CommandError(str(error)) from error
        source.status = Import.Status.WAITING
        source.save()
        return source

    def column_type(self, text: str) -> tuple[str, str]:
        name, equals, kind = text.rpartition("=")
        if not equals or kind not in dict(TYPES):
            raise CommandError(f"--type {text}: write COLUMN=TYPE, the type one of {', '.join(dict(TYPES))}.")
        return name, kind

    def report(self, source: Import) -> None:
        for line in self.problems(source)[:SHOWN]:
            self.stderr.write(line)
        left_out = source.skipped_count + source.warning_count
        if left_out > SHOWN:
            self.stderr.write(f"… and {left_out - SHOWN:,} more in {source.report.path}")
        stored = source.created_count + source.updated_count
        verb = "would be imported" if source.is_dry_run else "imported"
        self.stdout.write(f"{stored:,} of {source.row_count:,} rows {verb}, {source.created_count:,} profiles are new.")
        if source.status == Import.Status.FAILED:
            raise CommandError(f"The import failed: {source.error} Go on with --resume {source.pk}.")
        if source.skipped_count:
            raise CommandError(f"{source.skipped_count:,} rows were left out.")

    def problems(self, source: Import) -> list[str]:
        if not source.report:
            return []
        with open(source.report.path, encoding="utf-8-sig", newline="") as file:
            return [f"line {line}: {reason}" for line, _kind, reason, *_row in list(csv.reader(file))[1:]]
