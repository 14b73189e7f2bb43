"""Starts a campaign: what blocks the launch, what only needs a look, and the launch itself."""

import math
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils.translation import gettext as _

from audience.filters.scope import Leaf
from audience.filters.tree import leaves
from campaigns import events, scheduled
from campaigns.models import Campaign, Delivery, Recurrence
from outreach import controls, delays, launch, lifecycle, matching, runs, schedule
from outreach.delays import Mode
from outreach.errors import NotLaunchable
from outreach.launch import Problem, in_section
from outreach.models import Occurrence, Optimisation, Outreach
from outreach.windows import overlap
from workspace.models import Workspace

LONGEST_DELAY = timedelta(days=365)
LEAST_TEST = timedelta(hours=1)
STALE_AFTER = timedelta(hours=72)
LONG_SEND = timedelta(hours=12)
BRIEF = 48  # hours (campaigns specification, section 12)


def problems(campaign: Campaign, now: datetime) -> list[str]:
    """Every reason why this campaign can't be launched; empty when it can."""
    may_be_empty = campaign.delivery != Delivery.SCHEDULED or bool(campaign.recurrence)
    return [
        *launch.problems(campaign, now, may_be_empty=may_be_empty),
        *in_section("delivery", _delivery_problems(campaign, now)),
        *in_section("audience", _optimisation_problems(campaign, now)),
    ]


def _delivery_problems(campaign: Campaign, now: datetime) -> Iterator[str]:
    if campaign.end_at and campaign.start_at and campaign.end_at <= campaign.start_at:
        yield _("It ends before it starts. Choose a later end.")
    elif campaign.end_at and campaign.end_at <= now:
        yield _("The end has passed. Choose a later one.")
    yield from _window_problems(campaign)
    if campaign.delivery == Delivery.SCHEDULED:
        yield from _schedule_problems(campaign, now)
    elif campaign.delivery == Delivery.ACTION:
        yield from _trigger_problems(campaign, now)


def _window_problems(campaign: Campaign) -> Iterator[str]:
    if (campaign.portion_start is None) != (campaign.portion_end is None):
        yield _("The portion of the day needs a start and an end.")
    portion, quiet = events.portion_of(campaign), controls.quiet_window(campaign)
    if portion and portion.start == portion.end:
        yield _("The portion of the day can't begin and end at the same time.")
    elif portion and quiet and not overlap(portion, quiet):
        yield _("The portion of the day lies within the quiet hours. Nobody would ever receive it.")


def _schedule_problems(campaign: Campaign, now: datetime) -> Iterator[str]:
    if campaign.start_at and campaign.start_at < now and not campaign.launched_at:
        yield _("%(time)s has passed. Choose a later time, or leave it empty to send as soon as launched.") % {
            "time": shown(campaign.start_at, runs.zone_of(campaign))
        }
    elif campaign.recurrence and next(islice(schedule.days(runs.schedule_of(campaign, now)), 1), None) is None:
        yield _never_fires(campaign)
    if campaign.is_local and not campaign.start_at:
        yield _("Local time needs a day and a time to start at.")


def _never_fires(campaign: Campaign) -> str:
    if campaign.recurrence == Recurrence.WEEKLY and not campaign.weekdays:
        return _("It would never run: choose the weekdays.")
    if campaign.recurrence == Recurrence.MONTHLY and not campaign.month_days:
        return _("It would never run: choose the days of the month.")
    return _("It would never run: its last day is before its first run.")


def _trigger_problems(campaign: Campaign, now: datetime) -> Iterator[str]:
    if not campaign.triggers:
        yield _("Choose at least one trigger.")
    for trigger in (*campaign.triggers, *campaign.exceptions):
        yield from matching.problems(trigger)
    delay = delays.read(campaign.delay or {})
    if campaign.exceptions and delay.mode is Mode.NONE:
        yield _("Exception events act only while a message waits. Set a delay, or remove them.")
    kinds = [{trigger.get("kind") for trigger in each} for each in (campaign.triggers, campaign.exceptions)]
    if "session" in kinds[0] & kinds[1]:
        yield _("A session start can't be both the trigger and an exception event.")
    yield from _delay_problems(campaign, delay, now)


