"""Quiet hours, caps, subscriptions, suppression, the global control group: each reason, and their order."""

from datetime import UTC, datetime, time, timedelta

import pytest

from audience.models import GlobalControl, SubscriptionGroup, SubscriptionState, SuppressionList
from outreach import capping, counters, lifecycle, plan, suppression
from outreach.models import FrequencyRule, Quiet, Subscribed, Variant
from tests.campaigns.world import DAY, HOUR, MINUTE, action, adds_up, claimed, event, reasons
from tests.conftest import NOON
from tests.factories import CampaignFactory, ProfileFactory, TagFactory
from webhooks import hooks
from webhooks.models import Message, MessageActivityLog, Receipt
from workspace.models import Workspace

pytestmark = pytest.mark.django_db
AGAIN = {"is_reeligible": True, "reeligible_seconds": 0}
KOREA = {"filter": "country", "op": "any_of", "values": ["KR"]}


def at(hour: int, minute: int = 0, day: int = 6) -> datetime:
    return datetime(2026, 5, day, hour, minute, tzinfo=UTC)


def ordered(world, profile, **values):
    world.happens(profile, "ordered", n=str(world.now), **values)
    world.run()


# --- suppression and the global control group


def test_nobody_on_an_active_list_is_sent_to_unless_the_campaign_carries_an_exception_tag(world):
    ada, bob = ProfileFactory(country="KR"), ProfileFactory(country="FR")
    tag = TagFactory()
    SuppressionList.objects.create(name="Korea", filters=KOREA, status="active").exception_tags.add(tag)
    campaign, spared = CampaignFactory(), CampaignFactory()
    spared.tags.add(tag)
    for each in (campaign, spared):
        world.launch(each)
    world.run()
    assert (len(world.received_by(ada, campaign)), len(world.received_by(bob, campaign))) == (0, 1)
    assert len(world.received_by(ada, spared)) == 1
    assert reasons(campaign) == {"suppressed": 1}


def test_a_list_activated_while_messages_wait_stops_them(world):
    ada = ProfileFactory(country="KR")
    campaign = world.launch(action(event("ordered"), delay={"mode": "after", "count": 1, "unit": "hours"}))
    ordered(world, ada)
    SuppressionList.objects.create(name="Korea", filters=KOREA, status="active")
    world.walk(NOON + 2 * HOUR)
    assert world.arrived == []
    assert reasons(campaign) == {"suppressed": 1}


def test_a_list_may_spare_sends_by_api(world):
    ada = ProfileFactory(country="KR")
    SuppressionList.objects.create(name="Korea", filters=KOREA, status="active", spares_api=True)
    by_api, scheduled = CampaignFactory(delivery="api"), CampaignFactory()
    out = suppression.kept_out({}, {by_api.pk: {ada.pk}, scheduled.pk: {ada.pk}}, world.now)
    assert out == {by_api.pk: {}, scheduled.pk: {ada.pk: "suppressed"}}


def test_the_global_control_group_gets_nothing_and_is_in_no_other_control_group(world):
    inside, outside = ProfileFactory(random_bucket=5), ProfileFactory(random_bucket=5000)
    GlobalControl.objects.create(percentage=1, ranges=[[0, 99]], started_at=NOON)
    campaign = CampaignFactory()
    campaign.variants.update(share=0)
    campaign.variants.create(name="Control", is_control=True, share=100)
    world.launch(campaign)
    world.run()
    assert reasons(campaign) == {"global_control": 1, "control_group": 1}
    assert campaign.control_entries.get().profile == outside
    assert not campaign.enrolments.filter(profile=inside).exists()


def test_disabling_the_group_makes_its_people_eligible_at_once(world):
    ada = ProfileFactory(random_bucket=5)
    group = GlobalControl.objects.create(percentage=1, ranges=[[0, 99]], started_at=NOON)
    world.launch(action(event("ordered")))
    ordered(world, ada)
    group.ended_at = NOON
    group.save()
    world.wait()
    assert world.arrived == []
    ordered(world, ada)
    assert len(world.arrived) == 1


# --- subscription


