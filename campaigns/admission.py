"""Lets profiles be sent to: the checks of the campaigns specification, section 8.1, then a message for each.

Runs of a schedule, events and API calls end here; they say who, why and when (`Asked`), nothing more.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F

from campaigns.models import Campaign, Limit
from outreach import arms, assignment, counters, eligibility, experiments, messages
from outreach.counters import Key
from outreach.messages import Target
from outreach.models import Metric, Variant
from workspace.queues import wake


@dataclass(frozen=True, slots=True)
class Asked:
    """Somebody to send to for the reason `cause` (a dispatch), due at that time."""

    profile_id: int
    cause: int
    due_at: datetime
    context: Mapping[str, Any] | None = None


@dataclass(slots=True)
class Admitted:
    """Messages made by variant id, and why the others got none."""

    made: Counter[int] = field(default_factory=Counter)
    refused: dict[int, str] = field(default_factory=dict)

    @property
    def planned(self) -> int:
        return sum(self.made.values())


def wait_of(campaign: Campaign) -> timedelta | None:
    """How long after a receipt the campaign may be received again; None for never."""
    return timedelta(seconds=campaign.reeligible_seconds) if campaign.is_reeligible else None


def admit(
    campaign: Campaign,
    asked: Sequence[Asked],
    now: datetime,
    *,
    cause: int = 0,
    phase: int = 0,
    rank_limit: int | None = None,
) -> Admitted:
    """Make the messages of those who may receive one, and count everybody. Call it in a transaction.

    `cause` is the one reason all of them share, if they do: what was made for it before is not held against anybody.
    `rank_limit` is the highest rank (`arms.rank` with that cause) that is still within a run's limit.
    """
    eligibility.lock(campaign, [each.profile_id for each in asked])
    considered = eligibility.consider(campaign, [each.profile_id for each in asked], wait_of(campaign), now, cause)
    result = Admitted(refused=dict(considered.refused))
    variants = list(campaign.variants.filter(is_removed=False))
    chosen = _arms(campaign, variants, considered.passing, considered.last_receipts, cause, phase, now)
    controls = {variant.pk for variant in variants if variant.is_control}
    result.refused |= {pk: "held_for_winner" for pk in considered.passing if pk not in chosen}
    targets = [
        Target(each.profile_id, chosen[each.profile_id], each.cause, each.due_at, each.context)
        for each in asked
        if each.profile_id in chosen
    ]
    targets = _within_limits(campaign, targets, controls, result, cause, rank_limit)
    targets = _in_time(campaign, targets, result)
    result.made = messages.make(campaign, variants, targets)
    _count(campaign, result, len({t.profile_id for t in targets if t.variant_id not in controls}), now)
    wake("deliver")
    return result


def _arms(
    campaign: Campaign,
    variants: Sequence[Variant],
    ids: Sequence[int],
    received: Collection[int],
    cause: int,
    phase: int,
    now: datetime,
) -> dict[int, int]:
    if phase == experiments.WINNER:
        return experiments.assign_winner(campaign, variants, ids, now)
    return assignment.assign(campaign, variants, ids, received, cause, now)


def _within_limits(
    campaign: Campaign,
    targets: Sequence[Target],
    controls: Collection[int],
    result: Admitted,
    cause: int,
    rank_limit: int | None,
) -> list[Target]:
    """Those within the maximum number of recipients; who is in the control group uses no place."""
    room = _room(campaign, rank_limit)
    kept: list[Target] = []
    for target in targets:
        is_ranked_out = rank_limit is not None and arms.rank(target.profile_id, cause) >> 1 > rank_limit
        if target.variant_id not in controls and (is_ranked_out or room == 0):
            result.refused[target.profile_id] = "volume_limit"
            continue
        if target.variant_id not in controls and room is not None:
            room -= 1
        kept.append(target)
    return kept


def _room(campaign: Campaign, rank_limit: int | None) -> int | None:
    """The places left, under a lock; None for any number, or where a run's ranks decide."""
    if campaign.most_recipients is None or campaign.recipients_per == Limit.RUN or rank_limit is not None:
        return None
    used = (
        Campaign.objects.select_for_update(of=("self",)).values_list("dispatched_count", flat=True).get(pk=campaign.pk)
    )
    return max(0, campaign.most_recipients - used)


def _in_time(campaign: Campaign, targets: Sequence[Target], result: Admitted) -> list[Target]:
    late = {t.profile_id for t in targets if campaign.end_at and t.due_at > campaign.end_at}
    result.refused |= dict.fromkeys(late, "outside_duration")
    return [target for target in targets if target.profile_id not in late]


def _count(campaign: Campaign, result: Admitted, dispatched: int, now: datetime) -> None:
    if dispatched and result.made:
        Campaign.objects.filter(pk=campaign.pk).update(dispatched_count=F("dispatched_count") + dispatched)
    day = counters.today(now)
    counts = {Key(campaign.pk, day, variant, 0, Metric.PLANNED): number for variant, number in result.made.items()}
    counters.add(counts | turned_away(campaign, Counter(result.refused.values()), now))


def turned_away(campaign: Campaign, reasons: Mapping[str, int], now: datetime) -> dict[Key, int]:
    """Counts of those for whom no message was made, by reason."""
    day = counters.today(now)
    return {Key(campaign.pk, day, 0, 0, Metric.TURNED_AWAY, reason): number for reason, number in reasons.items()}
