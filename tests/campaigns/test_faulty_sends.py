"""What a campaign's numbers say after sends that failed, were aborted, stopped or came twice; through the real pump."""

import time
from datetime import timedelta
from functools import partial

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.utils import timezone

from campaigns import launch
from config.demo.receiver import Reply
from outreach import counters, late, lifecycle, plan
from outreach.models import FrequencyRule
from tests.factories import (
    CampaignFactory,
    ContentFactory,
    MessageFactory,
    ProfileFactory,
    SegmentFactory,
    SenderFactory,
    content_of,
    pair,
)
from webhooks.compose import Composer, the_guard
from webhooks.deliver import Pump
from webhooks.models import LogKind, Message, MessageActivityLog, Outcome, Receipt
from webhooks.window import PumpSettings

pytestmark = pytest.mark.django_db(transaction=True)


def launched(campaign):
    launch.start(campaign, timezone.now())
    plan.plan_due(timezone.now())
    return campaign


def make_due() -> None:
    Message.objects.filter(finished_at=None).update(due_at=timezone.now(), leased_until=None)


def test_two_errors_and_a_success_are_one_send_two_errors_and_one_recipient(sink, pump):
    sink.script = lambda request, nth: Reply(500) if nth < 3 else Reply()
    ProfileFactory()
    campaign = launched(CampaignFactory(url=sink.url))
    for _ in range(4):
        pump.run()
        make_due()
    totals = counters.totals(campaign)
    assert (totals["received"], totals["errors"], totals["failed"], totals["pending"]) == (1, 2, 0, 0)
    assert Receipt.objects.count() == 1
    assert len(sink.received) == 3
    assert len({(request.webhook_id, request.body) for request in sink.received}) == 1


def test_an_abort_in_the_address_is_no_send_and_takes_no_place_of_a_cap(sink, pump):
    FrequencyRule.objects.create(most=1, every=1, unit="days")
    ada = ProfileFactory()
    aborting = launched(CampaignFactory(url=f"{sink.url}/{{% abort_message('no device') %}}"))
    pump.run()
    totals = counters.totals(aborting)
    assert (totals["aborted"], totals["received"], totals["errors"]) == (1, 0, 0)
    row = MessageActivityLog.objects.get()
    assert (row.kind, row.text, row.profile_id) == (LogKind.ABORTED, "no device", ada.pk)
    launched(CampaignFactory(url=sink.url))
    pump.run()
    assert len(sink.received) == 1  # the cap of one a day is still free


def test_a_pause_in_the_middle_sends_to_nobody_twice(sink, transport):
    ProfileFactory.create_batch(20)
    campaign = launched(CampaignFactory(url=sink.url))
    for sent in (5, 10, 15):
        claims_once = iter([False])
        pump = Pump(transport, Composer(the_guard()), PumpSettings(window=5, lease=30), lambda: True)
        pump.stopping = partial(next, claims_once, True)
        pump.run()
        assert len(sink.received) == sent
        lifecycle.pause(campaign, timezone.now())
        assert Pump(transport, Composer(the_guard()), PumpSettings(lease=30), lambda: False).run() == 0
        lifecycle.resume(campaign, timezone.now())
    Pump(transport, Composer(the_guard()), PumpSettings(lease=30), lambda: False).run()
    assert len({request.webhook_id for request in sink.received}) == len(sink.received) == 20
    assert counters.totals(campaign)["received"] == 20


def test_somebody_in_two_segments_and_one_segment_named_twice_get_it_once(sink, pump):
    everybody = SegmentFactory(filters={"filter": "everyone"})
    koreans = SegmentFactory(filters={"filter": "country", "op": "any_of", "values": ["KR"]})
    campaign = CampaignFactory(url=sink.url, to_everyone=False)
    leaf = {"filter": "segment", "op": "in", "segments": [everybody.pk, everybody.pk, koreans.pk]}
    campaign.filters = {"any": [leaf, leaf]}
    campaign.save()
    campaign.segments.add(everybody, koreans, everybody)
    ProfileFactory.create_batch(3, country="KR")
    launched(campaign)
    pump.run()
    assert len(sink.received) == 3
    assert counters.totals(campaign)["received"] == 3


