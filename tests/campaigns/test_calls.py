"""API-triggered campaigns: recipients, broadcast, and calls that are made twice."""

import pytest

from audience.ingest.items import By, Identifier
from audience.models import Alias, Profile
from campaigns import calls
from campaigns.calls import Recipient, UnusableCall
from outreach import lifecycle
from outreach.errors import WrongStatus
from outreach.models import Dispatch
from tests.campaigns.world import DAY, HOUR, adds_up, reasons
from tests.conftest import NOON
from tests.factories import CampaignFactory, ProfileFactory, SegmentFactory
from webhooks.models import Message

pytestmark = pytest.mark.django_db
KOREA = {"filter": "country", "op": "any_of", "values": ["KR"]}


def to(profile: Profile, **values) -> Recipient:
    return Recipient(Identifier(By.EXTERNAL_ID, profile.external_id), **values)


def by_api(world, **values):
    return world.launch(CampaignFactory(delivery="api", **values))


def test_named_recipients_get_it_with_their_own_properties(world):
    ada, bob, _other = ProfileFactory.create_batch(3)
    Alias.objects.create(profile=bob, label="crm", name="b-1")
    campaign = by_api(world)
    answer = calls.send(
        campaign,
        [to(ada, properties={"code": 7}), Recipient(Identifier(By.ALIAS, "b-1", "crm"))],
        world.now,
        trigger_properties={"code": 1, "shop": "A"},
    )
    world.run()
    assert answer.accepted == 2
    assert {a.profile for a in world.arrived} == {ada.pk, bob.pk}
    assert Message.objects.get(profile=ada.pk).context == {"api_trigger_properties": {"code": 7}}
    assert Dispatch.objects.get().context == {"code": 1, "shop": "A"}
    assert answer.dispatch_id == Dispatch.objects.get().key


def test_the_answer_says_why_the_others_get_nothing(world):
    ada, stranger = ProfileFactory(country="KR"), ProfileFactory(country="FR")
    campaign = CampaignFactory(delivery="api", to_everyone=False)
    campaign.segments.add(SegmentFactory(filters=KOREA))
    world.launch(campaign)
    nobody = Recipient(Identifier(By.EXTERNAL_ID, "nobody"))
    first = calls.send(campaign, [to(ada), to(ada), to(stranger), nobody], world.now)
    assert (first.accepted, dict(first.refused)) == (
        1,
        {"duplicate": 1, "not_in_audience": 1, "profile_not_found": 1},
    )
    world.run()
    second = calls.send(campaign, [to(ada)], world.now)
    assert (second.accepted, dict(second.refused)) == (0, {"already_received": 1})
    assert reasons(campaign)["already_received"] == 1
    adds_up(campaign)


def test_the_same_send_id_sends_once_in_a_day(world):
    ada = ProfileFactory()
    campaign = by_api(world, is_reeligible=True, reeligible_seconds=0)
    for hours in (0, 1, 23):
        world.go(NOON + hours * HOUR)
        calls.send(campaign, [to(ada)], world.now, send_id="spring")
        world.run()
    assert len(world.arrived) == 1
    world.go(NOON + DAY + HOUR)
    calls.send(campaign, [to(ada)], world.now, send_id="spring")
    world.run()
    assert len(world.arrived) == 2


def test_attributes_come_first_and_may_make_the_profile(world):
    campaign = CampaignFactory(delivery="api", to_everyone=False)
    campaign.segments.add(SegmentFactory(filters=KOREA))
    ProfileFactory(country="KR")
    world.launch(campaign)
    new = Recipient(Identifier(By.EXTERNAL_ID, "new"), attributes={"country": "KR"}, send_to_existing_only=False)
    kept = Recipient(Identifier(By.EXTERNAL_ID, "unknown"), attributes={"country": "KR"})
    answer = calls.send(campaign, [new, kept], world.now)
    assert answer.accepted == 1
    assert not Profile.objects.filter(external_id="unknown").exists()


def test_a_broadcast_reaches_the_audience_narrowed_for_this_once(world):
    ada, _bob = ProfileFactory(country="KR"), ProfileFactory(country="FR")
    campaign = by_api(world)
    calls.broadcast(campaign, world.now, audience=KOREA, trigger_properties={"shop": "A"})
    world.run()
    assert [a.profile for a in world.arrived] == [ada.pk]
    world.wait()
    calls.broadcast(campaign, world.now)
    world.run()
    assert len(world.arrived) == 2


def test_a_broadcast_can_be_scheduled(world):
    ProfileFactory()
    campaign = by_api(world)
    calls.broadcast(campaign, world.now, due_at=NOON + 3 * HOUR, send_id="x")
    calls.broadcast(campaign, world.now, due_at=NOON + 3 * HOUR, send_id="x")
    world.walk(NOON + 5 * HOUR)
    assert [a.at for a in world.arrived] == [NOON + 3 * HOUR]


def test_a_paused_campaign_answers_with_a_notice_and_sends_nothing(world):
    ada = ProfileFactory()
    campaign = by_api(world)
    lifecycle.pause(campaign, world.now)
    answer = calls.send(campaign, [to(ada)], world.now)
    assert answer.notice.startswith("The campaign is paused.")
    assert not Message.objects.exists()


def test_calls_that_can_not_be_done_are_refused(world):
    ada = ProfileFactory()
    with pytest.raises(WrongStatus, match="is a draft"):
        calls.send(CampaignFactory(delivery="api"), [to(ada)], world.now)
    campaign = by_api(world)
    with pytest.raises(UnusableCall, match="1 to 50"):
        calls.send(campaign, [], world.now)
    with pytest.raises(UnusableCall, match="1 to 50"):
        calls.send(campaign, [to(ada)] * 51, world.now)
    with pytest.raises(UnusableCall, match="no filter"):
        calls.broadcast(campaign, world.now, audience={"filter": "nonsense"})
