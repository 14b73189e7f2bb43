"""What the runs of scheduled campaigns do with their audience, and the runs that tests of variants bring about."""

import heapq
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime

from campaigns import admission
from campaigns.admission import Asked
from campaigns.models import Campaign, Delivery, Limit
from outreach import arms, assignment, counters, eligibility, experiments, plan, runs
from outreach.models import Occurrence, Optimisation, Status


def first_run(campaign: Campaign, now: datetime, limit: int | None = None) -> Occurrence | None:
    """The occurrence that a launch brings about; None where the schedule has ended."""
    return runs.first_run(campaign, now, limit, _phase(campaign))


def _phase(campaign: Campaign) -> int:
    return experiments.TEST if campaign.optimisation == Optimisation.WINNER else 0


def add_runs(now: datetime) -> None:
    """Give every recurring campaign its next run, and every test the run of its winner (`plan.schedulers`)."""
    recurring = Campaign.objects.filter(status=Status.ACTIVE, delivery=Delivery.SCHEDULED).exclude(recurrence="")
    for pk in recurring.exclude(occurrences__finished_at=None).values_list("pk", flat=True):  # seldom any
        campaign = Campaign.objects.select_related("sender").get(pk=pk)
        runs.catch_up(campaign, now, _phase(campaign))
    tests = Campaign.objects.filter(
        status=Status.ACTIVE, optimisation=Optimisation.WINNER, winner_at__lte=now, decided_at=None
    )
    for campaign in tests.exclude(occurrences__finished_at=None):
        if experiments.decide(campaign, now):
            plan.occurrence_at(campaign, now, phase=experiments.WINNER)


# --- what a run does


def take_run(occurrence: Occurrence, ids: Sequence[int], now: datetime) -> int | None:
    """Plan a chunk of a run (`plan.takers`); None where it is not a campaign's."""
    campaign = Campaign.objects.select_related("sender").filter(pk=occurrence.outreach_id).first()
    if campaign is None:
        return None
    if occurrence.cursor == 0 and (limit := _limit(campaign, occurrence)) is not None:
        occurrence.rank_limit = _rank_of(campaign, occurrence, limit, now)
        occurrence.save(update_fields=["rank_limit"])
    cause = occurrence.dispatch_id or 0
    due = runs.due_times(occurrence, ids, now)
    asked = [Asked(pk, cause, due[pk]) for pk in ids if pk in due]
    result = admission.admit(
        campaign, asked, now, cause=cause, phase=occurrence.phase, rank_limit=occurrence.rank_limit
    )
    counters.add(admission.turned_away(campaign, Counter({"local_time_passed": len(ids) - len(asked)}), now))
    return result.planned


def _limit(campaign: Campaign, occurrence: Occurrence) -> int | None:
    """The most profiles this run may send to, control group aside."""
    limits = [occurrence.limit]
    if campaign.most_recipients is not None and campaign.recipients_per == Limit.RUN:
        limits.append(campaign.most_recipients)
    elif campaign.most_recipients is not None:
        limits.append(max(0, campaign.most_recipients - campaign.dispatched_count))
    found = [limit for limit in limits if limit is not None]
    return min(found) if found else None


def _rank_of(campaign: Campaign, occurrence: Occurrence, limit: int, now: datetime) -> int:
    """The rank of the last profile within the limit: a random choice, but always the same for a run."""
    ranks = (arms.rank(pk, occurrence.dispatch_id or 0) >> 1 for pk in _eligible(campaign, occurrence, now))
    best = heapq.nsmallest(limit, ranks) if limit else []
    return best[-1] if best else -1


def _eligible(campaign: Campaign, occurrence: Occurrence, now: datetime) -> Iterator[int]:
    """Everybody who would be sent to without a limit, never held in memory."""
    layout = assignment.of(campaign, list(campaign.variants.filter(is_removed=False)))
    people, after = plan.audience_of(occurrence, now), 0
    while ids := list(people.filter(pk__gt=after).order_by("pk").values_list("pk", flat=True)[: plan.CHUNK]):
        after = ids[-1]
        found = eligibility.consider(campaign, ids, admission.wait_of(campaign), now, occurrence.dispatch_id or 0)
        due = runs.due_times(occurrence, found.passing, now)
        kept = assignment.kept(campaign, found.passing)
        for pk in found.passing:
            arm = arms.arm_for(
                layout, arms.slot_of(pk, campaign.pk), kept.get(pk), has_received=pk in found.last_receipts
            )
            is_held = arm is None if occurrence.phase != experiments.WINNER else arm is not None
            if pk in due and not is_held and not (arm and arm.is_control):
                yield pk