@pytest.mark.parametrize(
    ("wanted", "email", "push", "gets_it"),
    [
        (Subscribed.ALL, "unsubscribed", "unsubscribed", True),
        (Subscribed.EMAIL, "subscribed", "unsubscribed", True),
        (Subscribed.EMAIL, "unsubscribed", "opted_in", False),
        (Subscribed.EMAIL_OPTED_IN, "subscribed", "opted_in", False),
        (Subscribed.EMAIL_OPTED_IN, "opted_in", "unsubscribed", True),
        (Subscribed.PUSH, "unsubscribed", "subscribed", True),
        (Subscribed.PUSH_OPTED_IN, "opted_in", "subscribed", False),
    ],
)
def test_subscription_decides_who_may_receive(world, wanted, email, push, gets_it):
    ProfileFactory(email_subscribe=email, push_subscribe=push)
    campaign = world.launch(CampaignFactory(subscribed=wanted))
    world.run()
    assert bool(world.arrived) == gets_it
    assert reasons(campaign) == ({} if gets_it else {"not_subscribed": 1})


def test_a_subscription_group_and_one_row_however_often_it_is_tried(world):
    inside, left, silent = ProfileFactory.create_batch(3)
    group = SubscriptionGroup.objects.create(name="News")
    SubscriptionState.objects.create(profile=inside, group=group, state="subscribed")
    SubscriptionState.objects.create(profile=left, group=group, state="unsubscribed")
    campaign = world.launch(CampaignFactory(subscribed=Subscribed.GROUP, subscription_group=group))
    for _ in range(10):
        world.wait()
    assert [a.profile for a in world.arrived] == [inside.pk]
    assert reasons(campaign) == {"not_subscribed": 2}
    assert MessageActivityLog.objects.filter(profile=silent).count() == 1


# --- quiet hours


def quiet(**values):
    return {"quiet_mode": Quiet.OWN, "quiet_start": time(22), "quiet_end": time(8), **values}


def test_a_message_waits_for_the_end_of_the_quiet_hours_in_its_own_zone(world):
    seoul, paris = ProfileFactory(time_zone="Asia/Seoul"), ProfileFactory(time_zone="Europe/Paris")
    campaign = world.launch(action(event("ordered"), **quiet(quiet_waits=True)))
    world.go(at(14))  # 23:00 in Seoul, 16:00 in Paris
    for profile in (seoul, paris):
        ordered(world, profile)
    world.walk(at(23, 30), 5 * MINUTE)
    assert world.received_by(paris, campaign) == [at(14)]
    (late,) = world.received_by(seoul, campaign)
    assert at(23) <= late <= at(23, 5)  # 8:00 in Seoul; what was held is spread over five minutes


def test_or_it_is_dropped(world):
    ada = ProfileFactory(time_zone="Asia/Seoul")
    campaign = world.launch(action(event("ordered"), **quiet(quiet_waits=False)))
    world.go(at(14))
    ordered(world, ada)
    assert reasons(campaign) == {"quiet_hours": 1}
    adds_up(campaign)


@pytest.mark.parametrize(("mode", "is_quiet"), [(Quiet.WORKSPACE, True), (Quiet.NONE, False), (Quiet.OWN, False)])
def test_only_one_window_is_in_force(world, mode, is_quiet):
    Workspace.objects.update_or_create(pk=1, defaults={"quiet_start": time(11), "quiet_end": time(13)})
    ProfileFactory()
    campaign = CampaignFactory(quiet_mode=mode, quiet_start=time(1), quiet_end=time(2))
    world.launch(campaign)
    world.run()
    assert bool(world.arrived) != is_quiet
    assert reasons(campaign) == ({"quiet_hours": 1} if is_quiet else {})


def test_quiet_hours_that_end_after_the_campaign_drop_the_message(world):
    ada = ProfileFactory()
    campaign = world.launch(action(event("ordered"), end_at=at(23, 30), **quiet(quiet_waits=True)))
    world.go(at(23))
    ordered(world, ada)
    world.walk(at(9, day=7))
    assert world.arrived == []
    assert reasons(campaign) == {"outside_duration": 1}


# --- frequency caps


def capped_campaigns(world, count=3, **values):
    return [world.launch(action(event(f"event {n}"), **(AGAIN | values))) for n in range(count)]


def fire(world, profile, number):
    world.happens(profile, f"event {number}", n=str(world.now))
    world.run()


