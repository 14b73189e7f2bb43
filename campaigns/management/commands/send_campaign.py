"""Sends a campaign as a batch, from a shell or cron."""

import json
import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from tqdm import tqdm

from campaigns import launch
from campaigns.models import Campaign
from outreach import counters, plan, reach
from outreach.errors import OutreachError
from outreach.models import Occurrence, Status


class Command(BaseCommand):
    help = "Send a campaign now, to everybody in its audience who has not received it. Workers deliver what is planned."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("campaign", help="its name, or its number")
        parser.add_argument("--dry-run", action="store_true", help="say who would be sent to; send nothing")
        parser.add_argument("--limit", type=int, metavar="N", help="at most N profiles, chosen at random")
        parser.add_argument("--wait", action="store_true", help="follow the delivery until every message has ended")
        parser.add_argument("--json", action="store_true", help="print the totals as one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        campaign = find(options["campaign"])
        limit = options["limit"]
        if limit is not None and limit < 1:
            raise CommandError("--limit must be at least 1.")
        if options["dry_run"]:
            self.rehearse(campaign, limit)
            return
        try:
            occurrence = begin(campaign, limit)
        except OutreachError as error:
            raise CommandError("\n".join(getattr(error, "problems", [str(error)]))) from error
        planned = self.plan(campaign, occurrence)
        if options["wait"]:
            self.follow(campaign, planned)
        self.report(campaign, planned, as_json=options["json"])

    def rehearse(self, campaign: Campaign, limit: int | None) -> None:
        now = timezone.now()
        count = reach.audience(campaign, now).count()
        count = count if limit is None else min(count, limit)
        self.stdout.write(f"“{campaign.name}” would go to {count:,} profiles. Nothing was sent.")
        problems = launch.problems(campaign, now) if campaign.status == Status.DRAFT else []
        if problems:
            raise CommandError("It can't be launched yet:\n" + "\n".join(problems))

    def plan(self, campaign: Campaign, occurrence: Occurrence) -> int:
        total = reach.audience(campaign, timezone.now()).count()
        total = total if occurrence.limit is None else min(total, occurrence.limit)
        planned = 0
        with tqdm(total=total, desc="Planning", unit=" profiles", file=self.stderr._out, leave=False) as bar:
            for chunk in plan.plan(occurrence.pk, timezone.now()):
                planned += chunk.planned
                bar.update(chunk.considered)
        return planned

    def follow(self, campaign: Campaign, planned: int) -> None:
        with tqdm(total=planned, desc="Delivering", unit=" messages", file=self.stderr._out, leave=False) as bar:
            while pending := counters.totals(campaign)["pending"]:
                bar.n = max(0, planned - pending)
                bar.refresh()
                time.sleep(0.3)

    def report(self, campaign: Campaign, planned: int, *, as_json: bool) -> None:
        totals = counters.totals(campaign)
        if as_json:
            self.stdout.write(json.dumps({"campaign": campaign.pk, "planned_now": planned, **totals}))
        else:
            self.stdout.write(f"“{campaign.name}”: {planned:,} messages planned, {totals['pending']:,} waiting.")


def find(text: str) -> Campaign:
    """The campaign of this name or number. Raises CommandError where there is none, or several of the name."""
    found = list(Campaign.objects.filter(name=text).exclude(status=Status.ARCHIVED)[:2])
    if not found and text.isdigit():
        found = list(Campaign.objects.filter(pk=int(text)))
    if not found:
        raise CommandError(f"There is no campaign “{text}”. Give its exact name or its number.")
    if len(found) > 1:
        raise CommandError(
            f"Several campaigns are called “{text}”. Give the number: the last part of its page's address."
        )
    return found[0]


def begin(campaign: Campaign, limit: int | None) -> Occurrence:
    """Launch a draft, or give an active campaign one more run now. Raises OutreachError."""
    now = timezone.now()
    if campaign.status == Status.ACTIVE:
        return plan.occurrence_at(campaign, now, limit)
    campaign.start_at = None  # a batch send is now, whatever was planned
    occurrence = launch.start(campaign, now, limit)
    return occurrence or plan.occurrence_at(campaign, now, limit)