def _delay_problems(campaign: Campaign, delay: delays.Delay, now: datetime) -> Iterator[str]:
    if delay.mode is Mode.DAYS and delay.count < 1:
        yield _("A delay in calendar days is at least one day.")
    longest = delays.longest(delay, now, runs.zone_of(campaign))
    if longest > LONGEST_DELAY + timedelta(days=1):
        yield _("The delay is longer than 365 days.")
    if campaign.end_at and delay.mode is Mode.AFTER:
        duration = campaign.end_at - max(campaign.start_at or now, now)
        if delays.duration(delay) > duration:
            yield _("Waits %(delay)s, but the campaign ends after %(duration)s. Nobody would receive it.") % {
                "delay": span(delays.duration(delay)),
                "duration": span(duration),
            }


def _optimisation_problems(campaign: Campaign, now: datetime) -> Iterator[str]:
    if campaign.optimisation == Optimisation.WINNER:
        yield from _winner_problems(campaign, now)
    if campaign.optimisation == Optimisation.SELECTION:
        if campaign.is_reeligible and campaign.reeligible_seconds < 86_400:
            yield _("Intelligent selection needs people to be eligible again after a day or later, or never.")
        if campaign.delivery == Delivery.SCHEDULED and not campaign.recurrence:
            yield _("Intelligent selection is for campaigns that send more than once. Choose “winning variant” here.")


def _winner_problems(campaign: Campaign, now: datetime) -> Iterator[str]:
    if campaign.delivery != Delivery.SCHEDULED or campaign.recurrence:
        yield _("A winning variant is for campaigns that send once.")
    if campaign.is_reeligible:
        yield _("A winning variant can't be combined with re-eligibility.")
    if not campaign.held_share:
        yield _("Say how many per cent of the audience are held back for the winner.")
    start = campaign.start_at or now
    if campaign.winner_at is None:
        yield _("Say when the winner goes out.")
    elif campaign.winner_at < start + LEAST_TEST:
        yield _("The winner must go out at least an hour after the test starts.")


# --- warnings


def warnings(campaign: Campaign, now: datetime, audience: int, everybody: int) -> list[str]:
    """What does not block, but deserves a look. `audience` and `everybody` are how many profiles those are."""
    return [
        *in_section("audience", _audience_warnings(campaign, audience, everybody)),
        *in_section("delivery", _delivery_warnings(campaign, now, audience)),
        *in_section("conversions", _conversion_warnings(campaign)),
        *in_section("compose", _content_warnings(campaign, audience)),
    ]


def _audience_warnings(campaign: Campaign, audience: int, everybody: int) -> Iterator[str]:
    if not audience and (campaign.recurrence or campaign.delivery != Delivery.SCHEDULED):
        yield _("Nobody is in the audience at the moment.")
    if everybody >= 100 and audience * 2 > everybody:
        yield _("The audience is more than half of all profiles.")
    if campaign.delivery == Delivery.ACTION and (name := _trigger_in_audience(campaign)):
        yield _("Profiles must already have done “%(event)s” before this one. The first time is missed.") % {
            "event": name
        }


def _trigger_in_audience(campaign: Campaign) -> str:
    """The name of a trigger event that the audience's own filters ask for too."""
    asked = {leaf.get("name") for leaf in _leaves(campaign) if "event" in str(leaf["filter"])}
    return next((t["name"] for t in campaign.triggers if t.get("kind") == "event" and t.get("name") in asked), "")


def _looks_back_briefly(campaign: Campaign) -> bool:
    """Whether a filter of the audience is about less than 48 hours."""
    return any(_hours(leaf) < BRIEF for leaf in _leaves(campaign))


def _leaves(campaign: Campaign) -> Iterator[Leaf]:
    """Every filter of its own and of its segments, even of a tree that is partly wrong."""
    for tree in (campaign.filters, *campaign.segments.values_list("filters", flat=True)):
        yield from leaves(tree)


def _hours(leaf: Leaf) -> float:
    """How many hours a filter is about; endless where it doesn't say."""
    within = leaf.get("within", leaf.get("days"))
    if not isinstance(within, int | float):
        return math.inf
    return within if leaf.get("unit") == "hours" else within * 24