def test_one_a_day_is_a_calendar_day_on_the_profiles_clock(world):
    ada = ProfileFactory(time_zone="Asia/Seoul")
    FrequencyRule.objects.create(most=1, every=1, unit="days")
    first, second, third = capped_campaigns(world)
    world.go(at(14))  # 23:00
    fire(world, ada, 0)
    world.go(at(15))  # 00:00
    fire(world, ada, 1)
    world.go(at(15, 30))
    fire(world, ada, 2)
    assert [len(world.received_by(ada, c)) for c in (first, second, third)] == [1, 1, 0]
    assert list(reasons(third)) == [f"frequency_cap:{FrequencyRule.objects.get().pk}"]
    world.wait(DAY)
    assert world.received_by(ada, third) == []  # gone, not postponed


def test_a_message_that_fails_gives_its_place_back(world):
    ada = ProfileFactory()
    FrequencyRule.objects.create(most=1, every=1, unit="days")
    capped_campaigns(world, 2)
    world.answer = lambda message: 404
    fire(world, ada, 0)
    assert not Receipt.objects.exists()
    world.answer = lambda message: 200
    fire(world, ada, 1)
    assert len(world.arrived) == 1


def test_a_message_that_is_tried_again_keeps_its_place(world):
    ada = ProfileFactory()
    FrequencyRule.objects.create(most=1, every=1, unit="days")
    first, second = capped_campaigns(world, 2)
    world.answer = lambda message: 503
    fire(world, ada, 0)
    assert Receipt.objects.get().received_at is None
    world.answer = lambda message: 200
    fire(world, ada, 1)
    world.wait(MINUTE)
    assert (len(world.received_by(ada, first)), len(world.received_by(ada, second))) == (1, 0)


def test_stopping_a_campaign_gives_the_places_of_its_retries_back(world):
    ada = ProfileFactory()
    FrequencyRule.objects.create(most=1, every=1, unit="days")
    first, second = capped_campaigns(world, 2)
    world.answer = lambda message: 503
    fire(world, ada, 0)
    lifecycle.stop(first, world.now)
    world.answer = lambda message: 200
    fire(world, ada, 1)
    assert len(world.received_by(ada, second)) == 1


def test_several_webhooks_of_one_message_take_one_place(world):
    ada = ProfileFactory()
    FrequencyRule.objects.create(most=1, every=1, unit="days")
    campaign = action(event("ordered"))
    variant = campaign.variants.get()
    variant.variant_contents.create(slot=1, content=variant.contents.get().copy())
    world.launch(campaign)
    ordered(world, ada)
    assert len(world.received_by(ada)) == 2
    assert Receipt.objects.count() == 1


def test_a_cap_by_tag_looks_at_the_tags_of_now_and_at_those_below(world):
    """Removed: the next one is sent. Added back: the next one is capped."""
    ada = ProfileFactory()
    parent, child = TagFactory(name="offers"), TagFactory(name="offers/summer")
    FrequencyRule.objects.create(most=1, every=1, unit="weeks", tag=parent)
    campaigns = capped_campaigns(world, 4)
    for campaign in campaigns:
        campaign.tags.add(child)
    fire(world, ada, 0)
    fire(world, ada, 1)
    assert len(world.arrived) == 1
    campaigns[0].tags.clear()
    fire(world, ada, 2)
    assert len(world.arrived) == 2
    campaigns[0].tags.add(child)
    campaigns[2].tags.clear()
    fire(world, ada, 3)
    assert len(world.arrived) == 2


def test_a_campaign_without_caps_is_never_capped_and_counts_only_if_that_was_chosen(world):
    ada = ProfileFactory()
    FrequencyRule.objects.create(most=1, every=1, unit="days")
    free = world.launch(action(event("event 9"), obeys_caps=False, **AGAIN))
    first, second = capped_campaigns(world, 2)
    fire(world, ada, 9)
    fire(world, ada, 0)
    assert len(world.received_by(ada, first)) == 1
    world.wait()
    fire(world, ada, 9)
    assert len(world.received_by(ada, free)) == 2
    world.wait(DAY)
    free.counts_for_caps = True
    free.save()
    fire(world, ada, 9)
    fire(world, ada, 1)
    assert world.received_by(ada, second) == []


