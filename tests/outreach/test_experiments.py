"""Intelligent selection and winners on a real database."""

from datetime import timedelta

import pytest

from outreach import experiments, results
from outreach.models import Conversion, Optimisation, Outreach, Recalculation, Status, Variant
from tests.campaigns.conftest import world as world
from tests.campaigns.world import DAY, HOUR, MINUTE, action, event
from tests.conftest import NOON
from tests.factories import CampaignFactory, ProfileFactory
from webhooks.models import Receipt

pytestmark = pytest.mark.django_db


def selection(shares=(50, 50), control: int = 0) -> Outreach:
    campaign = CampaignFactory(optimisation=Optimisation.SELECTION, status=Status.ACTIVE)
    campaign.variants.all().delete()
    for number, share in enumerate(shares):
        Variant.objects.create(outreach=campaign, name=f"V{number}", position=number, share=share)
    if control:
        Variant.objects.create(outreach=campaign, name="Control", is_control=True, share=control)
    campaign.conversion_events.create(trigger=event("ordered"), window_seconds=4 * 3600)
    return campaign


def reached(campaign: Outreach, variant: Variant, count: int, converted: int, at=NOON - DAY) -> None:
    people = ProfileFactory.create_batch(count)
    goal = campaign.conversion_events.get()
    for number, profile in enumerate(people):
        Receipt.objects.create(
            sender=campaign.sender, profile=profile, cause=1, variant=variant.pk, reserved_at=at, received_at=at
        )
        if number < converted:
            Conversion.objects.create(
                event=goal,
                outreach=campaign,
                profile=profile,
                variant=variant.pk,
                cause=1,
                exposed_at=at,
                converted_at=at,
            )


def weights(campaign: Outreach) -> dict[str, int | None]:
    return dict(campaign.variants.values_list("name", "weight"))


def test_shares_move_towards_the_better_arm_twice_a_day(world):
    campaign = selection()
    one, two = campaign.variants.all()
    reached(campaign, one, 60, 3)
    reached(campaign, two, 60, 9)
    assert experiments.recalculate_due(NOON) == 1
    assert weights(campaign)["V1"] > 900
    assert sum(weights(campaign).values()) == 1000
    assert experiments.recalculate_due(NOON + 11 * HOUR) == 0
    assert experiments.recalculate_due(NOON + 12 * HOUR) == 1
    row = Recalculation.objects.first()
    assert [(arm["reached"], arm["converted"]) for arm in row.figures] == [(60, 3), (60, 9)]


def test_receipts_too_fresh_to_convert_do_not_count(world):
    campaign = selection()
    one, two = campaign.variants.all()
    reached(campaign, one, 40, 4, at=NOON - 61 * MINUTE)
    reached(campaign, two, 40, 0, at=NOON - 59 * MINUTE)  # a quarter of four hours is an hour
    figures = results.figures_of(campaign, [one, two], ripe_by=NOON)
    assert [f.reached for f in figures] == [40, 0]


def test_it_ends_when_the_better_arm_is_beyond_doubt(world):
    campaign = selection()
    one, two = campaign.variants.all()
    reached(campaign, one, 120, 6)
    reached(campaign, two, 120, 60)
    experiments.recalculate(campaign, NOON)
    campaign.refresh_from_db()
    assert campaign.decided_at == NOON
    assert weights(campaign) == {"V0": 0, "V1": 1000}
    assert Variant.objects.get(is_winner=True) == two
    assert experiments.recalculate_due(NOON + DAY) == 0


def test_new_sends_follow_the_weights_and_control_keeps_its_share(world):
    campaign = action(
        event("start"), optimisation=Optimisation.SELECTION, is_reeligible=True, reeligible_seconds=86_400
    )
    first = campaign.variants.get()
    second = Variant.objects.create(outreach=campaign, name="B", share=40)
    second.variant_contents.create(content=first.contents.get().copy())
    campaign.variants.filter(pk=first.pk).update(share=40)
    Variant.objects.create(outreach=campaign, name="Control", is_control=True, share=20)
    campaign.conversion_events.create(trigger=event("ordered"))
    world.launch(campaign)
    campaign.variants.filter(pk=first.pk).update(weight=50)
    campaign.variants.filter(pk=second.pk).update(weight=950)
    people = ProfileFactory.create_batch(300)
    for profile in people:
        world.happens(profile, "start")
    world.run()
    by_arm = {arm: sum(a.variant == arm.pk for a in world.arrived) for arm in (first, second)}
    held = campaign.control_entries.count()
    assert 30 < held < 90
    assert by_arm[second] > 8 * by_arm[first]
    world.wait(2 * DAY)
    for profile in people:
        world.happens(profile, "start", again="yes")
    world.run()
    assert campaign.control_entries.values("profile").distinct().count() == held


def test_a_decision_is_made_once(world):
    campaign = selection()
    Outreach.objects.filter(pk=campaign.pk).update(optimisation=Optimisation.WINNER)
    one, two = campaign.variants.all()
    reached(campaign, one, 110, 5)
    reached(campaign, two, 110, 50)
    assert experiments.decide(campaign, NOON) == two
    reached(campaign, one, 100, 100)
    assert experiments.decide(campaign, NOON + timedelta(hours=1)) == two
    assert Recalculation.objects.count() == 1


@pytest.mark.parametrize(("anyway", "expected"), [(True, "V1"), (False, None)])
def test_without_a_clear_winner_the_best_goes_out_only_if_that_was_chosen(world, anyway, expected):
    campaign = selection()
    Outreach.objects.filter(pk=campaign.pk).update(optimisation=Optimisation.WINNER, sends_best_anyway=anyway)
    one, two = campaign.variants.all()
    reached(campaign, one, 110, 10)
    reached(campaign, two, 110, 12)
    found = experiments.decide(campaign, NOON)
    assert (found.name if found else None) == expected
