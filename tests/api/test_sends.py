"""`/campaigns/trigger/send`, `/canvas/trigger/send`, `/sends/id/create`, and calls that are made twice."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from audience.models import Alias, Profile
from campaigns import launch
from canvas.models import Journey
from outreach import lifecycle, plan
from outreach.models import Dispatch, Occurrence, SendName
from tests.api.conftest import NOBODY, Caller, caller_with
from tests.canvas import world as canvases
from tests.conftest import NOON
from tests.factories import CampaignFactory, ProfileFactory, SegmentFactory
from tests.parallel import in_parallel
from webhooks.models import Message

pytestmark = pytest.mark.django_db
KOREA = {"filter": "country", "op": "any_of", "values": ["KR"]}


def by_api(**values):
    campaign = CampaignFactory(delivery="api", is_reeligible=True, reeligible_seconds=0, **values)
    ProfileFactory(external_id="somebody", country="KR")
    launch.start(campaign, timezone.now())
    return campaign


def send(api, campaign, status=201, **values):
    return api.post("/campaigns/trigger/send", {"campaign_id": str(campaign.key), **values}, status)


def to(*names, **values):
    return [{"external_user_id": name, **values} for name in names]


# --- campaigns


def test_recipients_get_the_message_with_their_own_properties(api):
    ada = ProfileFactory(external_id="42")
    campaign = by_api()
    answer = send(
        api,
        campaign,
        recipients=[{"external_user_id": 42, "trigger_properties": {"code": 7}}],
        trigger_properties={"code": 1, "shop": "A"},
    )
    assert (answer["message"], len(answer["dispatch_id"])) == ("success", 32)
    assert "errors" not in answer
    message = Message.objects.get()
    assert (message.profile_id, message.context) == (ada.pk, {"api_trigger_properties": {"code": 7}})
    assert Dispatch.objects.get().context == {"code": 1, "shop": "A"}


def test_a_recipient_who_does_not_exist_is_made_with_the_attributes_where_asked(api):
    campaign = by_api()
    new = to("new", send_to_existing_only=False, attributes={"first_name": "New", "email": "n@example.com"})
    send(api, campaign, recipients=[*new, *to("unknown")])
    profile = Profile.objects.get(external_id="new")
    assert (profile.first_name, profile.email) == ("New", "n@example.com")
    assert [*Message.objects.values_list("profile_id", flat=True)] == [profile.pk]


def test_reserved_names_inside_attributes_are_no_custom_attributes(api):
    ada, campaign = ProfileFactory(external_id="ada"), by_api()
    attributes = {
        "user_alias": {"alias_name": "a-1", "alias_label": "crm"},
        "email": "ada@example.com",
        "_update_existing_only": False,
        "external_id": "other",
        "plan": "pro",
    }
    send(api, campaign, recipients=to("ada", attributes=attributes))
    ada.refresh_from_db()
    assert (ada.email, ada.custom_attributes) == ("ada@example.com", {"plan": "pro"})
    assert Alias.objects.get().profile == ada
    assert not Profile.objects.filter(external_id="other").exists()


def test_the_same_profile_twice_gets_one_message_with_the_first_properties(api):
    ada, campaign = ProfileFactory(external_id="ada"), by_api()
    Alias.objects.create(profile=ada, label="crm", name="a-1")
    twice = [
        *to("ada", trigger_properties={"n": 1}),
        {"user_alias": {"alias_name": "a-1", "alias_label": "crm"}, "trigger_properties": {"n": 2}},
    ]
    send(api, campaign, recipients=twice)
    assert Message.objects.get().context == {"api_trigger_properties": {"n": 1}}


def test_recipients_that_cannot_be_read_are_named_and_the_others_served(api):
    campaign = by_api()
    bad = [
        7,
        {},
        {"external_user_id": "a", "braze_id": "b"},
        {"email": "a@example.com"},
        *to("x", trigger_properties=7),
    ]
    answer = send(api, campaign, recipients=[*to("somebody"), *bad])
    assert [error["index"] for error in answer["errors"]] == [1, 2, 3, 4, 5]
    assert {error["input_array"] for error in answer["errors"]} == {"recipients"}
    assert Message.objects.count() == 1
    refused = send(api, campaign, 400, recipients=bad)
    assert (refused["message"], len(refused["errors"])) == ("No Recipients", 5)


def test_an_address_of_several_needs_to_be_narrowed_to_one(api):
    campaign = by_api()
    for name in ("a", None):
        ProfileFactory(external_id=name, email="same@example.com")
    one = {"email": "Same@example.com", "prioritization": ["identified"]}
    nobody = {"email": "nobody@example.com", "prioritization": ["identified"]}
    send(api, campaign, recipients=[one, nobody])
    assert Message.objects.get().profile.external_id == "a"


def test_a_broadcast_reaches_the_audience_narrowed_by_the_connected_audience(api):
    campaign = by_api()
    for n in range(3):
        ProfileFactory(custom_attributes={"visits": n, "tags": ["a"]})
    audience = {
        "AND": [
            {"custom_attribute": {"custom_attribute_name": "visits", "comparison": "greater_than", "value": 0}},
            {"custom_attribute": {"custom_attribute_name": "tags", "comparison": "includes_value", "value": "a"}},
            {"email_subscription_status": {"comparison": "is_not", "value": "unsubscribed"}},
        ]
    }
    answer = send(api, campaign, broadcast=True, audience=audience)
    assert answer["send_id"]

    plan.plan_due(timezone.now())
    assert Message.objects.count() == 2
    assert Occurrence.objects.get().dispatch.send_id == answer["send_id"]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "No Recipients"),
        ({"recipients": []}, "No Recipients"),
        ({"audience": {"AND": []}}, "No Recipients"),
        ({"recipients": [{"external_user_id": "a"}], "broadcast": True}, "broadcast"),
        (
            {"recipients": [{"external_user_id": str(n)} for n in range(51)]},
            "The max number of external_ids and aliases",
        ),
        ({"recipients": "x"}, "recipients"),
        ({"broadcast": "perhaps"}, "broadcast"),
        ({"broadcast": True, "audience": {"AND": []}}, "AND"),
        ({"broadcast": True, "audience": {"nonsense": {}}}, "not a filter"),
        ({"broadcast": True, "audience": {"a": 1, "b": 2}}, "audience"),
        ({"broadcast": True, "audience": {"custom_attribute": {"custom_attribute_name": "x"}}}, "compare"),
        ({"broadcast": True, "trigger_properties": "x"}, "trigger_properties"),
        ({"broadcast": True, "trigger_properties": {"x": "y" * 60_000}}, "50 KB"),
    ],
)
def test_calls_that_cannot_be_done_are_400_and_write_nothing(api, values, message):
    campaign = by_api()
    assert message in send(api, campaign, 400, **values)["message"]
    assert not Dispatch.objects.exists()


def test_an_audience_too_deep_or_too_large_is_400(api):
    leaf = {"push_subscription_status": {"comparison": "is", "value": "subscribed"}}
    deep, campaign = leaf, by_api()
    for _ in range(11):
        deep = {"AND": [deep]}
    assert "levels" in send(api, campaign, 400, broadcast=True, audience=deep)["message"]
    assert "100 filters" in send(api, campaign, 400, broadcast=True, audience={"OR": [leaf] * 101})["message"]


@pytest.mark.parametrize("value", [None, 7, "", "nonsense", NOBODY, ["x"], {}])
def test_an_unknown_campaign_or_canvas_is_400_with_the_known_text(api, value):
    campaign = api.post("/campaigns/trigger/send", {"campaign_id": value, "broadcast": True}, 400)
    assert campaign["message"] == "campaign_id must be a string of the campaign api identifier"
    canvas = api.post("/canvas/trigger/send", {"canvas_id": value, "broadcast": True}, 400)
    assert canvas["message"] == "canvas_id must be a string of the Canvas api identifier"


def test_drafts_and_campaigns_of_another_kind_are_400(api):
    for campaign in (CampaignFactory(delivery="api"), CampaignFactory(delivery="scheduled")):
        assert send(api, campaign, 400, recipients=to("x"))["message"] == "Invalid Campaign ID"


def test_a_stopped_or_archived_campaign_answers_with_a_notice_and_sends_nothing(api):
    campaign = by_api()
    lifecycle.stop(campaign, timezone.now())
    assert send(api, campaign, recipients=to("somebody"))["notice"].startswith("The campaign is paused. Resume")
    lifecycle.archive(campaign, timezone.now())
    answer = send(api, campaign, broadcast=True)
    assert answer["notice"].startswith("The campaign is archived. Unarchive")
    assert answer["dispatch_id"]
    assert not Message.objects.exists()


def test_broadcasts_have_a_limit_of_their_own(api, settings):
    settings.API_RATE_LIMITS = {**settings.API_RATE_LIMITS, "broadcasts": (1, 86_400)}
    campaign = by_api()
    send(api, campaign, broadcast=True)
    send(api, campaign, 429, broadcast=True)
    assert send(api, campaign, recipients=to("somebody"))


# --- calls made twice


def test_a_call_made_again_with_the_same_key_gets_the_first_answer_and_sends_nothing(api):
    campaign = by_api()
    body = {"campaign_id": str(campaign.key), "recipients": to("somebody")}
    once = {"Idempotency-Key": "order-1"}
    first = api.post("/campaigns/trigger/send", body, **once)
    assert api.post("/campaigns/trigger/send", body, **once) == first
    assert api.post("/campaigns/trigger/send", body, **{"Idempotency-Key": "order-2"}) != first
    assert Message.objects.count() == 2
    with time_machine.travel(timezone.now() + timedelta(hours=25)):
        assert api.post("/campaigns/trigger/send", body, **once) != first
    assert api.post("/campaigns/trigger/send", body, 400, **{"Idempotency-Key": "x" * 256})


def test_a_failed_call_keeps_no_answer(api):
    campaign, once = by_api(), {"Idempotency-Key": "order-1"}
    body = {"campaign_id": str(campaign.key)}
    api.post("/campaigns/trigger/send", body, 400, **once)
    assert api.post("/campaigns/trigger/send", {**body, "recipients": to("somebody")}, **once)


@pytest.mark.django_db(transaction=True)
def test_twenty_calls_with_one_key_at_once_send_once():
    api, campaign = caller_with(), by_api()
    body = {"campaign_id": str(campaign.key), "recipients": to("somebody")}
    answers = []

    def call():
        answers.append(Caller(api.token).post("/campaigns/trigger/send", body, **{"Idempotency-Key": "order-1"}))

    in_parallel([call] * 20)
    assert Message.objects.count() == 1
    assert len({answer["dispatch_id"] for answer in answers}) == 1


def test_the_same_send_id_sends_to_each_once_in_a_day(api):
    campaign = by_api()
    first = send(api, campaign, recipients=to("somebody"), send_id="spring")
    assert first["send_id"] == "spring"
    assert send(api, campaign, recipients=to("somebody"), send_id="spring")["dispatch_id"] == first["dispatch_id"]
    assert Message.objects.count() == 1


def test_send_ids_belong_to_one_campaign(api):
    campaign, other = by_api(), CampaignFactory(delivery="api")
    made = api.post("/sends/id/create", {"campaign_id": str(campaign.key)})
    assert api.post("/sends/id/create", {"campaign_id": str(campaign.key), **made})["send_id"] == made["send_id"]
    assert api.post("/sends/id/create", {"campaign_id": str(other.key), "send_id": made["send_id"]}, 400)
    assert api.post("/sends/id/create", {"campaign_id": str(other.key), "send_id": "é"}, 400)
    assert SendName.objects.count() == 1


# --- Canvases


@pytest.fixture
def canvas():
    ProfileFactory(external_id="somebody")
    made = canvases.build([canvases.message()], entry="api", reentry="after", reentry_seconds=1)
    return canvases.go_live(made, timezone.now())


def enter(api, canvas, status=201, **values):
    return api.post("/canvas/trigger/send", {"canvas_id": str(canvas.key), **values}, status)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "No Recipients"),
        (
            {"recipients": [{"external_user_id": str(n)} for n in range(51)]},
            "The max number of external_ids and aliases",
        ),
        ({"recipients": [{"external_user_id": "somebody"}], "broadcast": True}, "broadcast"),
    ],
)
def test_nobody_enters_by_a_call_that_cannot_be_done(api, canvas, values, message):
    assert message in enter(api, canvas, 400, **values)["message"]
    assert not Journey.objects.exists()


def test_a_repeated_key_lets_nobody_in_twice(api, canvas):
    body = {"canvas_id": str(canvas.key), "recipients": to("somebody")}
    first = api.post("/canvas/trigger/send", body, **{"Idempotency-Key": "cart-1"})
    with time_machine.travel(timezone.now() + timedelta(minutes=1)):
        assert api.post("/canvas/trigger/send", body, **{"Idempotency-Key": "cart-1"}) == first
        assert Journey.objects.count() == 1
        assert api.post("/canvas/trigger/send", body, **{"Idempotency-Key": "cart-2"}) != first
    assert Journey.objects.count() == 2


def test_both_names_of_entry_properties_work_in_the_request_and_in_recipients(api, canvas):
    recipient = to("somebody", canvas_entry_properties={"c": 3, "d": 1}, context={"d": 4})
    answer = enter(
        api, canvas, recipients=recipient, context={"a": 1, "b": 1}, canvas_entry_properties={"b": 0, "z": 9}
    )
    assert len(answer["dispatch_id"]) == 32
    assert Journey.objects.get().context == {"a": 1, "b": 1, "c": 3, "d": 4, "z": 9}


def test_a_canvas_broadcast_lets_the_audience_in_with_the_properties(api, canvas):

    ProfileFactory()
    enter(api, canvas, broadcast=True, context={"shop": "A"})
    plan.plan_due(timezone.now())
    assert [journey.context for journey in Journey.objects.all()] == [{"shop": "A"}] * 2


def test_subscription_groups_in_a_recipients_attributes_are_ignored_for_a_canvas(api, canvas):
    attributes = {"subscription_groups": "nonsense", "plan": "pro"}
    answer = enter(api, canvas, recipients=to("somebody", attributes=attributes))
    assert "errors" not in answer
    assert Profile.objects.get().custom_attributes == {"plan": "pro"}


def test_a_canvas_that_is_not_entered_by_call_or_not_running_says_so(api, canvas):
    draft = canvases.build([canvases.message()], entry="api", name="draft")
    assert enter(api, draft, 400, recipients=to("somebody"))["message"] == "Invalid Canvas ID"
    lifecycle.stop(canvas, timezone.now())
    assert enter(api, canvas, recipients=to("somebody"))["notice"].startswith("The Canvas is paused.")
    assert not Journey.objects.exists()


def test_audiences_of_the_outreach_hold_for_named_recipients(api):
    campaign = CampaignFactory(delivery="api", to_everyone=False)
    campaign.segments.add(SegmentFactory(filters=KOREA))
    ProfileFactory(external_id="kr", country="KR")
    ProfileFactory(external_id="fr", country="FR")
    launch.start(campaign, NOON)
    send(api, campaign, recipients=to("kr", "fr"))
    assert Message.objects.get().profile.external_id == "kr"
