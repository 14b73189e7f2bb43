"""Sends for later: made, moved, deleted, and carried out when they are due, in UTC and on each profile's own clock."""

from datetime import timedelta

import pytest
import time_machine

from audience.models import Profile
from campaigns import launch
from canvas.models import Journey
from outreach import lifecycle, plan
from outreach.models import ScheduledCall
from tests.api.conftest import NOBODY
from tests.canvas import world as canvases
from tests.conftest import NOON
from tests.factories import CampaignFactory, ProfileFactory
from webhooks.models import Message

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
WEBHOOK = {"webhook": {"url": "https://example.com/hook", "request_method": "post", "body": "Hi"}}


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def campaign():
    ProfileFactory(external_id="ada", time_zone="Asia/Seoul")
    made = CampaignFactory(delivery="api", is_reeligible=True, reeligible_seconds=0)
    launch.start(made, NOON)
    return made


def at(hours: float) -> str:
    return (NOON + hours * HOUR).isoformat()


def create(api, campaign, schedule, status=201, **values):
    values = values or {"recipients": [{"external_user_id": "ada"}]}
    body = {"campaign_id": str(campaign.key), "schedule": schedule, **values}
    return api.post("/campaigns/trigger/schedule/create", body, status)


def run(clock, hours: float) -> None:
    clock.move_to(NOON + hours * HOUR, tick=False)
    plan.plan_due(NOON + hours * HOUR)


def test_a_send_goes_out_when_it_is_due_with_the_dispatch_id_it_was_promised(api, campaign, clock):
    recipients = [{"external_user_id": "ada", "attributes": {"plan": "pro"}, "trigger_properties": {"n": 1}}]
    answer = create(api, campaign, {"time": at(3)}, recipients=recipients)
    assert len(answer["dispatch_id"]) == 32
    run(clock, 2.9)
    assert (Message.objects.count(), Profile.objects.get().custom_attributes) == (0, {})
    run(clock, 3)
    run(clock, 4)
    message = Message.objects.get()
    assert message.context == {"api_trigger_properties": {"n": 1}}
    assert Profile.objects.get().custom_attributes == {"plan": "pro"}
    assert campaign.dispatches.get().key.hex == answer["dispatch_id"]


def test_a_moved_send_goes_out_at_the_new_time_and_a_deleted_one_never(api, campaign, clock):
    moved, deleted = (create(api, campaign, {"time": at(3)})["schedule_id"] for _ in range(2))
    ours = {"campaign_id": str(campaign.key)}
    api.post("/campaigns/trigger/schedule/update", {**ours, "schedule_id": moved, "schedule": {"time": at(5)}})
    api.post("/campaigns/trigger/schedule/delete", {**ours, "schedule_id": deleted})
    again = api.post("/campaigns/trigger/schedule/delete", {**ours, "schedule_id": deleted}, 400)
    assert again["message"] == "schedule_id is not valid"
    run(clock, 4)
    assert not Message.objects.exists()
    run(clock, 5)
    assert Message.objects.count() == 1
    sent = {**ours, "schedule_id": moved, "schedule": {"time": at(9)}}
    assert api.post("/campaigns/trigger/schedule/update", sent, 400)["message"] == "schedule_id is not valid"


@pytest.mark.parametrize("value", [None, 7, "", "nonsense", NOBODY, {}, ["x"]])
def test_an_unknown_schedule_is_400(api, campaign, value):
    ours = {"campaign_id": str(campaign.key), "schedule_id": value}
    assert api.post("/campaigns/trigger/schedule/delete", ours, 400)["message"] == "schedule_id is not valid"


def test_a_schedule_of_another_campaign_or_kind_is_400(api, campaign):
    key = create(api, campaign, {"time": at(3)})["schedule_id"]
    other = CampaignFactory(delivery="api")
    api.post("/campaigns/trigger/schedule/delete", {"campaign_id": str(other.key), "schedule_id": key}, 400)
    api.post("/messages/schedule/delete", {"schedule_id": key}, 400)
    assert ScheduledCall.objects.get().finished_at is None


@pytest.mark.parametrize(
    ("schedule", "message"),
    [
        (None, "schedule"),
        ("x", "schedule"),
        ({}, "schedule.time"),
        ({"time": 7}, "schedule.time"),
        ({"time": "tomorrow"}, "schedule.time"),
        ({"time": at(-0.1)}, "schedule time has passed"),
        ({"time": at(24 * 800)}, "two years"),
        ({"time": at(1), "at_optimal_time": True}, "at_optimal_time is not supported"),
        ({"time": at(1), "in_local_time": 7}, "in_local_time"),
        ({"time": "2026-05-05T23:59:00", "in_local_time": True}, "schedule time has passed"),
    ],
)
def test_times_that_cannot_be_used_are_400(api, campaign, schedule, message):
    assert message in create(api, campaign, schedule, 400)["message"]
    assert not ScheduledCall.objects.exists()


