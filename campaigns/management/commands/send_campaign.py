"""Sends a campaign as a batch, from a shell or cron.

Exit status: 0 all is well; 1 it could not be sent, and nothing was; 2 it was followed to its end (`--wait`) and some
messages failed; 3 there was nobody to send to.
"""

import json
import sys
import time
from argparse import ArgumentParser
from collections.abc import Mapping
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone
from tqdm import tqdm

from audience import segments
from audience.models import Segment
from campaigns import forecast, launch
from campaigns.models import Campaign
from outreach import counters, plan, reach
from outreach.errors import NotLaunchable, OutreachError
from outreach.models import Dispatch, Occurrence, Outreach, Status

FAILED, NOBODY = 2, 3


class Command(BaseCommand):
    help = (
        "Send a campaign now, to everybody in its audience who may receive it. Workers deliver what is planned. "
        "Exit status: 0 fine, 1 not sent, 2 some messages failed (with --wait), 3 nobody to send to."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("campaign", help="its name, or its number")
        parser.add_argument("--dry-run", action="store_true", help="say who would be sent to; send nothing")
        parser.add_argument("--segment", metavar="S", help="only those who are in this segment too (name or number)")
        parser.add_argument("--limit", type=int, metavar="N", help="at most N profiles, chosen at random")
        parser.add_argument("--wait", action="store_true", help="follow the delivery until every message has ended")
        parser.add_argument("--json", action="store_true", help="print the outcome as one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            status = self.send(options)
        except CommandError as error:
            if options["json"]:
                self.stdout.write(json.dumps({"error": str(error)}))
            raise
        if status:
            sys.exit(status)

    def send(self, options: Mapping[str, Any]) -> int:
        campaign, limit = find(options["campaign"]), options["limit"]
        if limit is not None and limit < 1:
            raise CommandError("--limit must be at least 1.")
        narrower = narrowed_to(options["segment"])
        if options["dry_run"]:
            return self.rehearse(campaign, narrower, limit, as_json=options["json"])
        try:
            occurrence = begin(campaign, limit, narrower)
        except OutreachError as error:
            raise CommandError("\n".join(getattr(error, "problems", [str(error)]))) from error
        planned = self.plan(occurrence)
        if options["wait"]:
            self.follow(campaign, planned)
        return self.report(campaign, planned, as_json=options["json"], waited=options["wait"])

    def rehearse(
        self, campaign: Campaign, narrower: Mapping[str, Any] | None, limit: int | None, *, as_json: bool
    ) -> int:
        now = timezone.now()
        problems = launch.problems(campaign, now) if campaign.status == Status.DRAFT else []
        people = reach.audience(campaign, now)
        people = people & segments.members((), narrower, now) if narrower else people
        seen = forecast.of(campaign, now, people)
        count = seen.reached if limit is None else min(seen.reached, limit)
        if as_json:
            left_out = dict(seen.left_out)
            outcome = {"campaign": campaign.pk, "would_send_to": count, "audience": seen.audience, "left_out": left_out}
            self.stdout.write(json.dumps(outcome | {"problems": [str(problem) for problem in problems]}))
        else:
            self.stdout.write(f"“{campaign.name}” would go to {count:,} profiles. Nothing was sent.")
            for reason, number in seen.left_out:
                self.stdout.write(f"  left out: {number:,} {reason}")
        if problems:
            raise CommandError("It can't be launched yet:\n" + "\n".join(problems))
        return 0 if count else NOBODY

    def plan(self, occurrence: Occurrence) -> int:
        """Plan the run, or watch a worker that was quicker; the number of messages made."""
        total = plan.audience_of(occurrence, timezone.now()).count()
        with tqdm(total=total, desc="Planning", unit=" profiles", file=self.stderr._out, leave=False) as bar:
            while True:
                for chunk in plan.plan(occurrence.pk, timezone.now()):
                    bar.update(chunk.considered)
                occurrence.refresh_from_db()
                if occurrence.finished_at or Outreach.objects.get(pk=occurrence.outreach_id).status != Status.ACTIVE:
                    return occurrence.planned_count
                time.sleep(0.1)

    def follow(self, campaign: Campaign, planned: int) -> None:
        with tqdm(total=planned, desc="Delivering", unit=" messages", file=self.stderr._out, leave=False) as bar:
            while pending := counters.totals(campaign)["pending"]:
                bar.n = max(0, planned - pending)
                bar.refresh()
                time.sleep(0.3)

    def report(self, campaign: Campaign, planned: int, *, as_json: bool, waited: bool) -> int:
        totals = counters.totals(campaign)
        if as_json:
            self.stdout.write(json.dumps({"campaign": campaign.pk, "planned_now": planned, **totals}))
        else:
            self.stdout.write(f"“{campaign.name}”: {planned:,} messages planned, {totals['pending']:,} waiting.")
        if not planned:
            return NOBODY
        return FAILED if waited and totals["failed"] else 0


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


def narrowed_to(text: str | None) -> dict[str, Any] | None:
    """A filter tree for a segment's name or number. Raises CommandError where there is none, or it can't be used."""
    if not text:
        return None
    found = Segment.objects.filter(name=text).first()
    if found is None and text.isdigit():
        found = Segment.objects.filter(pk=int(text)).first()
    if found is None:
        raise CommandError(f"There is no segment “{text}”.")
    if problems := segments.problems([found], {}, timezone.now()):
        raise CommandError(" ".join(problem.sentence for problem in problems))
    return {"filter": "segment", "op": "in", "segments": [found.pk]}


def begin(campaign: Campaign, limit: int | None, narrower: Mapping[str, Any] | None) -> Occurrence:
    """Launch a draft, or give an active campaign one more run now. Raises OutreachError.

    Workers see the run only with its narrower audience: one that planned it before would send to everybody.
    """
    now = timezone.now()
    is_draft = campaign.status != Status.ACTIVE
    if is_draft:
        campaign.start_at = None  # a batch send is now, whatever was planned
        if found := launch.problems(campaign, now):
            raise NotLaunchable(found)
    with transaction.atomic():
        if is_draft:
            launch.go(campaign, now, limit)
        occurrence = plan.occurrence_at(campaign, now, limit)
        if narrower:
            Dispatch.objects.filter(occurrence=occurrence).update(audience=narrower)
    occurrence.refresh_from_db()
    return occurrence
