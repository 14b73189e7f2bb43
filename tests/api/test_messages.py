"""`/messages/send`: webhooks composed in a call."""

from datetime import timedelta

import pytest
from django.utils import timezone

from audience.models import Alias
from outreach import counters, direct, plan
from outreach.models import Dispatch
from tests.api.conftest import NOBODY
from tests.factories import CampaignFactory, ProfileFactory, SegmentFactory
from webhooks.models import Content, Message

pytestmark = pytest.mark.django_db
WEBHOOK = {
    "url": "https://example.com/{{${user_id}}}",
    "request_method": "Post",
    "request_headers": {"X-Shop": "{{${language}}}"},
    "body": {"name": "{{${first_name}}}"},
}


def send(api, status=201, **values):
    return api.post("/messages/send", {"messages": {"webhook": WEBHOOK}, **values}, status)


def test_a_composed_webhook_reaches_the_endpoint(api, sink, pump):
    ProfileFactory(external_id="ada", first_name="Ada", language="en")
    webhook = WEBHOOK | {"url": f"{sink.url}/{{{{${{user_id}}}}}}"}
    answer = api.post("/messages/send", {"external_user_ids": ["ada", "nobody"], "messages": {"webhook": webhook}})
    assert len(answer["dispatch_id"]) == 32
    assert "send_id" not in answer
    pump.run()
    (request,) = sink.received
    assert (request.method, request.target, request.json()) == ("POST", "/ada", {"name": "Ada"})
    assert request.headers["x-shop"] == "en"


def test_the_same_webhook_composed_again_is_kept_once(api):
    ProfileFactory(external_id="ada")
    for _ in range(3):
        send(api, external_user_ids=["ada"])
    assert (Content.objects.count(), Message.objects.count()) == (1, 3)


def test_a_broadcast_to_a_segment_is_planned_in_chunks(api, monkeypatch):
    monkeypatch.setattr(direct, "CHUNK", 2)
    monkeypatch.setattr(direct._plan_chunk, "__defaults__", (2,))
    segment = SegmentFactory(filters={"filter": "country", "op": "any_of", "values": ["KR"]})
    for country in ("KR",) * 5 + ("FR",):
        ProfileFactory(country=country)
    ProfileFactory(country="KR", email_subscribe="unsubscribed")
    send(api, segment_id=str(segment.key), broadcast=True)
    assert not Message.objects.exists()
    plan.plan_due(timezone.now())
    assert Message.objects.count() == 5


def test_named_people_are_narrowed_by_segment_and_subscription(api):
    segment = SegmentFactory(filters={"filter": "country", "op": "any_of", "values": ["KR"]})
    opted = ProfileFactory(external_id="a", country="KR", email_subscribe="opted_in")
    Alias.objects.create(profile=opted, label="crm", name="a-1")
    ProfileFactory(external_id="b", country="KR")
    ProfileFactory(external_id="c", country="FR", email_subscribe="opted_in")
    alias = {"alias_name": "a-1", "alias_label": "crm"}
    send(
        api,
        external_user_ids=["b", "c"],
        user_aliases=[alias],
        segment_id=str(segment.key),
        recipient_subscription_state="opted_in",
    )
    assert Message.objects.get().profile == opted


def test_sends_are_counted_under_a_campaign_where_one_is_named(api):
    ProfileFactory(external_id="ada")
    campaign = CampaignFactory(delivery="api")
    variant = campaign.variants.get()
    webhook = WEBHOOK | {"message_variation_id": str(variant.key)}
    body = {"external_user_ids": ["ada"], "messages": {"webhook": webhook}, "campaign_id": str(campaign.key)}
    answer = api.post("/messages/send", body)
    message = Message.objects.get()
    assert (message.sender, message.variant) == (campaign.sender, variant.pk)
    assert Dispatch.objects.get().key.hex == answer["dispatch_id"]
    assert counters.totals(campaign)["planned"] == 1