def _delivery_warnings(campaign: Campaign, now: datetime, audience: int) -> Iterator[str]:
    if not campaign.obeys_caps:
        yield _("Frequency caps are off for this campaign.")
    if campaign.recurrence and campaign.is_reeligible:
        if not campaign.reeligible_seconds:
            yield _("Everybody may receive it again at once: each run goes to the whole audience.")
        elif campaign.reeligible_seconds == _interval(campaign):
            yield _(
                "People are eligible again exactly when the next run begins, and a send takes time: some would be "
                "missed. Choose an hour less."
            )
    rate = campaign.sender.rate_per_minute
    if rate and audience / rate > LONG_SEND.total_seconds() / 60:
        end = (campaign.start_at or now) + timedelta(minutes=audience / rate)
        yield _("At this rate the send takes until %(end)s.") % {"end": shown(end, runs.zone_of(campaign))}
    if campaign.is_local and campaign.start_at and campaign.start_at - now < timedelta(hours=24):
        yield _("Local time in less than 24 hours: where it is more than an hour past that time, people are skipped.")
    if campaign.is_local and _looks_back_briefly(campaign):
        yield _(
            "The audience asks about less than 48 hours, and all zones together take that long: who is in it changes "
            "on the way."
        )


def rate_problems(campaign: Campaign, audience: int) -> list[str]:
    """A rate that is too low for the audience: messages older than 72 hours are dropped."""
    rate = campaign.sender.rate_per_minute
    if not rate or audience / rate <= STALE_AFTER.total_seconds() / 60:
        return []
    text = _("At %(rate)d a minute this audience takes longer than 72 hours, after which messages are dropped.")
    return [Problem(text % {"rate": rate}, "delivery")]


def _interval(campaign: Campaign) -> int:
    days = {Recurrence.DAILY: 1, Recurrence.WEEKLY: 7, Recurrence.MONTHLY: 30}
    return days.get(Recurrence(campaign.recurrence), 0) * campaign.every * 86_400


def _conversion_warnings(campaign: Campaign) -> Iterator[str]:
    events_ = list(campaign.conversion_events.all())
    if not events_:
        yield _("There is no conversion event, so nothing will be measured but delivery.")
    wanted = {(t.get("kind"), t.get("name")) for t in campaign.triggers}
    if campaign.delivery == Delivery.ACTION:
        for event in events_:
            if (event.trigger.get("kind"), event.trigger.get("name")) in wanted:
                yield _("Conversion event %(event)s is the trigger itself: only doing it once more counts.") % {
                    "event": event
                }
    if campaign.optimisation == Optimisation.WINNER and campaign.winner_at and events_:
        window = timedelta(seconds=events_[0].window_seconds)
        if campaign.start_at and campaign.winner_at - campaign.start_at < window:
            yield _("The winner is chosen before the conversion window has closed.")


def _content_warnings(campaign: Campaign, audience: int) -> Iterator[str]:
    arms = list(campaign.variants.filter(is_removed=False).prefetch_related("contents"))
    yield from launch.test_warnings([content for arm in arms for content in arm.contents.all()])
    control = next((arm for arm in arms if arm.is_control), None)
    if control is None:
        return
    if any(
        "abort_message" in content.url + content.raw_body + str(content.pairs)
        for a in arms
        for content in a.contents.all()
    ):
        yield _("A message can abort itself, the control group can't: the comparison is skewed. Filter the audience.")
    if audience * control.share // 100 < 1_000:
        yield _("The control group has fewer than 1,000 profiles, which is too few for certainty.")


# --- words


def shown(moment: datetime, zone: ZoneInfo) -> str:
    """A time with its zone, as pages print it."""
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M} {zone.key}"


def span(length: timedelta) -> str:
    """A duration in its largest whole unit."""
    seconds = int(length.total_seconds())
    for size, words in ((86_400, _("%d days")), (3_600, _("%d hours")), (60, _("%d minutes"))):
        if seconds >= size:
            return words % (seconds // size)
    return _("%d seconds") % seconds


# --- the launch


def start(campaign: Campaign, now: datetime, limit: int | None = None) -> Occurrence | None:
    """Launch. A scheduled campaign gets its occurrence, now or at its start. Raises NotLaunchable, WrongStatus."""
    if found := problems(campaign, now):
        raise NotLaunchable(found)
    return go(campaign, now, limit)


def go(campaign: Campaign, now: datetime, limit: int | None = None) -> Occurrence | None:
    """Launch what the caller has checked. Raises WrongStatus."""
    with transaction.atomic():
        lifecycle.activate(campaign, now)
        runs.keep_zone(campaign)
        if campaign.delivery == Delivery.SCHEDULED:
            return scheduled.first_run(campaign, now, limit)
    return None


def asks_for_approval(outreach: Outreach, workspace: Workspace) -> bool | None:
    """Whether a campaign needs approval (`outreach.approvals.needs`); None for other outreach."""
    return workspace.approves_campaigns if Campaign.objects.filter(pk=outreach.pk).exists() else None