def test_a_cap_lowered_while_messages_wait_is_judged_at_sending(world):
    ada = ProfileFactory()
    rule = FrequencyRule.objects.create(most=5, every=1, unit="days")
    campaigns = capped_campaigns(world, 2, delay={"mode": "after", "count": 1, "unit": "hours"})
    for number in range(2):
        fire(world, ada, number)
    rule.most = 1
    rule.save()
    world.walk(NOON + 2 * HOUR)
    assert len(world.arrived) == 1
    assert sum(counters.totals(c)["aborted"] for c in campaigns) == 1


def test_ten_ticks_leave_one_row_for_each_campaign(world):
    ada = ProfileFactory()
    FrequencyRule.objects.create(most=1, every=1, unit="days")
    capped_campaigns(world, 3)
    for number in range(3):
        fire(world, ada, number)
    for _ in range(10):
        world.wait()
    assert MessageActivityLog.objects.filter(kind="capped").count() == 2


def test_minutes_are_rolling(world):
    ada = ProfileFactory()
    FrequencyRule.objects.create(most=1, every=30, unit="minutes")
    campaign = capped_campaigns(world, 1)[0]
    for minutes in (0, 29, 31):
        world.go(NOON + minutes * MINUTE)
        fire(world, ada, 0)
    assert world.received_by(ada, campaign) == [NOON, NOON + 31 * MINUTE]


def test_a_batch_of_many_messages_for_one_profile_never_exceeds_a_cap(world):
    ada = ProfileFactory()
    FrequencyRule.objects.create(most=2, every=1, unit="days")
    for _ in range(50):
        world.launch(CampaignFactory())
    world.run()
    assert len(world.received_by(ada)) == 2


# --- the order


def test_of_two_reasons_the_earlier_check_is_shown(world):
    ada = ProfileFactory(country="KR", email_subscribe="unsubscribed")
    FrequencyRule.objects.create(most=1, every=1, unit="days")
    tests = {
        "suppressed": {"subscribed": Subscribed.EMAIL},
        "not_subscribed": {"subscribed": Subscribed.EMAIL, **quiet(quiet_start=time(1), quiet_end=time(20))},
        "quiet_hours": quiet(quiet_start=time(1), quiet_end=time(20)),
    }
    delay = {"mode": "after", "count": 1, "unit": "minutes"}
    campaigns = {name: world.launch(action(event("ordered"), delay=delay, **values)) for name, values in tests.items()}
    tag = TagFactory()
    for name, campaign in campaigns.items():
        if name != "suppressed":
            campaign.tags.add(tag)
    ordered(world, ada)
    SuppressionList.objects.create(name="Korea", filters=KOREA, status="active").exception_tags.add(tag)
    Receipt.objects.create(
        sender=campaigns["suppressed"].sender, profile=ada, cause=9, reserved_at=NOON, received_at=NOON
    )
    world.wait(2 * MINUTE)
    assert {name: [*reasons(campaign)] for name, campaign in campaigns.items()} == {name: [name] for name in tests}


def test_three_days_late_is_too_late(world):
    ProfileFactory()
    campaign = world.launch(CampaignFactory())
    world.travel(NOON)
    plan.plan_due(world.now)
    lifecycle.pause(campaign, world.now)
    world.go(NOON + timedelta(hours=73))
    lifecycle.resume(campaign, world.now)
    world.run()
    assert world.arrived == []
    assert reasons(campaign) == {"late_72h": 1}


def test_checks_take_a_few_queries_whatever_the_batch(world, django_assert_max_num_queries):
    ProfileFactory.create_batch(60)
    FrequencyRule.objects.create(most=1, every=1, unit="days")
    SuppressionList.objects.create(name="Korea", filters=KOREA, status="active")
    campaign = world.launch(CampaignFactory(subscribed=Subscribed.EMAIL, **quiet()))
    plan.plan_due(world.now)
    batch = [claimed(row) for row in Message.objects.filter(sender=campaign.sender)]
    assert len(batch) == 60
    with django_assert_max_num_queries(24):
        for _position, check in hooks.checks:
            assert not check(batch, world.now)
    assert Variant.objects.count() == 1
    assert len(capping.rules()) == 1
