"""Triggers, delays, exceptions, duration and the portion of the day."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from outreach import counters, lifecycle
from outreach.models import ControlEntry, Status
from tests.campaigns.world import DAY, HOUR, MINUTE, action, adds_up, equals, event, reasons
from tests.conftest import NOON
from tests.factories import CampaignFactory, ProfileFactory, SegmentFactory
from webhooks.models import Message

pytestmark = pytest.mark.django_db


def test_an_event_sends_to_who_did_it_and_to_nobody_else(world):
    ada, _other = ProfileFactory(), ProfileFactory()
    campaign = world.launch(action(event("ordered")))
    world.wait()
    world.happens(ada, "ordered")
    world.run()
    assert world.received_by(ada, campaign) == [world.now]
    assert len(world.arrived) == 1
    adds_up(campaign)


def test_conditions_decide_which_events_count(world):
    ada = ProfileFactory()
    world.launch(action(event("ordered", equals("size", "L"), equals("colour", "red"))))
    world.launch(action(event("ordered", equals("size", "L"), equals("colour", "red"), join="any")))
    world.wait()
    world.happens(ada, "ordered", size="L", colour="blue")
    world.run()
    assert len(world.arrived) == 1


@pytest.mark.parametrize(
    ("trigger", "does"),
    [
        ({"kind": "purchase", "name": "shoes"}, lambda w, p: w.buys(p, "shoes")),
        ({"kind": "purchase"}, lambda w, p: w.buys(p, "hat")),
        ({"kind": "session"}, lambda w, p: w.happens(p, "session_start")),
        ({"kind": "attribute", "name": "plan", "to": "pro"}, lambda w, p: w.becomes(p, plan="pro")),
        ({"kind": "attribute", "name": "plan"}, lambda w, p: w.becomes(p, plan="basic")),
        ({"kind": "email_added"}, lambda w, p: w.becomes(p, email="ada@example.com")),
        ({"kind": "subscription"}, lambda w, p: w.becomes(p, email_subscribe="opted_in")),
    ],
)
def test_every_kind_of_trigger_sets_a_campaign_off(world, trigger, does):
    ada = ProfileFactory()
    world.launch(action(trigger))
    world.wait()
    does(world, ada)
    world.run()
    assert len(world.received_by(ada)) == 1


def test_setting_the_same_value_again_is_no_change(world):
    ada = ProfileFactory()
    world.becomes(ada, plan="pro")
    world.launch(action({"kind": "attribute", "name": "plan"}))
    world.wait()
    world.becomes(ada, plan="pro")
    world.becomes(ada, plan=None)
    world.run()
    assert world.arrived == []


def test_a_campaign_can_follow_another_ones_receipt_conversion_and_control(world):
    ada = ProfileFactory()
    first = action(event("ordered"))
    first.conversion_events.create(trigger=event("paid"))
    follow = [action({"kind": kind, "name": str(first.pk)}) for kind in ("received", "converted")]
    other = action({"kind": "received", "name": str(follow[1].pk)})
    for campaign in (*follow, other, first):
        world.launch(campaign)
    world.wait()
    world.happens(ada, "ordered")
    world.run()
    assert len(world.received_by(ada, follow[0])) == 1
    assert world.received_by(ada, follow[1]) == []
    world.wait()
    world.happens(ada, "paid")
    world.run()
    assert len(world.received_by(ada, follow[1])) == len(world.received_by(ada, other)) == 1


def test_the_audience_is_judged_before_the_event(world):
    ada = ProfileFactory()
    buyers = SegmentFactory(filters={"filter": "custom_event_count", "name": "ordered", "op": "at_least", "value": 1})
    campaign = action(event("ordered"), to_everyone=False)
    campaign.segments.add(buyers)
    world.happens(ProfileFactory(), "ordered")  # somebody is in the segment, so that it can be launched
    world.run()
    world.launch(campaign)
    world.wait()
    world.happens(ada, "ordered")
    world.run()
    assert world.arrived == []
    assert reasons(campaign) == {"not_in_audience": 1}
    world.wait()
    world.happens(ada, "ordered")
    world.run()
    assert len(world.received_by(ada)) == 1


def test_events_of_the_time_as_a_draft_send_nothing(world):
    people = ProfileFactory.create_batch(5)
    campaign = action(event("ordered"))
    for profile in people:
        world.happens(profile, "ordered")
    world.run()
    world.wait()
    world.launch(campaign)
    world.happens(people[0], "ordered", at=world.now - HOUR)
    world.run()
    assert world.arrived == []


def test_an_event_older_than_three_days_sets_nothing_off(world):
    ada = ProfileFactory()
    world.launch(action(event("ordered")))
    world.go(NOON + 5 * DAY)
    world.happens(ada, "ordered", at=world.now - 73 * HOUR)
    world.run()
    assert world.arrived == []
    world.happens(ada, "ordered", at=world.now - 71 * HOUR)
    world.run()
    assert len(world.arrived) == 1


def test_a_delay_counts_from_the_time_of_the_event(world):
    ada = ProfileFactory()
    world.launch(action(event("ordered"), delay={"mode": "after", "count": 2, "unit": "hours"}))
    world.go(NOON + HOUR)
    world.happens(ada, "ordered", at=NOON + 30 * MINUTE)
    world.run()
    world.walk(NOON + 3 * HOUR, 10 * MINUTE)
    assert world.received_by(ada) == [NOON + 2 * HOUR + 30 * MINUTE]


@pytest.mark.parametrize(
    ("delay", "expected"),
    [
        ({"mode": "days", "count": 1, "at": "09:00", "zone": "local"}, "2026-05-07 09:00"),
        ({"mode": "next_weekday", "weekday": 2, "at": "09:00", "zone": "local"}, "2026-05-13 09:00"),
    ],
)
def test_a_delay_by_the_profiles_clock(world, delay, expected):
    """Triggered on Wednesday 6 May at 21:00 in Seoul; "next Wednesday" is strictly later."""
    seoul = ZoneInfo("Asia/Seoul")
    ada = ProfileFactory(time_zone="Asia/Seoul")
    world.launch(action(event("ordered"), delay=delay))
    world.happens(ada, "ordered")
    world.run()
    due = Message.objects.get().due_at
    assert due.astimezone(seoul).replace(tzinfo=None) == datetime.fromisoformat(expected)


# --- a second trigger


@pytest.mark.parametrize(
    ("settings", "sent", "reason"),
    [
        ({}, 1, "already_pending"),
        ({"is_reeligible": True, "reeligible_seconds": 60}, 1, "already_pending"),
        ({"is_reeligible": True, "reeligible_seconds": 0}, 2, None),
    ],
)
def test_a_second_trigger_while_a_message_waits(world, settings, sent, reason):
    ada = ProfileFactory()
    campaign = world.launch(action(event("ordered"), delay={"mode": "after", "count": 1, "unit": "hours"}, **settings))
    for _ in range(2):
        world.happens(ada, "ordered", n=str(world.now))
        world.wait()
    world.walk(NOON + 3 * HOUR, 10 * MINUTE)
    assert len(world.arrived) == sent
    assert reasons(campaign) == ({reason: 1} if reason else {})


def test_receipt_and_not_entry_makes_ineligible(world):
    ada = ProfileFactory()
    campaign = world.launch(action(event("ordered")))
    world.answer = lambda message: 404
    world.happens(ada, "ordered")
    world.wait()
    world.answer = lambda message: 200
    world.happens(ada, "ordered")
    world.wait()
    world.happens(ada, "ordered")
    world.wait()
    assert len(world.arrived) == 1
    assert counters.totals(campaign)["failed"] == 1
    assert reasons(campaign)["already_received"] == 1


def test_it_is_received_again_once_the_time_has_passed(world):
    ada = ProfileFactory()
    campaign = world.launch(action(event("ordered"), is_reeligible=True, reeligible_seconds=86_400))
    for hours in (0, 23, 24):
        world.go(NOON + hours * HOUR)
        world.happens(ada, "ordered")
        world.run()
    assert world.received_by(ada) == [NOON, NOON + DAY]
    assert reasons(campaign) == {"not_yet_reeligible": 1}


# --- exceptions


def waiting_campaign(world, *exceptions, trigger=None, **values):
    return world.launch(
        action(
            trigger or event("left_cart"),
            exceptions=list(exceptions),
            delay={"mode": "after", "count": 2, "unit": "hours"},
            **values,
        )
    )


def test_an_exception_event_drops_the_message_and_the_profile_may_qualify_again(world):
    ada = ProfileFactory()
    campaign = waiting_campaign(world, event("ordered"))
    world.happens(ada, "left_cart")
    world.wait(HOUR)
    world.happens(ada, "ordered")
    world.wait(3 * HOUR)
    assert world.arrived == []
    assert reasons(campaign) == {"exception_event": 1}
    adds_up(campaign)
    world.happens(ada, "left_cart")
    world.walk(world.now + 3 * HOUR)
    assert len(world.arrived) == 1


def test_an_exception_that_nobody_has_reacted_to_yet_counts_at_sending(world):
    ada = ProfileFactory()
    campaign = waiting_campaign(world, event("ordered"))
    world.happens(ada, "left_cart")
    world.run()
    world.go(NOON + 3 * HOUR)
    world.happens(ada, "ordered", at=NOON + HOUR)
    world.deliver()
    assert world.arrived == []
    assert reasons(campaign) == {"exception_event": 1}


def test_an_exception_before_the_trigger_does_not_count(world):
    ada = ProfileFactory()
    waiting_campaign(world, event("ordered"))
    world.go(NOON + HOUR)
    world.happens(ada, "left_cart")
    world.run()
    world.happens(ada, "ordered", at=NOON + 30 * MINUTE)
    world.walk(NOON + 4 * HOUR)
    assert len(world.arrived) == 1


def test_the_same_event_as_trigger_and_exception_restarts_the_wait(world):
    ada = ProfileFactory()
    campaign = waiting_campaign(world, event("left_cart"))
    for minutes in (0, 60, 120):
        world.go(NOON + minutes * MINUTE)
        world.happens(ada, "left_cart", at_minute=minutes)
        world.run()
    world.walk(NOON + 6 * HOUR, 30 * MINUTE)
    assert world.received_by(ada) == [NOON + 4 * HOUR]
    assert reasons(campaign) == {"exception_event": 2}


def test_an_exception_keyed_by_a_property_spares_other_orders(world):
    ada = ProfileFactory()
    same_cart = {"name": "cart", "op": "same_as", "source": "trigger", "other": "cart"}
    waiting_campaign(world, event("ordered", same_cart), is_reeligible=True, reeligible_seconds=0)
    for cart in ("a", "b"):
        world.happens(ada, "left_cart", cart=cart)
        world.run()
        world.wait()
    world.happens(ada, "ordered", cart="a")
    world.walk(NOON + 5 * HOUR)
    assert len(world.arrived) == 1
    assert Message.objects.get(outcome="received").context["event_properties"]["cart"] == "b"


# --- duration, portion of the day


def test_what_is_due_after_the_end_is_not_sent(world):
    ada = ProfileFactory()
    campaign = world.launch(
        action(event("ordered"), end_at=NOON + 3 * HOUR, delay={"mode": "after", "count": 2, "unit": "hours"})
    )
    world.go(NOON + 2 * HOUR)
    world.happens(ada, "ordered")
    world.walk(NOON + 6 * HOUR)
    assert world.arrived == []
    assert reasons(campaign) == {"outside_duration": 1}


def test_events_before_the_start_do_not_count(world):
    ada = ProfileFactory()
    world.launch(action(event("ordered"), start_at=NOON + HOUR))
    world.happens(ada, "ordered")
    world.walk(NOON + 2 * HOUR)
    assert world.arrived == []
    world.happens(ada, "ordered")
    world.run()
    assert len(world.arrived) == 1


@pytest.mark.parametrize(
    ("waits", "hour", "sent_at"),
    [(False, 12, 12), (False, 20, None), (True, 20, 33), (True, 12, 12)],
)
def test_the_portion_of_the_day(world, waits, hour, sent_at):
    ada = ProfileFactory()
    campaign = world.launch(action(event("ordered"), portion_start=time(9), portion_end=time(18), portion_waits=waits))
    midnight = NOON - 12 * HOUR
    world.go(midnight + hour * HOUR)
    world.happens(ada, "ordered")
    world.run()
    world.walk(midnight + 40 * HOUR)
    assert world.received_by(ada) == ([midnight + sent_at * HOUR] if sent_at else [])
    assert reasons(campaign) == ({} if sent_at else {"outside_portion_of_day": 1})


def test_due_outside_the_portion_is_dropped_unless_it_may_wait(world):
    ada = ProfileFactory()
    late = {"mode": "after", "count": 8, "unit": "hours"}
    dropped = world.launch(action(event("ordered"), delay=late, portion_start=time(9), portion_end=time(18)))
    moved = world.launch(
        action(event("ordered"), delay=late, portion_start=time(9), portion_end=time(18), portion_waits=True)
    )
    world.happens(ada, "ordered")
    world.walk(NOON + 24 * HOUR)
    assert world.received_by(ada, dropped) == []
    assert world.received_by(ada, moved) == [NOON + 21 * HOUR]


# --- re-evaluation, stop


def test_the_audience_is_asked_again_only_where_that_was_chosen(world):
    ada = ProfileFactory(country="KR")
    koreans = SegmentFactory(filters={"filter": "country", "op": "any_of", "values": ["KR"]})
    campaigns = []
    for again in (True, False):
        campaign = action(
            event("ordered"),
            to_everyone=False,
            re_evaluates=again,
            delay={"mode": "after", "count": 1, "unit": "hours"},
        )
        campaign.segments.add(koreans)
        campaigns.append(world.launch(campaign))
    world.happens(ada, "ordered")
    world.run()
    world.becomes(ada, country="FR")
    world.walk(NOON + 2 * HOUR)
    assert world.received_by(ada, campaigns[0]) == []
    assert reasons(campaigns[0]) == {"no_longer_in_audience": 1}
    assert len(world.received_by(ada, campaigns[1])) == 1


def test_a_stopped_campaign_reacts_to_nothing_and_goes_on_after_resuming(world):
    ada = ProfileFactory()
    campaign = world.launch(action(event("ordered")))
    world.wait()
    lifecycle.stop(campaign, world.now)
    world.happens(ada, "ordered")
    world.wait()
    lifecycle.resume(campaign, world.now)
    world.run()
    assert world.arrived == []
    world.wait()
    world.happens(ada, "ordered")
    world.run()
    assert len(world.arrived) == 1
    assert campaign.status == Status.ACTIVE


def test_control_is_entered_when_the_message_would_have_been_due(world):
    ada = ProfileFactory()
    campaign = CampaignFactory(
        delivery="action", triggers=[event("ordered")], delay={"mode": "after", "count": 1, "unit": "hours"}
    )
    campaign.variants.update(share=0)
    campaign.variants.create(name="Control", is_control=True, share=100)
    world.launch(campaign)
    world.happens(ada, "ordered")
    world.run()
    assert not ControlEntry.objects.exists()
    world.walk(NOON + 2 * HOUR)
    assert ControlEntry.objects.get().entered_at == NOON + HOUR
    assert world.arrived == []


def test_two_events_of_one_batch_send_once(world):
    ada = ProfileFactory()
    campaign = world.launch(action(event("ordered")))
    for n in range(3):
        world.happens(ada, "ordered", at=world.now + timedelta(0), n=n)
    world.run()
    assert len(world.arrived) == 1
    assert reasons(campaign) == {"already_pending": 2}
