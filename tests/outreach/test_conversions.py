"""Who gets the credit, whatever the order in which events come in."""

import itertools
import random
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach import conversions, counters, results
from outreach.conversions import Exposure, credited
from outreach.models import Conversion, Variant
from tests.campaigns.conftest import world as world
from tests.campaigns.world import DAY, HOUR, MINUTE, action, event
from tests.conftest import NOON
from tests.factories import CampaignFactory, ProfileFactory
from webhooks.models import Receipt

pytestmark = pytest.mark.django_db
WEEK = 7 * 86_400
AGAIN = {"is_reeligible": True, "reeligible_seconds": 0}


def campaign_with(world, *triggers, window=WEEK, **values):
    campaign = action(event("start"), **(AGAIN | values))
    for position, trigger in enumerate(triggers or [event("ordered")]):
        campaign.conversion_events.create(position=position, trigger=trigger, window_seconds=window)
    return world.launch(campaign)


def begin(world, profile):
    world.happens(profile, "start", n=str(world.now))
    world.run()


def order(world, profile, at=None, **properties):
    world.happens(profile, "ordered", at=at, **({"n": str(at or world.now)} | properties))
    world.run()


def test_doing_it_within_the_window_converts_once(world):
    ada = ProfileFactory()
    campaign = campaign_with(world)
    begin(world, ada)
    for _ in range(3):
        world.wait(HOUR)
        order(world, ada)
    assert Conversion.objects.count() == 1
    assert Conversion.objects.get().converted_at == NOON + HOUR
    assert counters.totals(campaign)["converted"] == 1


@pytest.mark.parametrize(("seconds", "converts"), [(1, True), (WEEK, True), (WEEK + 1, False), (-60, False)])
def test_the_events_own_time_decides(world, seconds, converts):
    ada = ProfileFactory()
    campaign_with(world)
    world.go(NOON + HOUR)
    begin(world, ada)
    world.go(NOON + 8 * DAY)
    order(world, ada, at=NOON + HOUR + timedelta(seconds=seconds))
    assert Conversion.objects.exists() == converts


def test_two_days_after_the_window_an_event_is_too_late(world):
    ada, bob = ProfileFactory(), ProfileFactory()
    campaign_with(world, window=86_400)
    begin(world, ada)
    begin(world, bob)
    world.go(NOON + 3 * DAY)
    order(world, ada, at=NOON + HOUR)
    world.go(NOON + 3 * DAY + MINUTE)
    order(world, bob, at=NOON + HOUR)
    assert [c.profile for c in Conversion.objects.all()] == [ada]


def test_two_campaigns_get_one_purchase_each_in_full(world):
    ada = ProfileFactory()
    for _ in range(2):
        campaign_with(world, {"kind": "purchase"})
    begin(world, ada)
    world.wait(HOUR)
    world.buys(ada, "shoes")
    world.run()
    assert Conversion.objects.count() == 2


def test_of_two_receipts_the_later_one_converts(world):
    ada = ProfileFactory()
    campaign_with(world)
    begin(world, ada)
    world.wait(DAY)
    begin(world, ada)
    world.wait(DAY)
    order(world, ada)
    order(world, ada, at=NOON + HOUR)  # late: before the second receipt, so it is the first one's
    assert sorted(Conversion.objects.values_list("exposed_at", flat=True)) == [NOON, NOON + DAY]


def test_the_order_in_which_events_arrive_changes_nothing(world):
    """Three receipts, five events, every arrival order of them gives the same credit."""
    times = [NOON + hours * HOUR for hours in (1, 20, 30, 50, 90)]
    expected = None
    for arrival in random.Random(5).sample(list(itertools.permutations(times)), 6):
        ada = ProfileFactory()
        world.go(NOON)
        campaign = campaign_with(world, window=2 * 86_400)
        for day in range(3):
            world.go(NOON + day * DAY)
            begin(world, ada)
        world.go(NOON + 3.9 * DAY)
        for at in arrival:
            order(world, ada, at=at)
        found = sorted(campaign.conversion_rows.values_list("exposed_at", "converted_at"))
        expected = expected or found
        assert found == expected
        assert len(found) == 3
        campaign.status = "stopped"
        campaign.save()


def test_control_is_counted_from_its_enrolment(world):
    ada = ProfileFactory()
    campaign = action(event("start"))
    campaign.variants.update(share=0)
    control = campaign.variants.create(name="Control", is_control=True, share=100)
    campaign.conversion_events.create(trigger=event("ordered"), window_seconds=WEEK)
    world.launch(campaign)
    begin(world, ada)
    world.wait(HOUR)
    order(world, ada)
    conversion = Conversion.objects.get()
    assert (conversion.is_control, conversion.variant) == (True, control.pk)
    (figures,) = results.figures_of(campaign, [control])
    assert (figures.reached, figures.converted) == (1, 1)


