"""Imports profiles from a CSV file."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from tqdm import tqdm

from audience.csv_import import Result, UnusableFile, load

SHOWN = 20  # problems


class Command(BaseCommand):
    help = "Create and update profiles from a CSV file with the column external_id. Bad rows are named and left out."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--dry-run", action="store_true", help="check the rows; store nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["file"]
        if not path.is_file():
            raise CommandError(f"There is no file {path}.")
        result = Result()
        try:
            with path.open(encoding="utf-8-sig", newline="") as file, tqdm(unit=" rows", leave=False) as bar:
                for result in load(file, timezone.now(), is_dry_run=options["dry_run"]):
                    bar.update(result.rows - bar.n)
        except UnusableFile as error:
            raise CommandError(str(error)) from error
        except UnicodeDecodeError as error:
            raise CommandError(f"{path} is not UTF-8: {error}. Save it as UTF-8 and try again.") from error
        self.report(result, is_dry_run=options["dry_run"])

    def report(self, result: Result, *, is_dry_run: bool) -> None:
        for line, problem in result.problems[:SHOWN]:
            self.stderr.write(f"line {line}: {problem}")
        if len(result.problems) > SHOWN:
            self.stderr.write(f"… and {len(result.problems) - SHOWN:,} more")
        verb = "would be imported" if is_dry_run else "imported"
        self.stdout.write(f"{result.stored:,} of {result.rows:,} rows {verb}, {result.created:,} profiles are new.")
        if result.problems:
            raise CommandError(f"{len(result.problems):,} rows were left out.")
