"""Writes the profiles of a segment as CSV."""

import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from tqdm import tqdm

from audience import exports, segments
from audience.models import Segment


class Command(BaseCommand):
    help = "Write the profiles that are in a segment now as CSV, with all their attributes."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("segment", help="name or ID")
        parser.add_argument("--output", type=Path, help="a file that is not there yet; by default standard output")
        parser.add_argument("--columns", help="custom attributes, separated by commas; by default all that are known")
        parser.add_argument("--json", action="store_true", help="with --output: print the outcome as one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["json"] and options["output"] is None:
            raise CommandError("--json says what was written to a file: it needs --output.")
        segment, now = self.found(options["segment"]), timezone.now()
        if problems := segments.problems([segment], {}, now):
            raise CommandError(" ".join(problem.sentence for problem in problems))
        custom = options["columns"].split(",") if options["columns"] else exports.known_attributes()
        lines = exports.lines(segments.members([segment], {}, now), custom)
        if options["output"] is None:
            for line in lines:
                self.stdout.write(line, ending="")
            return
        count = self.write(lines, options["output"])
        if options["json"]:
            outcome = {"segment": segment.pk, "profiles": count, "file": str(options["output"])}
            self.stdout.write(json.dumps(outcome))
        else:
            self.stdout.write(f"{count:,} profiles written to {options['output']}.")

    def found(self, text: str) -> Segment:
        named = [*Segment.objects.filter(name=text)]
        if not named and text.isdecimal():
            named = [*Segment.objects.filter(pk=int(text))]
        if not named:
            raise CommandError(f"There is no segment “{text}”.")
        return named[0]

    def write(self, lines: Any, path: Path) -> int:
        """Write the file whole or not at all; the number of profiles."""
        if path.exists():
            raise CommandError(f"{path} is there already.")
        count = -1  # the header
        part = path.with_name(path.name + ".part")
        with (
            part.open("w", encoding="utf-8", newline="") as file,
            tqdm(unit=" profiles", file=sys.stderr, leave=False) as bar,
        ):
            for line in lines:
                file.write(line)
                count += 1
                bar.update()
        part.rename(path)
        return count