def test_the_trigger_itself_never_converts(world):
    ada = ProfileFactory()
    campaign_with(world, event("start"))
    begin(world, ada)
    assert not Conversion.objects.exists()
    world.wait(HOUR)
    world.happens(ada, "start", n="again")
    world.run()
    assert Conversion.objects.count() == 1


def test_properties_of_a_conversion_event_are_asked(world):
    ada = ProfileFactory()
    more = {"name": "basket.total", "type": "number", "op": "more", "value": 50}
    campaign_with(world, event("ordered", more))
    begin(world, ada)
    world.wait()
    order(world, ada, basket={"total": 20})
    assert not Conversion.objects.exists()
    order(world, ada, basket={"total": 60})
    assert Conversion.objects.count() == 1


def test_a_failed_message_opens_no_window(world):
    ada = ProfileFactory()
    campaign_with(world)
    world.answer = lambda message: 404
    begin(world, ada)
    world.wait()
    order(world, ada)
    assert not Conversion.objects.exists()


def test_a_message_delivered_after_an_hour_opens_its_window_then(world):
    ada = ProfileFactory()
    campaign_with(world, window=3600)
    world.answer = lambda message: 503
    begin(world, ada)
    world.answer = lambda message: 200
    world.go(NOON + 25 * MINUTE)
    world.run()
    received = Receipt.objects.get().received_at
    assert received == NOON + 25 * MINUTE
    world.go(received + 59 * MINUTE)
    order(world, ada)
    assert Conversion.objects.count() == 1


def test_four_events_are_counted_apart(world):
    ada = ProfileFactory()
    campaign = campaign_with(world, *(event(f"e{n}") for n in range(4)))
    begin(world, ada)
    world.wait()
    for n in (0, 2, 2):
        world.happens(ada, f"e{n}", n=str(n))
    world.run()
    (line,) = results.table(campaign)
    assert [each.conversions for each in line.events] == [1, 0, 1, 0]
    assert [each.label for each in line.events] == ["A", "B", "C", "D"]


def test_the_results_compare_each_arm_with_control(world):
    people = ProfileFactory.create_batch(400)
    campaign = CampaignFactory()
    campaign.variants.update(share=60)
    control = Variant.objects.create(outreach=campaign, name="Control", is_control=True, share=40)
    campaign.conversion_events.create(trigger=event("ordered"))
    world.launch(campaign)
    world.run()
    world.wait()
    held = set(campaign.control_entries.values_list("profile_id", flat=True))
    for number, profile in enumerate(people):
        if number % (10 if profile.pk in held else 3) == 0:
            order(world, profile)
    lines = {line.variant: line for line in results.table(campaign)}
    sent = next(line for arm, line in lines.items() if not arm.is_control).events[0]
    assert lines[control].recipients == len(held)
    assert sent.figures.reached == 400 - len(held)
    assert sent.uplift > 0.5
    assert sent.is_significant
    assert sent.difference[0] > 0
    assert lines[control].events[0].uplift is None


moments = st.integers(0, 10_000).map(lambda seconds: NOON + timedelta(seconds=seconds))


@given(st.lists(moments, max_size=6), moments, st.integers(60, 5_000))
def test_credit_goes_to_the_latest_open_window(exposures, happened, window):
    rows = [Exposure(n, 1, at, False) for n, at in enumerate(exposures)]
    found = credited(happened, happened + timedelta(hours=1), rows, timedelta(seconds=window))
    open_ = [at for at in exposures if at <= happened <= at + timedelta(seconds=window)]
    assert (found.at if found else None) == max(open_, default=None)


def test_within_one_second_the_order_of_arrival_decides():
    exposure = Exposure(1, 1, NOON + timedelta(milliseconds=500), False)
    day = timedelta(days=1)
    assert credited(NOON, NOON + timedelta(milliseconds=700), [exposure], day) == exposure
    assert credited(NOON, NOON + timedelta(milliseconds=300), [exposure], day) is None


def test_nothing_is_listened_for_without_a_conversion_event(world):
    ProfileFactory()
    world.launch(CampaignFactory())
    kind = conversions.PendingEvent.Kind.CUSTOM_EVENT
    assert conversions.listener({kind: {"ordered"}}) == {}
