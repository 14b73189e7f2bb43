"""Sends failed messages again, from a shell."""

import json
from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from webhooks import replay
from webhooks.models import Sender


class Command(BaseCommand):
    help = "Make failed messages pending again. Workers deliver them, under the same webhook-id as before."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--sender", help="name of the campaign or Canvas, or the sender's number")
        parser.add_argument("--host", default="", help="only messages to this host")
        parser.add_argument("--reason", default="", help="only with this reason, for example http_503")
        parser.add_argument("--status", type=int, help="only with this last status code")
        parser.add_argument("--hours", type=float, help="only what failed in the last HOURS hours")
        parser.add_argument("--dry-run", action="store_true", help="say how many; send nothing")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        if options["hours"] is not None and options["hours"] <= 0:
            raise CommandError("--hours must be more than 0.")
        wanted = replay.Filter(
            sender=self.sender(options["sender"]),
            host=options["host"],
            reason=options["reason"],
            status=options["status"],
            since=now - timedelta(hours=options["hours"]) if options["hours"] else None,
        )
        ids = list(replay.failed(wanted).values_list("pk", flat=True))
        count = 0 if options["dry_run"] else replay.again(ids, now)
        if options["json"]:
            self.stdout.write(json.dumps({"found": len(ids), "retried": count}))
        elif options["dry_run"]:
            self.stdout.write(f"{len(ids):,} failed messages would be sent again. Nothing was changed.")
        else:
            self.stdout.write(f"{count:,} failed messages are sent again.")

    def sender(self, named: str | None) -> int | None:
        if named is None:
            return None
        found = Sender.objects.filter(pk=int(named)) if named.isdigit() else Sender.objects.filter(name=named)
        if len(found) != 1:
            raise CommandError(f"There are {len(found)} senders named “{named}”.")
        return int(found[0].pk)
