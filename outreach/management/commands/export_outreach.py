"""Writes campaigns, Canvases and segments as JSON files, for version control.

Exit status: 0 all is well; 1 something asked for is not there.
"""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.text import slugify

from workspace import files


class Command(BaseCommand):
    help = (
        "Write a campaign, Canvas or segment as JSON: by name, without ids and secrets, the same bytes each time. "
        "With --all: everything that is not archived, one file each."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("kind", nargs="?", choices=[*files.kinds])
        parser.add_argument("name", nargs="*", help="names, or numbers")
        parser.add_argument("--all", action="store_true", help="all of the kind, or of every kind; needs --to")
        parser.add_argument("--to", type=Path, metavar="FOLDER", help="write one file each; else to standard output")
        parser.add_argument("--json", action="store_true", help="with --to: print what was written as one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        folder: Path | None = options["to"]
        if options["all"] == bool(options["name"]) or (not options["all"] and not options["kind"]):
            raise CommandError("Say what: a kind and names, or --all.")
        if folder is None and (options["all"] or options["json"]):
            raise CommandError("Name a folder with --to.")
        wanted = [options["kind"]] if options["kind"] else [*files.kinds]
        found = [(files.kinds[key], row) for key in wanted for row in self.rows(files.kinds[key], options)]
        if folder is None:
            self.stdout.write(files.write([kind.document(row) for kind, row in found]).decode(), ending="")
            return
        written = self.write(found, folder)
        if options["json"]:
            self.stdout.write(json.dumps({"files": written}))
        else:
            self.stdout.write(f"{len(written)} files written to {folder}.")

    def rows(self, kind: files.Kind, options: dict[str, Any]) -> list[Any]:
        if options["all"]:
            return list(kind.rows().order_by("name", "pk"))
        return [self.found(kind, name) for name in options["name"]]

    def found(self, kind: files.Kind, text: str) -> Any:
        rows = list(kind.rows().filter(name=text)[:2])
        if not rows and text.isdecimal():
            rows = list(kind.rows().filter(pk=int(text)))
        if not rows:
            raise CommandError(f"There is no {kind.label} “{text}”. Give its exact name or its number.")
        if len(rows) > 1:
            raise CommandError(f"Several are called “{text}”. Give the number: the last part of its page's address.")
        return rows[0]

    def write(self, found: list[tuple[files.Kind, Any]], folder: Path) -> list[str]:
        """One file each, named for what it holds; a name that is taken gets a number."""
        folder.mkdir(parents=True, exist_ok=True)
        written: list[str] = []
        for kind, row in found:
            name = f"{kind.key}-{slugify(row.name, allow_unicode=True)[:100] or 'unnamed'}"
            numbered = (f"{name}.json" if n == 1 else f"{name}-{n}.json" for n in range(1, len(found) + 1))
            file = next(each for each in numbered if each not in written)
            (folder / file).write_bytes(files.write([kind.document(row)]))
            written.append(file)
        return written