def test_stopping_frees_the_places_and_whoever_hangs_ends_by_itself(sink, transport):
    sink.script = lambda request, nth: Reply(delay=5) if request.target == "/hangs" else Reply()
    ProfileFactory.create_batch(30)
    campaign = launched(CampaignFactory(url=f"{sink.url}/hangs"))
    asked = []

    def stopping() -> bool:
        if len(sink.received) == 8 and not asked:
            asked.append(lifecycle.stop(campaign, timezone.now()))
            other = ContentFactory(url=sink.url.replace("127.0.0.1", "localhost"))
            MessageFactory.create_batch(5, content=other, sender=SenderFactory())
        return False

    began = time.monotonic()
    Pump(transport, Composer(the_guard()), PumpSettings(window=16, host_window=8, lease=30), stopping).run()
    assert time.monotonic() - began < 5  # in the time of one request: no second eight were started
    others = [request for request in sink.received if request.target == "/"]
    assert len(others) == 5
    assert max(request.at for request in others) - min(request.at for request in sink.received) < 1.5
    lifecycle.cancel_waiting(campaign, timezone.now())  # as the timetable does: what was on the wire has come back
    totals = counters.totals(campaign)
    assert (totals["planned"], totals["cancelled"], totals["pending"]) == (30, 30, 0)
    assert set(Message.objects.filter(sender=campaign.sender_id).values_list("outcome", flat=True)) == {"cancelled"}


@pytest.mark.parametrize(
    ("language", "said"),
    [("pt-BR", "oi"), ("pt_br", "oi"), ("pt", "oi"), ("", "hello"), ("fr", "hello")],
)
def test_each_profile_gets_its_language_its_base_language_or_the_default(sink, pump, language, said):
    ProfileFactory(language=language)
    campaign = CampaignFactory(url=sink.url)
    content = content_of(campaign)
    content.pairs = [pair("said", "hello")]
    content.save()
    content.overrides.create(language="pt", pairs=[pair("said", "oi")])
    launched(campaign)
    pump.run()
    assert sink.received[0].json() == {"said": said}


def test_who_made_a_campaign_is_told_once_a_day_that_messages_waited_too_long(sink, pump):
    author = User.objects.create_user("mina", "mina@a.example", "x", is_staff=True)
    User.objects.create_superuser("root", "root@a.example", "x")
    ProfileFactory.create_batch(3)
    campaign = launched(CampaignFactory(url=sink.url, created_by=author, name="Spring"))
    late.tell(timezone.now())
    assert mail.outbox == []
    Message.objects.update(due_at=timezone.now() - timedelta(hours=72, minutes=1))
    pump.run()
    assert set(Message.objects.values_list("outcome", flat=True)) == {Outcome.ABORTED}
    for minutes in (0, 10, 20):
        late.tell(timezone.now() + timedelta(minutes=minutes))
    (sent,) = mail.outbox
    assert sent.to == ["mina@a.example"]
    assert "3 messages of “Spring”" in sent.body
    assert counters.totals(campaign)["aborted"] == 3


def test_an_outage_of_ten_minutes_loses_and_repeats_nothing(sink, pump, settings):
    """At a hundredth of the time: six seconds of 503, all there within eighteen."""
    settings.RETRY_TIME_SCALE = 0.01
    settings.HOST_HALT_SECONDS = 0.6
    began = time.monotonic()
    accepted = []

    def script(request, nth):
        if time.monotonic() - began < 6:
            return Reply(503)
        accepted.append(request.webhook_id)
        return Reply()

    sink.script = script
    ProfileFactory.create_batch(300)
    campaign = launched(CampaignFactory(url=sink.url))
    while counters.totals(campaign)["pending"] and time.monotonic() - began < 18:
        pump.run()
        time.sleep(0.02)
    assert counters.totals(campaign)["received"] == 300
    assert len(accepted) == len(set(accepted)) == 300


