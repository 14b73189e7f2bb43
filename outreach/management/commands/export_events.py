"""Writes a day's message events as JSON lines."""

import sys
from argparse import ArgumentParser
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from audience.times import parse_date
from outreach import shipping, stream, zones


class Command(BaseCommand):
    help = "Write the message events of a day (default: yesterday, in the workspace's zone) as JSON lines."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("day", nargs="?", help="YYYY-MM-DD")
        parser.add_argument("--output", help="a file; default: standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        yesterday = timezone.now().astimezone(zones.company()).date() - timedelta(days=1)
        day = parse_date(options["day"]) if options["day"] else yesterday
        if day is None:
            raise CommandError(f"{options['day']} is not a day. Write it as 2026-03-31.")
        if not stream.is_on():
            raise CommandError("Nothing is noted: set EVENTS_OUT_DAYS to the number of days to keep events.")
        if options["output"]:
            with Path(options["output"]).open("w", encoding="utf-8") as file:
                file.writelines(shipping.of_day(day))
        else:
            sys.stdout.writelines(shipping.of_day(day))
