"""Seals all stored secrets under the newest key."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from webhooks import resealing
from workspace.secrets import UnreadableSecret


class Command(BaseCommand):
    help = "Seal every stored secret under the first key of CREDENTIALS_KEY; the others may be taken away afterwards."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            count = resealing.reseal_all()
        except UnreadableSecret as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{count:,} rows are sealed under the newest key.")
