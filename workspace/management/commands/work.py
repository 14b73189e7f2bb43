"""A worker process."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from workspace.worker import work


class Command(BaseCommand):
    help = "Work the given queues until SIGTERM or Ctrl-C, which let what is under way finish."
    requires_system_checks: list[str] = []  # of the pages, which a worker has no use for; `run` and `check` ask them

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("queues", nargs="+", metavar="QUEUE", help=", ".join(settings.RQ_QUEUES))

    def handle(self, *args: Any, **options: Any) -> None:
        unknown = [name for name in options["queues"] if name not in settings.RQ_QUEUES]
        if unknown:
            raise CommandError(f"There is no queue {', '.join(unknown)}. Queues: {', '.join(settings.RQ_QUEUES)}.")
        work(options["queues"])
