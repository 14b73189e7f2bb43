"""What a launch would do now: how many people, and how many of them are left out by which setting."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import QuerySet

from audience import segments
from audience.models import BUCKETS, Profile, SubscriptionState
from campaigns import admission
from campaigns.models import Campaign, Delivery
from outreach import arms, assignment, checks, eligibility, reach, reasons, runs, schedule, zones
from outreach.controls import Controls, quiet_window
from outreach.models import Status, Subscribed

SAMPLE = 100  # of the 10,000 random buckets
SMALL = segments.SMALL


@dataclass(frozen=True, slots=True)
class Forecast:
    """`low` to `high` people in the audience of `everybody`; of those `left_out` by reason, and so many `reached`."""

    everybody: int
    low: int
    high: int
    left_out: list[tuple[str, int]]
    is_exact: bool
    zones_past: list[tuple[str, int]] = field(
        default_factory=list
    )  # local time: where it is too late, and for how many

    @property
    def audience(self) -> int:
        return (self.low + self.high) // 2

    @property
    def reached(self) -> int:
        return max(0, self.audience - sum(count for _reason, count in self.left_out))


def of(campaign: Campaign, now: datetime, people: "QuerySet[Profile] | None" = None) -> Forecast:
    """Look at everybody in a small audience, at one profile in a hundred of a large one.

    `people` stands for the campaign's own audience, where it is narrowed for once.
    """
    people = reach.audience(campaign, now) if people is None else people
    estimate = segments.estimate(people)
    is_small = estimate.high <= SMALL
    looked_at = people if is_small else people.filter(random_bucket__in=range(now.second % 100, BUCKETS, SAMPLE))
    ids = list(looked_at.values_list("pk", flat=True))
    scale = 1.0 if is_small or not ids else estimate.middle / len(ids)
    counts = _left_out(campaign, ids, now)
    shown = [(reasons.in_words(reason), round(count * scale)) for reason, count in counts.most_common()]
    if (limit := _limit(campaign)) is not None:
        rest = estimate.middle - sum(count for _reason, count in shown)
        if rest > limit:
            shown.append((reasons.in_words("volume_limit"), rest - limit))
    past = Counter(_too_late(campaign, ids, now).values())
    zones_past = [(zone, round(count * scale)) for zone, count in past.most_common()]
    return Forecast(segments.everybody(), estimate.low, estimate.high, shown, is_small, zones_past)


def _limit(campaign: Campaign) -> int | None:
    return campaign.most_recipients


def _left_out(campaign: Campaign, ids: list[int], now: datetime) -> Counter[str]:
    considered = eligibility.consider(campaign, ids, admission.wait_of(campaign), now)
    found = considered.counts
    passing = set(considered.passing)
    for reason, gone in (
        ("local_time_passed", set(_too_late(campaign, passing, now))),
        ("control_group", _in_control(campaign, passing)),
        ("not_subscribed", _not_subscribed(campaign, passing)),
        ("quiet_hours", _quiet(campaign, passing, now)),
    ):
        here = gone & passing
        found[reason] += len(here)
        passing -= here
    return +found


def _too_late(campaign: Campaign, ids: Collection[int], now: datetime) -> dict[int, str]:
    """Those whose clocks show more than an hour past the time of the first run, with their zone."""
    if not campaign.is_local or campaign.start_at is None:
        return {}
    first = campaign.start_at.astimezone(runs.zone_of(campaign))
    places = zones.of_profiles(ids)
    late = {z for z in set(places.values()) if schedule.local_due(first.date(), first.time(), z, now) is None}
    return {pk: zone.key for pk, zone in places.items() if zone in late}


def _in_control(campaign: Campaign, ids: Collection[int]) -> set[int]:
    variants = list(campaign.variants.filter(is_removed=False))
    control = {variant.pk for variant in variants if variant.is_control}
    layout, kept = assignment.of(campaign, variants), assignment.kept(campaign, list(ids))
    chosen = {pk: arms.arm_for(layout, arms.slot_of(pk, campaign.pk), kept.get(pk)) for pk in ids}
    return {pk for pk, arm in chosen.items() if arm and arm.id in control}


def _not_subscribed(campaign: Campaign, ids: Collection[int]) -> set[int]:
    if not campaign.subscribed or not ids:
        return set()
    own = Controls(
        campaign.pk,
        campaign.sender_id,
        Status(campaign.status),
        None,
        campaign.quiet_waits,
        campaign.obeys_caps,
        Subscribed(campaign.subscribed),
        campaign.subscription_group_id,
    )
    rows = Profile.objects.filter(pk__in=ids).values_list("pk", "email_subscribe", "push_subscribe")
    states = {pk: (email, push) for pk, email, push in rows}
    member = SubscriptionState.objects.filter(
        group=campaign.subscription_group_id, profile__in=ids, state="subscribed"
    ).values_list("group_id", "profile_id")
    members = set(member)
    return {pk for pk in ids if not checks.may_receive(own, pk, states, members)}


def _quiet(campaign: Campaign, ids: Collection[int], now: datetime) -> set[int]:
    """Those whom a send at its time would find in quiet hours and drop."""
    window = quiet_window(campaign)
    if window is None or campaign.quiet_waits or campaign.delivery != Delivery.SCHEDULED:
        return set()
    places = zones.of_profiles(ids)
    moment = next(iter(runs.upcoming(campaign, now, 1)), now)
    if not campaign.is_local:
        return {pk for pk, zone in places.items() if window.holds(moment, zone)}
    shown = moment.astimezone(runs.zone_of(campaign))
    at = {zone: schedule.wall_clock(shown.date(), shown.time(), zone) for zone in set(places.values())}
    return {pk for pk, zone in places.items() if window.holds(at[zone], zone)}


def duration(campaign: Campaign, recipients: int) -> timedelta | None:
    """How long the send takes at its rate; None without one."""
    rate = campaign.sender.rate_per_minute
    return timedelta(minutes=recipients / rate) if rate else None
