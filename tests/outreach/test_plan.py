from datetime import timedelta

import pytest
from django.utils import timezone

from campaigns import launch
from outreach import arms, counters, plan, variants
from outreach.models import ControlEntry, Dispatch, Enrolment, Occurrence, Variant
from tests.factories import CampaignFactory, ProfileFactory, SegmentFactory
from webhooks.models import Message, Receipt

pytestmark = pytest.mark.django_db(transaction=True)


def launched(people: int = 5, **kwargs):
    ProfileFactory.create_batch(people)
    campaign = CampaignFactory(**kwargs)
    return campaign, launch.start(campaign, timezone.now())


def run(occurrence: Occurrence, size: int = 10_000) -> None:
    while (chunk := plan.plan_chunk(occurrence.pk, timezone.now(), size)) and not chunk.is_last:
        pass


def test_everybody_gets_one_message_and_an_arm():
    campaign, occurrence = launched(5)
    run(occurrence)
    assert Message.objects.count() == Enrolment.objects.filter(outreach=campaign).count() == 5
    assert counters.totals(campaign)["planned"] == counters.totals(campaign)["pending"] == 5
    occurrence.refresh_from_db()
    assert (occurrence.considered_count, occurrence.planned_count, occurrence.result) == (5, 5, "planned")


def test_planning_twice_creates_nothing():
    campaign, occurrence = launched(5)
    run(occurrence)
    Occurrence.objects.update(finished_at=None, cursor=0)  # as after a restore, or a crash before the cursor moved
    run(occurrence)
    assert Message.objects.count() == 5
    assert counters.totals(campaign)["planned"] == 5


def test_planning_goes_on_where_it_was_interrupted():
    _, occurrence = launched(7)
    assert plan.plan_chunk(occurrence.pk, timezone.now(), 3).planned == 3
    assert Message.objects.count() == 3
    run(occurrence, 3)
    assert Message.objects.count() == 7


def test_asking_for_the_same_instant_twice_gives_one_occurrence():
    campaign, occurrence = launched(1)
    again = plan.occurrence_at(campaign, occurrence.planned_at)
    assert again == occurrence
    assert Dispatch.objects.count() == 1


def test_who_received_it_before_is_left_out_of_the_next_run():
    campaign, occurrence = launched(3)
    run(occurrence)
    first = Message.objects.order_by("pk").first()
    Message.objects.update(finished_at=timezone.now(), outcome="failed")
    Receipt.objects.create(
        sender=campaign.sender,
        profile_id=first.profile_id,
        cause=first.cause,
        reserved_at=timezone.now(),
        received_at=timezone.now(),
    )
    run(plan.occurrence_at(campaign, timezone.now()))
    again = Message.objects.exclude(cause=first.cause)
    assert again.count() == 2
    assert first.profile_id not in again.values_list("profile_id", flat=True)


def test_who_still_waits_for_a_message_gets_no_second_one():
    campaign, occurrence = launched(3)
    run(occurrence)
    run(plan.occurrence_at(campaign, timezone.now()))
    assert Message.objects.count() == 3


def test_a_control_group_is_enrolled_and_sent_nothing(sink, pump):
    campaign = CampaignFactory(url=f"{sink.url}/x")
    variants.add(campaign, "Control", is_control=True)
    ProfileFactory.create_batch(60)
    run(launch.start(campaign, timezone.now()))
    pump.run()
    control = Variant.objects.get(is_control=True)
    held = set(Enrolment.objects.filter(variant=control).values_list("profile_id", flat=True))
    assert held
    assert held == set(ControlEntry.objects.values_list("profile_id", flat=True))
    assert not held & set(Receipt.objects.values_list("profile_id", flat=True))
    assert len(sink.received) == 60 - len(held)
    assert counters.totals(campaign)["enrolled"] == counters.totals(campaign)["skipped"] == len(held)


def test_several_webhooks_of_a_variant_make_several_messages():
    campaign = CampaignFactory()
    variant = campaign.variants.get()
    variants.add_webhook(variant, variant.contents.get().copy())
    ProfileFactory.create_batch(2)
    run(launch.start(campaign, timezone.now()))
    assert sorted(Message.objects.values_list("slot", flat=True)) == [0, 0, 1, 1]


def test_an_arm_once_given_stays_while_its_share_does():
    campaign, occurrence = launched(40)
    variants.add(campaign, "Second", campaign.variants.get())
    Variant.objects.filter(name="Second").update(share=0)
    Variant.objects.exclude(name="Second").update(share=100)
    run(occurrence)
    before = dict(Enrolment.objects.values_list("profile_id", "variant_id"))
    Message.objects.update(finished_at=timezone.now(), outcome="failed")
    run(plan.occurrence_at(campaign, timezone.now()))
    assert dict(Enrolment.objects.values_list("profile_id", "variant_id")) == before


def test_changed_shares_move_people_to_the_arm_of_their_hash():
    campaign, occurrence = launched(40)
    run(occurrence)
    second = variants.add(campaign, "Second", campaign.variants.get())
    Message.objects.update(finished_at=timezone.now(), outcome="failed")
    run(plan.occurrence_at(campaign, timezone.now()))
    moved = dict(Enrolment.objects.values_list("profile_id", "variant_id"))
    expected = {pk for pk in moved if arms.slot_of(pk, campaign.pk) >= 50}
    assert {pk for pk, arm in moved.items() if arm == second.pk} == expected


def test_a_deleted_segment_means_nobody_never_everybody():
    segment = SegmentFactory()
    campaign = CampaignFactory(to_everyone=False)
    campaign.segments.add(segment)
    ProfileFactory.create_batch(3)
    occurrence = launch.start(campaign, timezone.now())
    segment.delete()
    run(occurrence)
    assert Message.objects.count() == 0


def test_a_limit_takes_that_many_whatever_the_chunks():
    campaign = CampaignFactory()
    ProfileFactory.create_batch(20)
    occurrence = launch.start(campaign, timezone.now(), limit=7)
    run(occurrence, 3)
    assert Message.objects.count() == 7


def test_a_run_found_hours_late_is_missed():
    campaign = CampaignFactory(start_at=timezone.now() + timedelta(hours=1))
    ProfileFactory()
    occurrence = launch.start(campaign, timezone.now())
    assert plan.plan_due(timezone.now() + timedelta(hours=2, minutes=1)) == 0
    occurrence.refresh_from_db()
    assert occurrence.result == Occurrence.Result.MISSED
    assert Message.objects.count() == 0


def test_a_run_found_a_little_late_is_sent():
    campaign = CampaignFactory(start_at=timezone.now() + timedelta(hours=1))
    ProfileFactory()
    launch.start(campaign, timezone.now())
    assert plan.plan_due(timezone.now()) == 0
    assert plan.plan_due(timezone.now() + timedelta(hours=1, minutes=50)) == 1


def test_queries_do_not_grow_with_profiles(django_assert_max_num_queries):
    _, occurrence = launched(50)
    with django_assert_max_num_queries(35):
        run(occurrence)
