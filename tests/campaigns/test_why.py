"""Every reason can happen, is counted, and is told for the profile it happened to (specification, section 8)."""

import itertools
from collections.abc import Callable
from datetime import time

import pytest

from audience.models import GlobalControl, Profile, SuppressionList
from campaigns import why
from campaigns.models import Campaign
from outreach import arms, lifecycle, plan, reasons, results
from outreach.models import FrequencyRule, Optimisation, Quiet, Subscribed
from tests.campaigns.world import DAY, HOUR, MINUTE, World, action, adds_up, event
from tests.campaigns.world import reasons as counted
from tests.conftest import NOON
from tests.factories import CampaignFactory, ProfileFactory, SegmentFactory

pytestmark = pytest.mark.django_db
KOREA = {"filter": "country", "op": "any_of", "values": ["KR"]}
LATER = {"mode": "after", "count": 1, "unit": "hours"}
Scene = Callable[[World, Profile], Campaign]


def set_off(world: World, ada: Profile, campaign: Campaign) -> Campaign:
    world.launch(campaign)
    world.wait()
    world.happens(ada, "ordered", n=str(world.now))
    world.run()
    return campaign


def koreans(campaign: Campaign) -> Campaign:
    ProfileFactory(country="KR")
    campaign.to_everyone = False
    campaign.save()
    campaign.segments.add(SegmentFactory(filters=KOREA))
    return campaign


def not_in_audience(world, ada):
    return set_off(world, ada, koreans(action(event("ordered"))))


def suppressed(world, ada):
    french = {"filter": "country", "op": "any_of", "values": ["FR"]}
    SuppressionList.objects.create(name="French", filters=french, status="active")
    return set_off(world, ada, action(event("ordered")))


def global_control(world, ada):
    GlobalControl.objects.create(percentage=1, ranges=[[0, 99]], started_at=NOON)
    Profile.objects.filter(pk=ada.pk).update(random_bucket=5)
    return set_off(world, ada, action(event("ordered")))


def already_received(world, ada):
    campaign = set_off(world, ada, action(event("ordered")))
    world.happens(ada, "ordered", n="again")
    world.run()
    return campaign


def not_yet_reeligible(world, ada):
    campaign = set_off(world, ada, action(event("ordered"), is_reeligible=True, reeligible_seconds=86_400))
    world.happens(ada, "ordered", n="again")
    world.run()
    return campaign


def already_pending(world, ada):
    campaign = set_off(world, ada, action(event("ordered"), delay=LATER))
    world.happens(ada, "ordered", n="again")
    world.run()
    return campaign


def outside_portion_of_day(world, ada):
    return set_off(world, ada, action(event("ordered"), portion_start=time(18), portion_end=time(20)))


def volume_limit(world, ada):
    campaign = action(event("ordered"), most_recipients=1)
    other = ProfileFactory()
    world.launch(campaign)
    world.happens(other, "ordered", at=world.now + MINUTE)
    world.wait(2 * MINUTE)
    world.happens(ada, "ordered")
    world.run()
    return campaign


def outside_duration(world, ada):
    campaign = world.launch(action(event("ordered"), delay=LATER, end_at=NOON + 2 * HOUR))
    world.wait(90 * MINUTE)
    world.happens(ada, "ordered")
    world.run()
    return campaign


def local_time_passed(world, ada):
    Profile.objects.filter(pk=ada.pk).update(time_zone="Etc/GMT-4")
    ProfileFactory(time_zone="Etc/GMT+2")
    world.go(NOON + HOUR)
    campaign = world.launch(CampaignFactory(start_at=NOON + 3 * HOUR, is_local=True))
    world.run()
    return campaign


def held_for_winner(world, ada):
    later = next(pk for pk in itertools.count(1) if arms.slot_of(ada.pk, pk) >= 2)  # Ada is not among those of the test
    campaign = CampaignFactory(
        pk=later, optimisation=Optimisation.WINNER, held_share=98, winner_at=NOON + DAY, sends_best_anyway=False
    )
    campaign.variants.update(share=1)
    other = campaign.variants.create(name="B", share=1)
    other.variant_contents.create(content=campaign.variants.get(name="Variant 1").contents.get().copy())
    campaign.conversion_events.create(trigger=event("ordered"))
    world.launch(campaign)
    world.walk(NOON + 2 * DAY)
    return campaign