def test_a_time_a_few_minutes_ago_is_at_once(api, campaign, clock):
    create(api, campaign, {"time": at(-0.05), "in_local_time": "false"})
    run(clock, 0)
    assert Message.objects.count() == 1


def test_what_is_wrong_with_the_call_is_told_at_once(api, campaign):
    assert create(api, campaign, {"time": at(1)}, 400, recipients=[{}])["message"] == "No Recipients"
    draft = CampaignFactory(delivery="api")
    assert create(api, draft, {"time": at(1)}, 400)["message"] == "Invalid Campaign ID"


def test_local_time_is_each_profiles_own(api, campaign, clock):
    """13:00 on the wall: 04:00 UTC the next day in Seoul, 17:00 UTC in New York, 13:00 UTC without a zone."""
    ProfileFactory(external_id="ny", time_zone="America/New_York")
    ProfileFactory(external_id="none")
    people = [{"external_user_id": name} for name in ("ada", "ny", "none")]
    create(api, campaign, {"time": "2026-05-07T13:00:00+05:00", "in_local_time": True}, recipients=people)
    sent = []
    for hours in (15.9, 16, 24.9, 25, 28.9, 29, 40):
        run(clock, hours)
        sent.append({*Message.objects.values_list("profile__external_id", flat=True)})
    assert sent == [
        set(), {"ada"}, {"ada"}, {"ada", "none"}, {"ada", "none"}, {"ada", "none", "ny"}, {"ada", "none", "ny"},
    ]  # fmt: skip
    assert ScheduledCall.objects.get().result == "sent"
    assert campaign.dispatches.count() == 1


def test_a_local_broadcast_reaches_each_zone_once(api, campaign, clock):
    ProfileFactory(external_id="ny", time_zone="America/New_York")
    create(api, campaign, {"time": "2026-05-07T13:00:00", "in_local_time": True}, broadcast=True)
    counts = []
    for hours in (15.9, 16, 28.9, 29, 40):
        run(clock, hours)
        counts.append(Message.objects.count())
    assert counts == [0, 1, 1, 2, 2]


def test_a_local_time_that_has_come_somewhere_cannot_be_moved(api, campaign, clock):
    key = create(api, campaign, {"time": "2026-05-07T13:00:00", "in_local_time": True})["schedule_id"]
    clock.move_to(NOON + 12 * HOUR, tick=False)
    body = {"campaign_id": str(campaign.key), "schedule_id": key, "schedule": {"time": at(99)}}
    assert api.post("/campaigns/trigger/schedule/update", body, 400)["message"] == "schedule time has passed"


def test_a_campaign_that_is_stopped_when_the_time_comes_sends_nothing(api, campaign, clock):
    create(api, campaign, {"time": at(3)})
    lifecycle.stop(campaign, NOON)
    run(clock, 3)
    assert not Message.objects.exists()
    assert ScheduledCall.objects.get().finished_at


def test_people_are_let_into_a_canvas_later(api, clock):
    ProfileFactory(external_id="ada")
    canvas = canvases.go_live(canvases.build([canvases.message()], entry="api"), NOON)
    ours = {"canvas_id": str(canvas.key)}
    body = {**ours, "recipients": [{"external_user_id": "ada"}], "context": {"a": 1}, "schedule": {"time": at(3)}}
    key = api.post("/canvas/trigger/schedule/create", body)["schedule_id"]
    api.post("/canvas/trigger/schedule/update", {**ours, "schedule_id": key, "schedule": {"time": at(2)}})
    run(clock, 2)
    assert Journey.objects.get().context == {"a": 1}
    api.post("/canvas/trigger/schedule/delete", {**ours, "schedule_id": key}, 400)


def test_messages_are_scheduled_changed_and_deleted(api, clock):
    ProfileFactory(external_id="ada")
    body = {"external_user_ids": ["ada"], "messages": WEBHOOK, "schedule": {"time": at(3)}}
    changed, deleted = (
        api.post("/messages/schedule/create", {**body, "override_messaging_limits": True})["schedule_id"] for _ in "ab"
    )
    api.post("/messages/schedule/update", {"schedule_id": changed}, 400)
    other = {"webhook": WEBHOOK["webhook"] | {"body": "Bye"}}
    api.post("/messages/schedule/update", {"schedule_id": changed, "messages": other})
    api.post("/messages/schedule/update", {"schedule_id": changed, "messages": {"webhook": {}}}, 400)
    api.post("/messages/schedule/delete", {"schedule_id": deleted})
    run(clock, 3)
    assert Message.objects.get().content.raw_body == "Bye"


def test_a_call_that_cannot_be_carried_out_is_marked_and_keeps_no_other_from_it(api, campaign, clock, caplog):
    create(api, campaign, {"time": at(1)})
    broken = ScheduledCall.objects.get()
    ScheduledCall.objects.update(request={"nonsense": 1})
    create(api, campaign, {"time": at(1)})
    run(clock, 1)
    broken.refresh_from_db()
    assert (broken.result, Message.objects.count()) == ("failed", 1)
    assert "the log says why" in broken.note
    assert str(broken.key) in caplog.text
