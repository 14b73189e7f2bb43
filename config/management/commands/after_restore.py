"""Makes a restored database safe to start from."""

from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from config import recovery


class Command(BaseCommand):
    help = (
        "After restoring a database by other means than `restore` (point in time, a provider's snapshot): pause every "
        "campaign and Canvas, and skip the messages that the lost installation has perhaps sent. Run it before workers."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--sent-until",
            metavar="WHEN",
            help="when the lost installation stopped sending, for example 2026-05-06T12:00+00:00. Unset: now",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        held = recovery.hold(moment(options["sent_until"]) or now, now)
        self.stdout.write(f"Paused: {held.campaigns:,} campaigns, {held.canvases:,} Canvases.")
        self.stdout.write(f"Skipped as perhaps sent: {held.skipped:,} messages.")
        self.stdout.write("Nothing is sent until somebody resumes what should go on.")


def moment(text: str | None) -> datetime | None:
    """The time that was meant; one without a zone is in TIME_ZONE. Raises CommandError for anything else."""
    if not text:
        return None
    try:
        found = parse_datetime(text)
    except ValueError:
        found = None
    if found is None:
        raise CommandError(f"--sent-until {text} is not a time. Write it as 2026-05-06T12:00+00:00.")
    return found if timezone.is_aware(found) else timezone.make_aware(found)
