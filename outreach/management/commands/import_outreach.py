"""Makes campaigns, Canvases and segments from JSON files: all of them, or nothing.

Exit status: 0 all is well; 1 a file can't be used, and nothing was made; 2 they were made (with --dry-run: would be),
but refer to something that is not here.
"""

import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from workspace import files
from workspace.files.document import MOST_BYTES

LACKING = 2


class Command(BaseCommand):
    help = (
        "Make campaigns, Canvases and segments from files that export_outreach wrote; campaigns and Canvases arrive as "
        "drafts. A segment that is here already with the same rules is taken as it is. "
        "Exit status: 0 fine, 1 nothing was made, 2 made, but something they refer to is not here."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", nargs="+", type=Path)
        parser.add_argument("--dry-run", action="store_true", help="say what would be made; make nothing")
        parser.add_argument("--json", action="store_true", help="print the outcome as one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            documents = self.documents(options["file"])
            made = files.rehearse(documents) if options["dry_run"] else files.make(documents)
        except files.BadFile as error:
            if options["json"]:
                self.stdout.write(json.dumps({"error": "\n".join(error.problems), "problems": error.problems}))
            raise CommandError("\n".join(error.problems)) from error
        self.report(made, as_json=options["json"], is_made=not options["dry_run"])
        if any(each.lacking for each in made):
            sys.exit(LACKING)

    def documents(self, paths: list[Path]) -> files.Documents:
        """The documents of all files; each problem is told with its file."""
        found, problems = [], []
        for path in paths:
            try:
                with path.open("rb") as file:
                    read = files.read(file.read(MOST_BYTES + 1))
                found += [(f"{path}: {place}", kind, document) for place, kind, document in read]
            except OSError as error:
                problems.append(f"{path}: {error.strerror}")
            except files.BadFile as error:
                problems += [f"{path}: {problem}" for problem in error.problems]
        if problems:
            raise files.BadFile(problems)
        return found

    def report(self, made: list[files.Made], *, as_json: bool, is_made: bool) -> None:
        if as_json:
            rows = [
                {
                    "kind": each.kind.key,
                    "name": each.row.name,
                    "id": each.row.pk if is_made or each.is_old else None,
                    "was_here": each.is_old,
                    "lacking": list(each.lacking),
                }
                for each in made
            ]
            self.stdout.write(json.dumps({"made": is_made, "documents": rows}))
            return
        for each in made:
            said = "is here already" if each.is_old else "was made" if is_made else "would be made"
            self.stdout.write(f"{each.kind.label} “{each.row.name}” {said}: {', '.join(each.facts)}")
            for line in each.lacking:
                self.stdout.write(f"  look after: {line}")
