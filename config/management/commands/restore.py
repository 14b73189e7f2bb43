"""Fills an empty database from a backup."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from config import backup


class Command(BaseCommand):
    help = "Fill the empty database of the settings from FILE. Stop every process of Hookline first."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--was-stopped",
            action="store_true",
            help="nothing was sent after the backup was made: go on exactly where it stood",
        )
        parser.add_argument("--sent-until", metavar="WHEN", help="see after_restore")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            backup.restore(options["file"])
        except (backup.BackupFailed, OSError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write("Restored.")
        call_command("migrate", verbosity=0, stdout=self.stdout)
        if not options["was_stopped"]:
            call_command("after_restore", sent_until=options["sent_until"], stdout=self.stdout)