def test_other_channels_are_named_and_alone_refused(api):
    ProfileFactory(external_id="ada")
    answer = send(api, external_user_ids=["ada"], messages={"email": {}, "webhook": WEBHOOK, "sms": None})
    assert answer["errors"] == [{"type": "The channel 'email' is not supported", "input_array": "messages", "index": 0}]
    refused = send(api, 400, external_user_ids=["ada"], messages={"apple_push": {"alert": "x"}})
    assert (refused["message"], len(refused["errors"])) == ("No message to send", 1)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "No Recipients"),
        ({"broadcast": True}, "No Recipients"),
        ({"external_user_ids": ["a"], "broadcast": True}, "broadcast"),
        ({"external_user_ids": [str(n) for n in range(51)]}, "The max number of external_ids and aliases"),
        ({"segment_id": NOBODY, "broadcast": True}, "segment_id must be a string"),
        ({"segment_id": 7, "broadcast": True}, "segment_id must be a string"),
        ({"external_user_ids": ["a"], "user_aliases": [{}]}, "alias_name"),
        ({"external_user_ids": ["a"], "messages": None}, "No message to send"),
        ({"external_user_ids": ["a"], "messages": "x"}, "No message to send"),
        ({"external_user_ids": ["a"], "messages": {"webhook": 7}}, "must be an object"),
        ({"external_user_ids": ["a"], "messages": {"webhook": {"url": "ftp://x", "request_method": "POST"}}}, "'url'"),
        (
            {"external_user_ids": ["a"], "messages": {"webhook": WEBHOOK | {"url": "https://a.example:8443"}}},
            "port 8443",
        ),
        ({"external_user_ids": ["a"], "messages": {"webhook": WEBHOOK | {"url": "http://[::1:9000/x"}}}, "valid URL"),
        ({"external_user_ids": ["a"], "messages": {"webhook": {"request_method": "POST"}}}, "'url' is required"),
        ({"external_user_ids": ["a"], "messages": {"webhook": WEBHOOK | {"request_method": "BREW"}}}, "request_method"),
        ({"external_user_ids": ["a"], "messages": {"webhook": WEBHOOK | {"body": "{% if %}"}}}, "line 1"),
        ({"external_user_ids": ["a"], "messages": {"webhook": WEBHOOK | {"body": 7}}}, "'body'"),
        ({"external_user_ids": ["a"], "messages": {"webhook": WEBHOOK | {"request_headers": {"a b": "x"}}}}, "headers"),
        ({"external_user_ids": ["a"], "messages": {"webhook": WEBHOOK | {"request_headers": []}}}, ""),
        ({"external_user_ids": ["a"], "recipient_subscription_state": "x"}, "recipient_subscription_state"),
        ({"external_user_ids": ["a"], "campaign_id": "x"}, "campaign_id must be a string"),
    ],
)
def test_what_cannot_be_sent_is_400_and_writes_nothing(api, values, message):
    status = 201 if values.get("messages", {}) and not message else 400
    assert message in send(api, status, **values)["message"]
    assert not Message.objects.exists()


@pytest.mark.parametrize(
    ("variation", "message"),
    [
        (None, "Message Variant Unspecified"),
        ("x", "Invalid Message Variant"),
        (NOBODY, "Invalid Message Variant"),
    ],
)
def test_a_campaign_needs_one_of_its_variants(api, variation, message):
    campaign = CampaignFactory()
    webhook = WEBHOOK | {"message_variation_id": variation}
    body = {"external_user_ids": ["a"], "campaign_id": str(campaign.key), "messages": {"webhook": webhook}}
    assert api.post("/messages/send", body, 400)["message"] == message


def test_a_campaign_id_of_null_is_none(api):
    assert send(api, external_user_ids=["nobody"], campaign_id=None)


def test_old_sends_go_once_their_messages_have_ended_and_webhooks_with_the_last_of_them(api):
    ProfileFactory(external_id="ada")
    for _ in range(2):
        send(api, external_user_ids=["ada"])
    later = timezone.now() + timedelta(days=31)
    assert direct.prune(later) == 0
    first = Message.objects.order_by("pk").first()
    Message.objects.filter(pk=first.pk).update(finished_at=timezone.now(), outcome="received")
    assert (direct.prune(later), Content.objects.count()) == (1, 1)
    Message.objects.update(finished_at=timezone.now(), outcome="received")
    assert (direct.prune(later), Content.objects.count()) == (1, 0)