def control_group(world, ada):
    campaign = action(event("ordered"))
    campaign.variants.update(share=0)
    campaign.variants.create(name="Control", is_control=True, share=100)
    return set_off(world, ada, campaign)


def outreach_inactive(world, ada):
    campaign = set_off(world, ada, action(event("ordered"), delay=LATER))
    lifecycle.stop(campaign, world.now)
    return campaign


def late_72h(world, ada):
    campaign = world.launch(CampaignFactory())
    plan.plan_due(world.now)
    world.go(NOON + 3 * DAY + MINUTE)
    world.deliver()
    return campaign


def exception_event(world, ada):
    campaign = set_off(world, ada, action(event("ordered"), delay=LATER, exceptions=[event("paid")]))
    world.wait(10 * MINUTE)
    world.happens(ada, "paid")
    world.run()
    return campaign


def no_longer_in_audience(world, ada):
    world.becomes(ada, country="KR")
    campaign = world.launch(koreans(CampaignFactory()))
    plan.plan_due(world.now)
    world.becomes(ada, country="FR")
    world.wait(2 * MINUTE)
    return campaign


def not_subscribed(world, ada):
    world.becomes(ada, email_subscribe="unsubscribed")
    return set_off(world, ada, action(event("ordered"), subscribed=Subscribed.EMAIL))


def quiet_hours(world, ada):
    quiet = {"quiet_mode": Quiet.OWN, "quiet_start": time(11), "quiet_end": time(13)}
    return set_off(world, ada, action(event("ordered"), **quiet))


def frequency_cap(world, ada):
    FrequencyRule.objects.create(most=1, every=1, unit="days")
    set_off(world, ada, action(event("ordered")))
    return set_off(world, ada, action(event("ordered")))


SCENES = (
    *(not_in_audience, suppressed, global_control, already_received, not_yet_reeligible, already_pending),
    *(outside_portion_of_day, volume_limit, outside_duration, local_time_passed, held_for_winner, control_group),
    *(outreach_inactive, late_72h, exception_event, no_longer_in_audience, not_subscribed, quiet_hours, frequency_cap),
)
ON_THE_WIRE = {
    # of claiming, rendering and sending: tests/webhooks has them
    *("profile_not_found", "liquid_abort", "render_error", "connected_content", "bad_url", "unusable_request"),
    "content_missing",
    *("rate_limited", "perhaps_sent"),  # tests/webhooks/test_rates.py, tests/config/test_backup.py
}


def test_no_reason_is_without_a_scene():
    assert {scene.__name__ for scene in SCENES} | ON_THE_WIRE == {*reasons.REASONS}


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.__name__)
def test_each_reason_is_counted_and_told(world, scene):
    ada = ProfileFactory(external_id="ada", country="FR")
    campaign = scene(world, ada)
    campaign.refresh_from_db()
    name = scene.__name__
    keys = [key for key in counted(campaign) if key.partition(":")[0] == name]
    assert keys, counted(campaign)
    adds_up(campaign)
    told = {row["reason"] for row in results.reasons(campaign)}
    assert {*keys} <= told
    answer = why.explain(campaign, ada, world.now)
    failed = [check for check in answer.checks if not check.is_passed]
    words = reasons.in_words(keys[0])
    is_told = words in answer.verdict or any(words in each.text for each in answer.happened)
    assert is_told or failed, answer


def test_runs_are_told_with_what_became_of_them(world):
    ada = ProfileFactory(country="FR")
    ProfileFactory(country="KR")
    campaign = koreans(CampaignFactory(start_at=NOON + HOUR, recurrence="daily"))
    world.launch(campaign)
    world.go(NOON + HOUR)
    world.run()
    texts = [each.text for each in why.explain(campaign, ada, world.now).happened]
    assert texts == ["a run that looked at 2 profiles and made 2 messages"]
    Profile.objects.exclude(pk=ada.pk).update(country="FR")
    world.go(NOON + DAY + HOUR)
    world.run()
    world.go(NOON + 3 * DAY)  # nothing was at work for the third one
    world.run()
    late = ProfileFactory(country="FR", created_at=world.now)
    texts = [each.text for each in why.explain(campaign, ada, world.now).happened]
    assert texts == [
        "a run that was due then was missed: nothing was at work, or the campaign was paused",
        "a run that found nobody in the audience",
        "a run that looked at 2 profiles and made 2 messages",
    ]
    assert [each.text for each in why.explain(campaign, late, world.now).happened][1:] == [
        "a run, before this profile was there",
        "a run, before this profile was there",
    ]
