"""The page of hosts, limits for a host, and the hour in which everything is logged."""

import time
from datetime import timedelta

import pytest
from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from redis import Redis

from config.demo.receiver import Reply, always
from tests.factories import ContentFactory, MessageFactory, SenderFactory
from webhooks import health, hosts, log
from webhooks.admin.host import state_of
from webhooks.models import Host, LogKind, Message, MessageActivityLog, Outcome, Sender
from webhooks.request import Answer

LIST = "admin:webhooks_host_changelist"


def messages_to(sink, count):
    content, sender = ContentFactory(url=f"{sink.url}/hook"), SenderFactory()
    return [MessageFactory(content=content, sender=sender, lane__host="127.0.0.1") for _ in range(count)]


def halt(host):
    health.note([(host, Answer(503))] * 60)


@pytest.mark.django_db(transaction=True)
def test_the_page_shows_how_hosts_stand(admin_client, sink):
    messages_to(sink, 3)
    page = admin_client.get(reverse(LIST)).content.decode()
    assert "127.0.0.1" in page
    assert "healthy" in page
    halt("127.0.0.1")
    page = admin_client.get(reverse(LIST)).content.decode()
    assert "halted, open again in" in page
    assert "60 of 60" in page


@pytest.mark.django_db(transaction=True)
def test_probe_now_lets_the_next_message_decide(admin_client, sink, pump):
    messages = messages_to(sink, 3)
    hosts.note_new()
    halt("127.0.0.1")
    pump.run()
    assert sink.received == []
    chosen = {"action": "probe_now", "_selected_action": [Host.objects.get().pk]}
    admin_client.post(reverse(LIST), chosen)
    assert str(state_of("127.0.0.1")) == "the next message probes it"
    time.sleep(health.READ_EVERY + 0.05)
    pump.run()
    time.sleep(health.READ_EVERY + 0.05)
    pump.run()
    assert len(sink.received) == len(messages)
    assert str(state_of("127.0.0.1")) == "healthy"


@pytest.mark.django_db(transaction=True)
def test_a_host_gets_no_more_a_second_than_its_limit(sink, pump):
    messages_to(sink, 25)
    Host.objects.create(name="127.0.0.1", per_second=10)
    began = time.time()
    while time.time() - began < 8 and Message.objects.filter(finished_at=None).exists():
        pump.run()
    assert set(Message.objects.values_list("outcome", flat=True)) == {Outcome.RECEIVED}
    shift = time.time() - time.monotonic()
    arrived = sorted(request.at + shift for request in sink.received)
    assert len(arrived) == 25
    # each ten need a second of their own; on a slow machine they arrive later, never earlier
    assert all(at >= int(began) + n // 10 for n, at in enumerate(arrived))


@pytest.mark.django_db(transaction=True)
def test_a_host_gets_no_more_at_once_than_its_limit(sink, pump):
    sink.script = always(Reply(delay=0.1))
    messages_to(sink, 12)
    Host.objects.create(name="127.0.0.1", at_once=3)
    began = time.monotonic()
    pump.run()
    assert time.monotonic() - began >= 0.4  # four rounds of three
    assert Message.objects.filter(outcome=Outcome.RECEIVED).count() == 12


@pytest.mark.django_db(transaction=True)
def test_for_an_hour_what_is_received_is_logged_too(admin_client, sink, pump):
    sender = messages_to(sink, 1)[0].sender
    chosen = {"action": "log_everything", "_selected_action": [sender.pk]}
    admin_client.post(reverse("admin:webhooks_sender_changelist"), chosen)
    pump.run()
    row = MessageActivityLog.objects.get()
    assert (row.kind, row.status, row.request["method"]) == (LogKind.SENT, 200, "POST")
    log.end_full_logging(timezone.now() + timedelta(minutes=61))
    assert Sender.objects.get(pk=sender.pk).log_everything_until is None


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("status", "words"),
    [(429, "Lower the speed limit"), (599, "firewall"), (302, "final address"), (418, "Read its answer")],
)
def test_a_row_says_what_its_code_means(admin_client, status, words):
    row = MessageActivityLog.objects.create(kind=LogKind.WEBHOOK_ERROR, status=status, text="x")
    page = admin_client.get(reverse("admin:webhooks_messageactivitylog_change", args=[row.pk])).content.decode()
    assert words in page


@pytest.mark.django_db
def test_without_redis_a_host_has_a_place_for_everybody(monkeypatch):
    away = Redis.from_url(f"unix://{settings.VALKEY_SOCKET}.away")
    monkeypatch.setattr(hosts.queues, "connection", lambda: away)
    assert hosts.take("a.example", 1)
    assert hosts.take("a.example", 1)
