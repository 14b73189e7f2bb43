"""Hosts that fail are halted for a minute, probed, and reopened; others keep their speed."""

import time
from datetime import timedelta

import pytest
from django.utils import timezone
from redis.exceptions import ConnectionError as RedisConnectionError

from config.demo.receiver import Reply, always
from tests.factories import ContentFactory, MessageFactory, SenderFactory, pair
from webhooks import halts, health
from webhooks.models import LogKind, Message, MessageActivityLog, Outcome
from webhooks.request import Answer, Fault
from workspace import queues

pytestmark = pytest.mark.django_db(transaction=True)
HOST = "127.0.0.1"


def make_due() -> None:
    Message.objects.filter(finished_at=None).update(due_at=timezone.now() - timedelta(seconds=1))


@pytest.fixture
def quick_halts(settings):
    settings.HOST_LEAST_RESULTS = 10
    settings.HOST_HALT_SECONDS = 2.5


def messages(sink, count: int) -> None:
    MessageFactory.create_batch(count, content=ContentFactory(url=f"{sink.url}/hook"), sender=SenderFactory())


def test_a_failing_host_is_halted_probed_and_reopened(sink, pump, quick_halts):
    sink.script = always(Reply(status=503))
    messages(sink, 30)
    pump.run()
    assert health.halted() == [HOST]
    asked = len(sink.received)
    assert asked <= 64
    make_due()
    pump.run()
    assert len(sink.received) == asked  # halted: nothing is sent, and no attempt is used
    row = MessageActivityLog.objects.get(kind=LogKind.HOST_HALTED)
    assert (row.status, row.host, row.covers) == (598, HOST, 30)
    wait_for_end_of_halt()
    pump.run()
    assert len(sink.received) == asked + 1  # the probe found it still failing
    assert health.standings([HOST])[HOST].is_closed
    sink.script = always(Reply())
    wait_for_end_of_halt()
    make_due()
    while Message.objects.filter(finished_at=None).exists():
        pump.run()
    assert health.halted() == []
    assert Message.objects.filter(outcome=Outcome.RECEIVED).count() == 30


def wait_for_end_of_halt() -> None:
    time.sleep(3.0)


def test_another_host_is_not_slowed(sink, pump, quick_halts):
    health._close(HOST)
    other = ContentFactory(url=sink.url.replace(HOST, "localhost"))
    MessageFactory.create_batch(20, content=other, sender=SenderFactory())
    messages(sink, 5)
    pump.run()
    assert Message.objects.filter(outcome=Outcome.RECEIVED).count() == 20


def test_a_message_kept_for_a_day_fails_with_598(sink, pump):
    health._close(HOST)
    messages(sink, 3)
    late = Message.objects.first()
    Message.objects.filter(pk=late.pk).update(due_at=timezone.now() - timedelta(hours=24, minutes=1))
    assert halts.give_up() == 1
    late.refresh_from_db()
    assert (late.outcome, late.reason, late.attempts) == (Outcome.FAILED, "host_halted", 0)
    assert Message.objects.filter(finished_at=None, leased_until=None).count() == 2


@pytest.mark.parametrize(
    ("failures", "results", "halts_it"),
    [(3000, 10_000, False), (3001, 1_000_000, True), (49, 49, False), (45, 50, True), (44, 50, False), (0, 0, False)],
)
def test_when_a_minute_halts_a_host(failures, results, halts_it):
    assert health.is_failing(failures, results) is halts_it


@pytest.mark.parametrize(("status", "counts"), [(408, 1), (429, 1), (500, 0), (501, 0), (404, 0), (503, 1), (529, 1)])
def test_which_codes_count(status, counts):
    health.note([(HOST, Answer(status))])
    assert health.last_minute(HOST) == (counts, 1)


