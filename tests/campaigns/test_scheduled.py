"""One-off and recurring runs, in the company's zone and in each profile's."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from outreach import lifecycle, plan, runs
from outreach.models import Enrolment, Occurrence, Optimisation, Variant
from tests.campaigns.world import DAY, HOUR, MINUTE, adds_up, event, reasons
from tests.conftest import NOON
from tests.factories import CampaignFactory, ProfileFactory, SegmentFactory
from webhooks.models import Message
from workspace.models import Workspace

pytestmark = pytest.mark.django_db
AGAIN = {"is_reeligible": True, "reeligible_seconds": 0}


def test_a_daily_campaign_runs_at_its_time_until_its_last_day(world):
    ada = ProfileFactory()
    world.launch(CampaignFactory(start_at=NOON + HOUR, recurrence="daily", end_on=date(2026, 5, 8), **AGAIN))
    world.walk(NOON + 6 * DAY)
    assert world.received_by(ada) == [NOON + HOUR + n * DAY for n in range(3)]


def test_a_campaign_ends_after_so_many_times(world):
    ada = ProfileFactory()
    campaign = world.launch(
        CampaignFactory(start_at=NOON + HOUR, recurrence="weekly", weekdays=[2, 4], run_count=3, **AGAIN)
    )
    world.walk(NOON + 14 * DAY)
    assert [at.date().day for at in world.received_by(ada)] == [6, 8, 13]
    assert campaign.occurrences.count() == 3


def test_without_re_eligibility_a_recurring_campaign_reaches_newcomers_only(world):
    ada = ProfileFactory()
    campaign = world.launch(CampaignFactory(start_at=NOON + HOUR, recurrence="daily"))
    world.walk(NOON + DAY)
    bob = ProfileFactory()
    world.walk(NOON + 3 * DAY)
    assert (len(world.received_by(ada)), len(world.received_by(bob))) == (1, 1)
    assert reasons(campaign)["already_received"] == 3


@pytest.mark.parametrize(("again", "times"), [({}, 1), ({"is_reeligible": True, "reeligible_seconds": 3 * 86_400}, 2)])
def test_who_leaves_the_audience_and_comes_back_gets_it_again_only_where_that_is_allowed_and_once(world, again, times):
    ada = ProfileFactory(country="KR")
    campaign = CampaignFactory(start_at=NOON + HOUR, recurrence="daily", to_everyone=False, **again)
    campaign.segments.add(SegmentFactory(filters={"filter": "country", "op": "any_of", "values": ["KR"]}))
    world.launch(campaign)
    world.walk(NOON + 2 * HOUR)
    for day in range(1, 6):
        world.becomes(ada, country="JP" if day % 2 else "KR")
        world.walk(NOON + day * DAY + 2 * HOUR)
    assert len(world.received_by(ada)) == times
    assert Message.objects.filter(outcome="received").count() == times
    adds_up(campaign)


def test_a_day_of_re_eligibility_misses_whoever_received_it_late(world):
    """Sent at 8:30, asked at 8:00 the next day: 23 and a half hours."""
    ada = ProfileFactory()
    campaign = world.launch(
        CampaignFactory(start_at=NOON + HOUR, recurrence="daily", is_reeligible=True, reeligible_seconds=86_400)
    )
    campaign.sender.is_open = False
    campaign.sender.save()
    world.walk(NOON + HOUR + 30 * MINUTE, 30 * MINUTE)
    campaign.sender.is_open = True
    campaign.sender.save()
    world.walk(NOON + 4 * DAY, 30 * MINUTE)
    assert [at.day for at in world.received_by(ada)] == [6, 8, 9][: len(world.received_by(ada))]
    assert world.received_by(ada)[1].day == 8
    assert reasons(campaign)["not_yet_reeligible"] >= 1


def test_wall_clock_time_is_kept_over_a_clock_change(world):
    Workspace.objects.update_or_create(pk=1, defaults={"time_zone": "America/New_York"})
    ada = ProfileFactory()
    world.go(datetime(2026, 3, 6, 12, tzinfo=UTC))
    world.launch(CampaignFactory(start_at=datetime(2026, 3, 7, 14, tzinfo=UTC), recurrence="daily", **AGAIN))
    world.walk(datetime(2026, 3, 10, tzinfo=UTC), 30 * MINUTE)
    assert [at.hour for at in world.received_by(ada)] == [14, 13, 13]


def test_changing_the_workspace_zone_keeps_planned_instants(world):
    ada = ProfileFactory()
    world.launch(CampaignFactory(start_at=NOON + HOUR, recurrence="daily", **AGAIN))
    world.walk(NOON + 2 * HOUR)
    Workspace.objects.update(time_zone="Asia/Tokyo")
    world.walk(NOON + 2 * DAY)
    assert world.received_by(ada) == [NOON + HOUR, NOON + HOUR + DAY]


def test_editing_only_the_name_leaves_the_next_run(world):
    ProfileFactory()
    campaign = world.launch(CampaignFactory(start_at=NOON + HOUR, recurrence="daily", **AGAIN))
    before = campaign.occurrences.get().planned_at
    campaign.name = "Another"
    campaign.save()
    plan.plan_due(world.now)
    assert campaign.occurrences.get().planned_at == before


def test_runs_gone_by_while_nothing_ran_are_missed_and_the_next_is_sent(world):
    ada = ProfileFactory()
    campaign = world.launch(CampaignFactory(start_at=NOON + HOUR, recurrence="daily", **AGAIN))
    world.go(NOON + 3 * DAY)
    world.run()
    assert world.arrived == []
    assert campaign.occurrences.filter(result=Occurrence.Result.MISSED).count() == 3
    world.walk(NOON + 3 * DAY + 2 * HOUR)
    assert world.received_by(ada) == [NOON + 3 * DAY + HOUR]


def test_a_run_due_during_a_pause_is_not_made_up_for(world):
    ada = ProfileFactory()
    campaign = world.launch(CampaignFactory(start_at=NOON + HOUR, recurrence="daily", **AGAIN))
    lifecycle.pause(campaign, world.now)
    world.walk(NOON + 5 * HOUR)
    lifecycle.resume(campaign, world.now)
    world.walk(NOON + 30 * HOUR)
    assert world.received_by(ada) == [NOON + 25 * HOUR]


def test_the_segment_is_computed_when_the_run_begins(world):
    ada, bob = ProfileFactory(country="KR"), ProfileFactory(country="FR")
    campaign = CampaignFactory(to_everyone=False, start_at=NOON + HOUR)
    campaign.segments.add(SegmentFactory(filters={"filter": "country", "op": "any_of", "values": ["KR"]}))
    world.launch(campaign)
    world.becomes(ada, country="FR")
    world.becomes(bob, country="KR")
    world.walk(NOON + 2 * HOUR)
    assert (len(world.received_by(ada)), len(world.received_by(bob))) == (0, 1)


def test_what_waited_for_its_turn_is_judged_again(world):
    ada = ProfileFactory(country="KR")
    campaign = CampaignFactory(to_everyone=False)
    campaign.segments.add(SegmentFactory(filters={"filter": "country", "op": "any_of", "values": ["KR"]}))
    world.launch(campaign)
    plan.plan_due(world.now)
    world.becomes(ada, country="FR")
    world.wait(2 * MINUTE)
    assert world.arrived == []
    assert reasons(campaign) == {"no_longer_in_audience": 1}


# --- local time


def local(world, at: datetime, **values):
    return world.launch(CampaignFactory(start_at=at, is_local=True, **values))


def test_everybody_gets_it_at_that_time_on_their_own_clock(world):
    places = ["Asia/Tokyo", "Europe/Paris", "America/Los_Angeles", "Pacific/Kiritimati", ""]
    people = {place: ProfileFactory(time_zone=place) for place in places}
    campaign = local(world, datetime(2026, 5, 8, 9, tzinfo=UTC))
    world.walk(NOON + 4 * DAY, 30 * MINUTE)
    for place, profile in people.items():
        (at,) = world.received_by(profile, campaign)
        assert at.astimezone(ZoneInfo(place or "UTC")).replace(tzinfo=None) == datetime(2026, 5, 8, 9)


def test_a_profile_must_be_in_the_audience_when_the_first_zone_gets_there_and_when_its_own_does(world):
    koreans = SegmentFactory(filters={"filter": "language", "op": "any_of", "values": ["ko"]})
    always, left, joined = (ProfileFactory(language=code, time_zone="America/New_York") for code in ("ko", "ko", "en"))
    campaign = CampaignFactory(to_everyone=False, start_at=datetime(2026, 5, 8, 14, tzinfo=UTC), is_local=True)
    campaign.segments.add(koreans)
    world.launch(campaign)
    world.walk(datetime(2026, 5, 8, 3, tzinfo=UTC))
    world.becomes(left, language="en")
    world.becomes(joined, language="ko")
    world.walk(datetime(2026, 5, 9, tzinfo=UTC))
    assert [len(world.received_by(p)) for p in (always, left, joined)] == [1, 0, 0]


def test_launched_late_it_goes_at_once_where_it_is_at_most_an_hour_past(world):
    """Launched at 13:00 for 15:00: at 15:00 to 16:00 at once, at 17:00 not at all."""
    zones = {"Etc/GMT-2": HOUR * 0, "Etc/GMT-3": HOUR * 0, "Etc/GMT-4": None, "Etc/GMT": 2 * HOUR}
    people = {zone: ProfileFactory(time_zone=zone) for zone in zones}
    world.go(NOON + HOUR)
    campaign = local(world, NOON + 3 * HOUR)
    world.run()
    world.walk(NOON + DAY, 15 * MINUTE)
    for zone, wait in zones.items():
        assert world.received_by(people[zone]) == ([] if wait is None else [NOON + HOUR + wait]), zone
    assert reasons(campaign) == {"local_time_passed": 1}


def test_a_zone_changed_after_the_first_check_moves_nothing(world):
    ada = ProfileFactory(time_zone="Europe/Paris")
    local(world, datetime(2026, 5, 8, 9, tzinfo=UTC))
    world.walk(datetime(2026, 5, 8, 2, tzinfo=UTC))
    world.becomes(ada, time_zone="America/New_York")
    world.walk(datetime(2026, 5, 10, tzinfo=UTC))
    assert world.received_by(ada) == [datetime(2026, 5, 8, 7, tzinfo=UTC)]


def test_a_recurring_local_campaign_sends_once_a_day_everywhere(world):
    people = [ProfileFactory(time_zone=zone) for zone in ("Asia/Tokyo", "America/Los_Angeles")]
    local(world, datetime(2026, 5, 8, 9, tzinfo=UTC), recurrence="daily", run_count=3, **AGAIN)
    world.walk(NOON + 8 * DAY)
    for profile in people:
        zone = ZoneInfo(profile.time_zone)
        shown = [at.astimezone(zone).replace(tzinfo=None) for at in world.received_by(profile)]
        assert shown == [datetime(2026, 5, day, 9) for day in (8, 9, 10)]


# --- limits


def test_the_maximum_of_recipients_in_total_holds_over_runs(world):
    ProfileFactory.create_batch(12)
    campaign = world.launch(CampaignFactory(start_at=NOON + HOUR, recurrence="daily", most_recipients=5, **AGAIN))
    world.walk(NOON + 4 * DAY)
    assert len(world.arrived) == 5
    assert reasons(campaign)["volume_limit"] >= 7
    adds_up(campaign)


def test_the_maximum_of_recipients_for_each_run_is_a_stable_random_choice(world):
    people = ProfileFactory.create_batch(30)
    world.launch(
        CampaignFactory(start_at=NOON + HOUR, recurrence="daily", most_recipients=5, recipients_per="run", **AGAIN)
    )
    world.walk(NOON + 3 * DAY)
    by_day = [{a.profile for a in world.arrived if a.at.day == day} for day in (6, 7, 8)]
    assert [len(day) for day in by_day] == [5, 5, 5]
    assert by_day[0] != {p.pk for p in people[:5]}
    assert by_day[0] != by_day[1]


def test_the_control_group_uses_no_place_of_the_limit(world):
    ProfileFactory.create_batch(60)
    campaign = CampaignFactory(most_recipients=20)
    campaign.variants.update(share=50)
    campaign.variants.create(name="Control", is_control=True, share=50)
    world.launch(campaign)
    world.run()
    assert len(world.arrived) == 20


# --- a winning variant


def test_a_winner_goes_to_those_whom_the_test_held_back(world):
    people = ProfileFactory.create_batch(700)
    campaign = CampaignFactory(
        optimisation=Optimisation.WINNER, held_share=40, winner_at=NOON + DAY, sends_best_anyway=False
    )
    campaign.variants.update(share=30)
    better = Variant.objects.create(outreach=campaign, name="Better", position=1, share=30)
    source = campaign.variants.get(name="Variant 1").contents.get()
    better.variant_contents.create(content=source.copy())
    campaign.conversion_events.create(trigger=event("ordered"))
    world.launch(campaign)
    world.run()
    tested = {a.profile for a in world.arrived}
    assert 0 < len(tested) < 700
    world.wait()
    fans = {a.profile for a in world.arrived if a.variant == better.pk}
    for number, profile in enumerate(p for p in people if p.pk in fans):
        if number % 2:
            world.happens(profile, "ordered")
    world.run()
    world.walk(NOON + DAY + 2 * HOUR, 6 * HOUR)
    late = [a for a in world.arrived if a.profile not in tested]
    assert {a.variant for a in late} == {better.pk}
    assert len(world.arrived) == len({a.profile for a in world.arrived}) == 700
    assert Variant.objects.get(is_winner=True) == better


def test_without_a_clear_winner_nothing_more_is_sent_if_that_was_chosen(world):
    ProfileFactory.create_batch(100)
    campaign = CampaignFactory(
        optimisation=Optimisation.WINNER, held_share=50, winner_at=NOON + DAY, sends_best_anyway=False
    )
    campaign.variants.update(share=25)
    other = Variant.objects.create(outreach=campaign, name="B", share=25)
    other.variant_contents.create(content=campaign.variants.get(name="Variant 1").contents.get().copy())
    campaign.conversion_events.create(trigger=event("ordered"))
    world.launch(campaign)
    world.walk(NOON + 2 * DAY)
    assert len(world.arrived) == Enrolment.objects.count() < 100
    assert reasons(campaign)["held_for_winner"] == 100 - len(world.arrived)


def test_stopping_after_the_test_cancels_the_winner_for_good(world):
    ProfileFactory.create_batch(40)
    campaign = CampaignFactory(optimisation=Optimisation.WINNER, held_share=50, winner_at=NOON + DAY)
    campaign.variants.update(share=25)
    other = Variant.objects.create(outreach=campaign, name="B", share=25)
    other.variant_contents.create(content=campaign.variants.get(name="Variant 1").contents.get().copy())
    campaign.conversion_events.create(trigger=event("ordered"))
    world.launch(campaign)
    world.run()
    sent = len(world.arrived)
    lifecycle.stop(campaign, world.now)
    lifecycle.resume(campaign, world.now)
    world.walk(NOON + 2 * DAY)
    assert len(world.arrived) == sent


# --- the next runs


def test_the_next_five_runs(world):
    campaign = CampaignFactory(start_at=NOON + HOUR, recurrence="monthly", month_days=[31], zone="Europe/Paris")
    shown = [f"{at.astimezone(ZoneInfo('Europe/Paris')):%m-%d %H:%M}" for at in runs.upcoming(campaign, NOON)]
    assert shown == ["05-31 15:00", "06-30 15:00", "07-31 15:00", "08-31 15:00", "09-30 15:00"]


def test_a_due_time_is_judged_by_the_new_content(world):
    """An edit reaches everything that was not sent yet."""
    ProfileFactory()
    campaign = world.launch(CampaignFactory(start_at=NOON + HOUR))
    world.walk(NOON + 30 * MINUTE)
    content = campaign.variants.get().contents.get()
    content.url = "https://example.com/new"
    content.save()
    world.walk(NOON + 2 * HOUR)
    assert Message.objects.get().content.url == "https://example.com/new"
