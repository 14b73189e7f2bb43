import pytest
from django.utils import timezone

from campaigns import launch
from config.demo.receiver import Reply, always
from outreach import counters, lifecycle, plan
from outreach.errors import NotLaunchable, WrongStatus
from outreach.models import Outreach, Status
from tests.factories import CampaignFactory, ProfileFactory, SegmentFactory, content_of
from webhooks.models import FrozenRequest, Message

pytestmark = pytest.mark.django_db(transaction=True)


def started(sink, people: int = 6):
    ProfileFactory.create_batch(people)
    campaign = CampaignFactory(url=f"{sink.url}/x")
    launch.start(campaign, timezone.now())
    plan.plan_due(timezone.now())
    return campaign


def test_pause_holds_and_resume_sends_each_once(sink, pump):
    campaign = started(sink)
    for _ in range(3):
        lifecycle.pause(campaign, timezone.now())
        assert pump.run() == 0
        assert counters.totals(campaign)["pending"] == 6
        lifecycle.resume(campaign, timezone.now())
    assert pump.run() == 6
    assert len({r.webhook_id for r in sink.received}) == len(sink.received) == 6


def test_stop_cancels_what_waits_for_good(sink, pump):
    campaign = started(sink)
    lifecycle.stop(campaign, timezone.now())
    totals = counters.totals(campaign)
    assert (totals["cancelled"], totals["pending"]) == (6, 0)
    lifecycle.resume(campaign, timezone.now())
    assert pump.run() == 0
    assert sink.received == []


def test_stop_cancels_pending_retries_too(sink, pump):
    sink.script = always(Reply(503))
    campaign = started(sink, 2)
    pump.run()
    assert FrozenRequest.objects.count() == 2
    lifecycle.stop(campaign, timezone.now())
    assert set(Message.objects.values_list("outcome", flat=True)) == {"cancelled"}
    assert counters.totals(campaign)["errors"] == 2
    assert not FrozenRequest.objects.exists()


def test_launching_twice_launches_once(sink):
    campaign = started(sink, 1)
    with pytest.raises(WrongStatus):
        launch.start(campaign, timezone.now())
    assert Message.objects.count() == 1


def test_a_draft_can_not_be_stopped():
    with pytest.raises(WrongStatus):
        lifecycle.stop(CampaignFactory(), timezone.now())


def test_every_problem_is_named_at_once():
    campaign = CampaignFactory(to_everyone=False)
    content = content_of(campaign)
    content.url, content.raw_body, content.body_kind = "https://example.com:8080/", "{{ broken", "raw"
    content.save()
    campaign.variants.update(share=97)
    with pytest.raises(NotLaunchable) as caught:
        launch.start(campaign, timezone.now())
    text = " ".join(caught.value.problems)
    for words in ("97 %", "port 8080; webhooks may use 80 and 443", "line 1", "Choose an audience"):
        assert words in text
    assert Outreach.objects.get().status == Status.DRAFT


def test_a_segment_that_matches_nobody_blocks():
    campaign = CampaignFactory(to_everyone=False)
    campaign.segments.add(SegmentFactory(filters={"filter": "country", "op": "any_of", "values": ["ZZ"]}))
    ProfileFactory()
    assert any("no profile matches" in problem for problem in launch.problems(campaign, timezone.now()))


def test_a_placeholder_left_in_blocks():
    campaign = CampaignFactory(url="https://api.example.com/<API_KEY>/x")
    ProfileFactory()
    assert any("<API_KEY>" in problem for problem in launch.problems(campaign, timezone.now()))


def test_totals_add_up_in_the_middle_of_a_faulty_send(sink, pump):
    sink.script = lambda request, nth: Reply([200, 503, 400][len(sink.received) % 3])
    campaign = started(sink, 12)
    pump.run()
    totals = counters.totals(campaign)
    ended = sum(totals[name] for name in ("received", "failed", "aborted", "skipped", "cancelled"))
    assert totals["planned"] == 12 == ended + totals["pending"]
    assert totals["pending"] == Message.objects.filter(finished_at=None).count() > 0
    assert totals["errors"] == 8