def test_no_answer_counts_but_what_the_guard_refused_does_not():
    health.note([(HOST, Answer(599, fault=Fault.TIMEOUT)), (HOST, Answer(599, fault=Fault.GUARD))])
    assert health.last_minute(HOST) == (1, 2)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ([("X-Rate-Limit-Remaining", "0"), ("X-Rate-Limit-Reset", "30")], 30),
        ([("RateLimit-Remaining", "0"), ("RateLimit-Reset", "3000")], 60),
        ([("X-RateLimit-Remaining", "0"), ("X-RateLimit-Reset", "1700000020")], 20),
        ([("X-RateLimit-Remaining", "0"), ("X-RateLimit-Reset", "1700000020000")], 20),
        ([("X-RateLimit-Remaining", "1"), ("X-RateLimit-Reset", "30")], 0),
        ([("X-RateLimit-Remaining", "0")], 0),
        ([("X-RateLimit-Remaining", "0"), ("X-RateLimit-Reset", "soon")], 0),
        ([("X-Rate-Limit-Limit", "10")], 0),
    ],
)
def test_how_long_a_host_asks_to_be_spared(headers, seconds):
    assert health.pause_asked(Answer(429, tuple(headers)), 1_700_000_000.0) == seconds


def test_a_429_halves_the_speed_and_a_quiet_minute_doubles_it():
    health.note([(HOST, Answer(429))] * 5)
    assert health.standings([HOST])[HOST].halvings == 1
    assert health.standings([HOST])[HOST].room(64) == 32
    assert health._halvings(b"2:1000.0", 1059.0) == 2
    assert health._halvings(b"2:1000.0", 1061.0) == 1
    assert health._halvings(b"2:1000.0", 1121.0) == 0


def test_only_one_worker_gets_the_probe():
    assert health.take_probe(HOST)
    assert not health.take_probe(HOST)
    assert health.standings([HOST])[HOST].is_closed  # for everybody else


def test_an_answer_that_was_under_way_does_not_end_a_halt():
    health._close(HOST)
    health.note([(HOST, Answer(200))])
    assert health.standings([HOST])[HOST].is_closed
    assert health.halted() == [HOST]


def test_without_redis_every_host_counts_as_healthy(sink, pump, monkeypatch):
    def away():
        raise RedisConnectionError("away")

    messages(sink, 3)
    monkeypatch.setattr(queues, "connection", away)
    pump.run()
    assert len(sink.received) == 3
    assert health.halted() == []


class TestConnectedContent:
    """What templates call is counted apart: its halt stops no webhooks, and theirs stops no calls."""

    def asking(self, sink, count: int, more: str = "") -> None:
        text = f"{{% connected_content {sink.url}/data :no_cache {more} :save x %}}{{{{x.name}}}}"
        content = ContentFactory(url=f"{sink.url}/hook", pairs=[pair("said", text)])
        MessageFactory.create_batch(count, content=content, sender=SenderFactory())

    def called(self, sink, target: str = "/data") -> int:
        return sum(request.target == target for request in sink.received)

    def test_a_host_that_fails_is_not_called_for_a_minute_and_then_probed(self, sink, pump, quick_halts):
        sink.script = lambda request, nth: Reply(503) if request.target == "/data" else Reply()
        self.asking(sink, 12)
        pump.run()
        calls = self.called(sink)
        self.asking(sink, 3)
        pump.run()
        assert self.called(sink) == calls
        assert self.called(sink, "/hook") == 15  # messages go, with a blank
        row = MessageActivityLog.objects.filter(kind=LogKind.CONNECTED_CONTENT_ERROR).latest("pk")
        assert (row.status, "halted" in row.text) == (598, True)
        assert health.halted() == []
        wait_for_end_of_halt()
        sink.script = lambda request, nth: Reply(body=b'{"name": "Desk"}')
        self.asking(sink, 1)
        pump.run()
        assert self.called(sink) == calls + 1
        assert not health.refuses_calls(HOST)
        assert sink.received[-1].json() == {"said": "Desk"}

    def test_with_retry_the_message_waits_for_the_end_of_the_halt(self, sink, pump):
        health._close(f"{health._CALLS}{HOST}")
        self.asking(sink, 1, ":retry")
        pump.run()
        assert sink.received == []
        assert Message.objects.get().outcome == ""

    def test_a_host_halted_for_webhooks_is_still_called(self):
        health._close(HOST)
        assert not health.refuses_calls(HOST)

    def test_many_failures_among_many_more_successes_halt_nothing(self):
        health.note([(f"{health._CALLS}{HOST}", Answer(503))] * 3_100 + [(f"{health._CALLS}{HOST}", Answer(200))] * 900)
        assert not health.refuses_calls(HOST)
        health.note([(HOST, Answer(503))] * 3_100 + [(HOST, Answer(200))] * 900)
        assert health.halted() == [HOST]