def test_a_call_that_is_too_slow_leaves_a_blank_and_a_row_and_the_message_goes(sink, pump):
    sink.script = lambda request, nth: Reply(delay=2.1) if request.target == "/data" else Reply()
    ProfileFactory()
    campaign = CampaignFactory(url=f"{sink.url}/hook")
    content = content_of(campaign)
    content.pairs = [pair("said", f"[{{% connected_content {sink.url}/data :save item %}}{{{{item.name}}}}]")]
    content.save()
    launched(campaign)
    pump.run()
    assert [request.json() for request in sink.received if request.target == "/hook"] == [{"said": "[]"}]
    row = MessageActivityLog.objects.get()
    assert row.kind == LogKind.CONNECTED_CONTENT_ERROR
    assert "no answer within 2 s" in row.text
    assert counters.totals(campaign)["received"] == 1


def test_a_call_with_retry_holds_the_message_and_aborts_it_after_its_sixth_error(sink, pump):
    sink.script = lambda request, nth: Reply(503) if request.target == "/data" else Reply()
    ProfileFactory()
    campaign = CampaignFactory(url=f"{sink.url}/hook")
    content = content_of(campaign)
    content.pairs = [pair("said", f"{{% connected_content {sink.url}/data :save item :retry %}}{{{{item.name}}}}")]
    content.save()
    launched(campaign)
    for attempt in range(1, 6):
        pump.run()
        assert Message.objects.filter(finished_at=None).values_list("attempts", flat=True)[0] == attempt
        make_due()
    pump.run()
    pump.run()
    assert Message.objects.get().outcome == Outcome.ABORTED
    assert {request.target for request in sink.received} == {"/data"}
    assert len(sink.received) == 6


def test_a_message_that_needs_a_credential_that_is_gone_is_aborted_with_a_row_that_names_it(sink, pump):
    content = ContentFactory(
        url=f"{sink.url}/hook", pairs=[pair("said", f"{{% connected_content {sink.url}/data :basic_auth crm %}}")]
    )
    MessageFactory(content=content, sender=SenderFactory())
    pump.run()
    assert Message.objects.get().outcome == Outcome.ABORTED
    assert "'crm'" in MessageActivityLog.objects.get().text
    assert sink.received == []


def test_a_signature_of_time_and_path_verifies_at_first_and_ten_minutes_later(sink, pump, time_machine_of_pump):
    """Text signed as NAVER SENS wants it: method, path, time and access key, under the secret."""
    import base64
    import hashlib
    import hmac

    at = "{{ 'now' | date: '%s' }}000"
    text = f"{{% capture text %}}POST /hook\n{at}\naccess{{% endcapture %}}"
    headers = [
        {"name": "x-ncp-apigw-timestamp", "value": at, "is_secret": False},
        {
            "name": "x-ncp-apigw-signature-v2",
            "value": text + "{{ text | hmac_sha256_base64: 'the-secret' }}",
            "is_secret": False,
        },
    ]
    sink.script = lambda request, nth: Reply(503) if nth == 1 else Reply(202)
    MessageFactory(content=ContentFactory(url=f"{sink.url}/hook", headers=headers), sender=SenderFactory())
    pump.run()
    time_machine_of_pump(timedelta(minutes=10))
    make_due()
    pump.run()
    stamps = []
    for request in sink.received:
        stamp = request.headers["x-ncp-apigw-timestamp"]
        signed = hmac.digest(b"the-secret", f"POST /hook\n{stamp}\naccess".encode(), hashlib.sha256)
        assert request.headers["x-ncp-apigw-signature-v2"] == base64.b64encode(signed).decode()
        stamps.append(int(stamp) // 1000)
    assert len(stamps) == 2
    assert stamps[1] - stamps[0] >= 600
    assert len({request.body for request in sink.received}) == 1


@pytest.fixture
def time_machine_of_pump(monkeypatch):
    """Moves the time that templates see."""
    from webhooks import deliver

    real = deliver.claims.database_now

    def travel(span: timedelta) -> None:
        monkeypatch.setattr(deliver.claims, "database_now", lambda: real() + span)

    return travel
