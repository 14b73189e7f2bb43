"""Keeps the catalogues in `locale/` up to date with the texts, and says what is still missing."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from config.languages import catalog


class Command(BaseCommand):
    help = "Gather the texts of code and templates into locale/LANGUAGE, compile it, and list what has no translation."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("language", nargs="?", default="ko")
        parser.add_argument("--check", action="store_true", help="change nothing; fail if something is missing")

    def handle(self, *args: Any, **options: Any) -> None:
        language: str = options["language"]
        if not options["check"]:
            catalog.update(language)
        missing = catalog.missing(language)
        for text in missing:
            self.stdout.write(repr(text))
        if missing:
            raise CommandError(f"{len(missing)} texts have no {language} translation in {catalog.path_of(language)}")
        self.stdout.write(f"Every text has its {language} translation.")
