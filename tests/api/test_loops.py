"""Webhooks that call our own API, loops among them, and the addresses webhooks leave from."""

from urllib.parse import urlsplit

import pytest
from django.urls import reverse
from django.utils import timezone

from api import keys, limits, loops
from audience import dispatch
from audience.ingest import track
from audience.models import CustomEvent
from campaigns import launch
from tests.factories import AdminFactory, CampaignFactory, ProfileFactory, content_of
from webhooks.compose import Composer, the_guard
from webhooks.deliver import Pump
from webhooks.models import LogKind, Message, MessageActivityLog
from webhooks.transport import Transport, TransportSettings
from webhooks.window import PumpSettings

OURS = {"webhook-id": "msg_" + "0" * 30}
PING = """{"events": [{"external_id": "{{${user_id}}}", "name": "ping",
  "time": "{{'now' | date: '%Y-%m-%dT%H:%M:%S.%LZ'}}", "properties": {"n": "{{event_properties.${n}}}x"}}]}"""


@pytest.fixture
def own_pump(live_server, settings):
    """A pump that may reach our own server."""
    settings.WEBHOOK_ALLOWED_PORTS = [urlsplit(live_server.url).port]
    transport = Transport(TransportSettings(guard=the_guard(), timeout=10.0, connect_timeout=2.0))
    yield Pump(transport, Composer(the_guard()), PumpSettings(lease=30.0), lambda: False)
    transport.close()


@pytest.mark.django_db(transaction=True)
def test_a_campaign_that_calls_our_own_api_in_a_circle_is_cut_and_logged(live_server, settings, own_pump, monkeypatch):
    monkeypatch.setattr(loops, "this_minute", lambda: 1)  # however slow the machine
    settings.API_LOOP_CALLS = 3
    _key, text = keys.make("self", ["users.track"], ["127.0.0.1"])
    ada = ProfileFactory(external_id="ada")
    campaign = CampaignFactory(
        delivery="action", triggers=[{"kind": "event", "name": "ping"}], is_reeligible=True, reeligible_seconds=0
    )
    content = content_of(campaign)
    content.url, content.body_kind, content.raw_body = f"{live_server.url}/users/track", "raw", PING
    content.headers = [{"name": "Authorization", "value": f"Bearer {text}", "is_secret": False}]
    content.save()
    launch.start(campaign, timezone.now())
    now = timezone.now()
    track(events=[{"external_id": "ada", "name": "ping", "time": now.isoformat(), "properties": {"n": ""}}], now=now)
    for _ in range(12):
        dispatch.run(timezone.now, lambda: False)
        own_pump.run()
    sent = Message.objects.filter(profile=ada, outcome="received").count()
    assert sent == 4  # the first, and three in the circle
    assert CustomEvent.objects.count() == 5  # the last one is stored, but sets nothing off
    assert "Loop cut" in MessageActivityLog.objects.get(kind=LogKind.API_ERROR).text


@pytest.mark.django_db
def test_a_send_in_a_circle_is_refused(api, settings, monkeypatch):
    monkeypatch.setattr(loops, "this_minute", lambda: 1)
    settings.API_LOOP_CALLS = 2
    ProfileFactory(external_id="ada")
    campaign = CampaignFactory(delivery="api", is_reeligible=True, reeligible_seconds=0)
    launch.start(campaign, timezone.now())
    body = {"campaign_id": str(campaign.key), "recipients": [{"external_user_id": "ada"}]}
    for status in (201, 201, 400):
        answer = api.post("/campaigns/trigger/send", body, status, **OURS)
    assert answer["message"].startswith("Loop cut")
    assert api.post("/campaigns/trigger/send", body)
    other = {**body, "recipients": [{"external_user_id": "bob"}]}
    assert api.post("/campaigns/trigger/send", other, **OURS)


@pytest.mark.django_db
def test_with_redis_away_loops_are_cut_all_the_same(api, settings, monkeypatch):
    monkeypatch.setattr(loops, "this_minute", lambda: 1)
    settings.API_LOOP_CALLS = 1
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    body = {"messages": {"webhook": {"url": "https://example.com", "request_method": "POST"}}}
    try:
        for status in (201, 400):
            api.post("/messages/send", {**body, "external_user_ids": ["ada"]}, status, **OURS)
    finally:
        limits._away_until = 0.0
        loops._here.clear()


@pytest.mark.django_db
def test_the_addresses_webhooks_leave_from_are_told(api, client, settings):
    settings.WEBHOOK_SOURCE_ADDRESSES = ["203.0.113.7"]
    settings.WEBHOOK_ALLOWED_NETWORKS = ["127.0.0.0/8"]
    assert api.get("/webhooks/addresses")["addresses"] == [
        {"address": "203.0.113.7", "is_loopback": False},
        {"address": "127.0.0.1", "is_loopback": True},
    ]
    client.force_login(AdminFactory())
    page = client.get(reverse("admin:api_apikey_addresses")).content.decode()
    assert "203.0.113.7" in page
    assert "127.0.0.1" in page
    settings.WEBHOOK_SOURCE_ADDRESSES = settings.WEBHOOK_ALLOWED_NETWORKS = []
    assert "WEBHOOK_SOURCE_ADDRESSES" in client.get(reverse("admin:api_apikey_addresses")).content.decode()
