"""The pump in this process: a real endpoint, a real database, and what both say afterwards."""

import time
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from config.demo.receiver import Reply, always
from tests.conftest import wait_until
from tests.factories import ContentFactory, MessageFactory, ProfileFactory, SenderFactory, pair
from tests.parallel import in_parallel
from webhooks import claims, deliver, hooks
from webhooks.compose import Composer, the_guard
from webhooks.deliver import Pump
from webhooks.models import Content, FrozenRequest, LogKind, Message, MessageActivityLog, Outcome, Receipt, Sender
from webhooks.record import record
from webhooks.request import Refusal
from webhooks.window import PumpSettings
from workspace import queues

pytestmark = pytest.mark.django_db(transaction=True)


def message_to(sink, **kwargs) -> Message:
    return MessageFactory(content=ContentFactory(url=f"{sink.url}/hook"), **kwargs)


def make_due(message: Message) -> None:
    Message.objects.filter(pk=message.pk).update(due_at=timezone.now())


def test_a_message_is_rendered_sent_and_recorded(sink, pump):
    message = message_to(sink, profile__first_name='O"Neil\\\n😱')
    assert pump.run() == 1
    (seen,) = sink.received
    assert seen.json() == {"name": 'O"Neil\\\n😱'}
    assert seen.headers["content-type"] == "application/json"
    assert seen.webhook_id.startswith("msg_")
    assert seen.headers["user-agent"].startswith("Hookline/")
    message.refresh_from_db()
    assert (message.outcome, message.attempts, message.last_status) == (Outcome.RECEIVED, 1, 200)
    assert message.finished_at is not None
    receipt = Receipt.objects.get()
    assert (receipt.profile_id, receipt.cause) == (message.profile_id, message.cause)
    assert not MessageActivityLog.objects.exists()


@pytest.mark.parametrize(
    "reply", [Reply(204, b""), Reply(201), Reply(200, b"<html>", (("Content-Type", "text/html"),))]
)
def test_any_2xx_is_received_once(sink, pump, reply):
    sink.script = always(reply)
    message = message_to(sink)
    pump.run()
    pump.run()
    message.refresh_from_db()
    assert message.outcome == Outcome.RECEIVED
    assert len(sink.received) == 1


def test_a_503_waits_and_is_sent_again_with_the_same_bytes_and_id(sink, pump):
    sink.script = lambda request, nth: Reply(503) if nth < 3 else Reply()
    message = message_to(sink)
    for attempt in (1, 2):
        pump.run()
        message.refresh_from_db()
        assert (message.attempts, message.outcome) == (attempt, "")
        assert message.due_at > timezone.now() + timedelta(seconds=5)
        Content.objects.update(url=f"{sink.url}/edited", version=attempt + 1)  # retries keep what was rendered
        make_due(message)
    pump.run()
    message.refresh_from_db()
    assert message.outcome == Outcome.RECEIVED
    assert [r.target for r in sink.received] == ["/hook"] * 3
    assert len({r.webhook_id for r in sink.received}) == len({r.body for r in sink.received}) == 1
    assert not FrozenRequest.objects.exists()
    assert list(MessageActivityLog.objects.values_list("status", "attempt", "is_final")) == [
        (503, 2, False),
        (503, 1, False),
    ]


def test_a_kept_request_is_encrypted(sink, pump):
    sink.script = always(Reply(503))
    message_to(sink, profile__first_name="Rumpelstiltskin")
    pump.run()
    assert b"Rumpelstiltskin" not in bytes(FrozenRequest.objects.get().sealed)


def test_a_500_for_ever_ends_after_six_attempts(sink, pump):
    sink.script = always(Reply(500))
    message = message_to(sink)
    for _ in range(8):
        pump.run()
        make_due(message)
    message.refresh_from_db()
    assert (message.outcome, message.reason, message.attempts) == (Outcome.FAILED, "http_500", 6)
    assert len(sink.received) == 6
    assert not Receipt.objects.exists()


def test_a_400_fails_at_once_and_the_log_shows_both_sides(sink, pump):
    sink.script = always(Reply(400, b'{"error":"no such user"}'))
    message = message_to(sink)
    pump.run()
    message.refresh_from_db()
    assert (message.outcome, message.reason) == (Outcome.FAILED, "http_400")
    row = MessageActivityLog.objects.get()
    assert (row.kind, row.text, row.is_final) == (LogKind.WEBHOOK_ERROR, "400 Bad Request", True)
    assert row.request["body"] == '{"name":"Ada"}'
    assert row.response["body"] == '{"error":"no such user"}'


def test_a_redirect_is_final_and_the_log_says_where_it_pointed(sink, pump):
    sink.script = always(Reply(302, headers=(("Location", "https://elsewhere.example/"),)))
    message_to(sink)
    pump.run()
    assert "https://elsewhere.example/" in MessageActivityLog.objects.get().text
    assert Message.objects.get().outcome == Outcome.FAILED


def test_an_abort_is_logged_as_an_abort(sink, pump):
    content = ContentFactory(url=f"{sink.url}/{{% abort_message('no device') %}}")
    message = MessageFactory(content=content)
    pump.run()
    message.refresh_from_db()
    assert (message.outcome, message.reason, message.attempts) == (Outcome.ABORTED, "liquid_abort", 0)
    row = MessageActivityLog.objects.get()
    assert (row.kind, row.text) == (LogKind.ABORTED, "no device")
    assert sink.received == []


def test_a_line_break_never_gets_into_a_header(sink, pump):
    headers = [{"name": "X-Name", "value": "{{${first_name}}}", "is_secret": False}]
    content = ContentFactory(url=sink.url, headers=headers)
    MessageFactory(content=content, profile__first_name="x\r\nX-Admin: 1")
    pump.run()
    assert sink.received == []
    assert "line break" in MessageActivityLog.objects.get().text


def test_a_forbidden_address_is_refused_and_not_tried_again(sink, pump, transport):
    message = MessageFactory(content=ContentFactory(url="http://169.254.169.254/latest"))
    pump.run()
    message.refresh_from_db()
    assert (message.outcome, message.reason) == (Outcome.FAILED, "guard_refused")
    assert MessageActivityLog.objects.get().kind == LogKind.GUARD_REFUSED


def test_a_number_that_is_none_fails_and_names_the_key(sink, pump):
    content = ContentFactory(url=sink.url, pairs=[pair("price", "{{${first_name}}}", "number")])
    MessageFactory(content=content, profile__first_name="12,5")
    pump.run()
    assert MessageActivityLog.objects.get().text == "price is not a number: 12,5"


def test_nul_and_lone_surrogates_break_neither_the_body_nor_the_log(sink, pump):
    sink.script = always(Reply(400, b"a\x00b", (("X-Odd", "a"), ("Content-Type", "text/plain"))))
    profile = ProfileFactory(custom_attributes={"odd": "\ud800x"} if connection.vendor == "sqlite" else {"odd": "x"})
    MessageFactory(
        profile=profile, content=ContentFactory(url=sink.url, pairs=[pair("odd", "{{custom_attribute.${odd}}}")])
    )
    pump.run()
    assert Message.objects.get().outcome == Outcome.FAILED
    assert MessageActivityLog.objects.get().response["body"] == "a\ufffdb"


def test_a_message_whose_webhook_was_deleted_fails_and_says_so(pump, sink):
    message = MessageFactory(content=ContentFactory(url=sink.url))
    Content.objects.all().delete()
    pump.run()
    message.refresh_from_db()
    assert (message.outcome, message.reason) == (Outcome.FAILED, "content_missing")
    assert MessageActivityLog.objects.get().text == "The webhook was deleted"


def test_a_profile_that_is_gone_is_skipped(sink, pump):
    message = message_to(sink)
    message.profile.delete()
    pump.run()
    message.refresh_from_db()
    assert (message.outcome, message.reason) == (Outcome.SKIPPED, "profile_not_found")
    assert not MessageActivityLog.objects.exists()


def test_a_closed_sender_holds_its_messages(sink, pump):
    message = message_to(sink, sender__is_open=False)
    assert pump.run() == 0
    Sender.objects.update(is_open=True)
    assert pump.run() == 1
    message.refresh_from_db()
    assert message.outcome == Outcome.RECEIVED


def test_a_message_of_the_future_waits(sink, pump):
    message_to(sink, due_at=timezone.now() + timedelta(minutes=1))
    assert pump.run() == 0
    assert sink.received == []


def test_a_batch_costs_a_handful_of_queries(sink, pump, django_assert_max_num_queries):
    content, sender = ContentFactory(url=sink.url), SenderFactory()
    MessageFactory.create_batch(800, content=content, sender=sender)
    with django_assert_max_num_queries(400):  # some 150; more on a busy machine, where answers come with lulls between
        assert pump.run() == 800


def test_nothing_is_rendered_or_sent_inside_a_transaction(sink, pump, transport, monkeypatch):
    seen = []
    for target, name in [(transport, "start"), (transport, "poll"), (pump.composer, "request")]:
        real = getattr(target, name)
        monkeypatch.setattr(target, name, _noting(real, seen))
    message_to(sink)
    pump.run()
    assert len(seen) >= 3
    assert not any(seen)


def _noting(real, seen):
    def call(*args):
        seen.append(connection.in_atomic_block)
        return real(*args)

    return call


def test_a_check_skips_or_holds_and_the_rest_goes_on(sink, pump, monkeypatch):
    content, sender = ContentFactory(url=sink.url), SenderFactory()
    skipped, held, sent = (MessageFactory(content=content, sender=sender) for _ in range(3))
    later = timezone.now() + timedelta(hours=1)
    verdicts = {skipped.pk: Refusal(Outcome.SKIPPED, "suppressed", ""), held.pk: hooks.Hold(later, "quiet_hours")}
    monkeypatch.setattr(hooks, "checks", [(1, lambda batch, now: verdicts)])
    pump.run()
    outcomes = dict(Message.objects.values_list("pk", "outcome"))
    assert outcomes == {skipped.pk: Outcome.SKIPPED, held.pk: "", sent.pk: Outcome.RECEIVED}
    held.refresh_from_db()
    assert (held.due_at, held.attempts) == (later, 0)


def test_a_stop_gives_back_what_has_not_started_and_records_what_is_in_flight(sink, transport):
    sink.script = always(Reply(delay=0.3))
    content, sender = ContentFactory(url=sink.url), SenderFactory()
    for _ in range(10):
        MessageFactory(content=content, sender=sender)
    stops = iter([False, False])
    pump = Pump(
        transport, Composer(the_guard()), PumpSettings(window=10, host_window=4, lease=30), lambda: next(stops, True)
    )
    pump.run()
    assert Message.objects.filter(outcome=Outcome.RECEIVED).count() == len(sink.received) == 4
    assert Message.objects.filter(finished_at=None, leased_until=None).count() == 6


def test_a_stuck_host_does_not_hold_up_another(sink, transport):
    sink.script = lambda request, nth: Reply(delay=1.5) if request.target == "/slow" else Reply()
    slow, fast = ContentFactory(url=f"{sink.url}/slow"), ContentFactory(url=sink.url.replace("127.0.0.1", "localhost"))
    early = timezone.now() - timedelta(minutes=1)
    for _ in range(8):
        MessageFactory(content=slow, due_at=early)
    for _ in range(20):
        MessageFactory(content=fast)
    Pump(transport, Composer(the_guard()), PumpSettings(window=8, host_window=4, lease=30), lambda: False).run()
    order = [request.target for request in sink.received]
    assert order.index("/slow") < 8
    assert [target for target in order[:24] if target != "/slow"] == ["/"] * 20


def test_one_run_goes_on_until_nothing_is_due(sink, transport):
    content = ContentFactory(url=f"{sink.url}/hook")
    MessageFactory.create_batch(60, content=content, sender=SenderFactory())
    pump = Pump(transport, Composer(the_guard()), PumpSettings(window=16, host_window=4, lease=30.0), lambda: False)
    assert pump.run() == 60
    assert len(sink.received) == 60


def test_a_worker_that_lost_its_lease_changes_nothing(sink, pump):
    message = message_to(sink)
    (lost,) = claims.claim(10, lambda host: 10, 30)
    Message.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
    (held,) = claims.claim(10, lambda host: 10, 30)
    assert held.lease != lost.lease
    from webhooks.attempt import Attempt
    from webhooks.request import Answer, Request

    request = Request("POST", sink.url, "127.0.0.1", (), b"")
    assert record([Attempt(lost, request, Answer(500), began_at=timezone.now())]) == 0
    message.refresh_from_db()
    assert (message.attempts, message.lease) == (0, held.lease)
    assert MessageActivityLog.objects.count() == 1  # a late outcome is only logged
    assert record([Attempt(lost, request, Answer(200), began_at=timezone.now())]) == 1  # a late 2xx finishes it
    assert record([Attempt(held, request, Answer(200), began_at=timezone.now())]) == 0
    assert Receipt.objects.count() == 1


class TestWhileASlowHostIsWaitedFor:
    """Nothing is left to look at the clock for: the next claim is a minute away unless something asks for it."""

    @pytest.fixture(autouse=True)
    def _no_looks(self, monkeypatch):
        monkeypatch.setattr(deliver, "LOOK_AGAIN", 60.0)

    def slow(self, sink) -> Message:
        sink.script = lambda request, nth: Reply(delay=1.8 if request.target == "/slow" else 0)
        return MessageFactory(content=ContentFactory(url=f"{sink.url}/slow"))

    def to_another_host(self, sink, count: int) -> list[Message]:
        content = ContentFactory(url=sink.url.replace("127.0.0.1", "localhost"))
        return MessageFactory.create_batch(count, content=content, sender=SenderFactory())

    def test_a_wake_is_heard(self, sink, pump):
        slow, later = self.slow(sink), []

        def plan() -> None:
            wait_until(lambda: sink.received, "the slow request does not start")
            later.extend(self.to_another_host(sink, 2))
            queues.wake("deliver")

        in_parallel([pump.run, plan])
        slow.refresh_from_db()
        assert all(Message.objects.get(pk=each.pk).finished_at < slow.finished_at for each in later)

    def test_many_wakes_meanwhile_make_one_job(self, sink, pump, valkey):
        self.slow(sink)

        def plan() -> None:
            wait_until(lambda: sink.received, "the slow request does not start")
            for _ in range(20):
                self.to_another_host(sink, 1)
                queues.wake("deliver")
                time.sleep(0.03)

        in_parallel([pump.run, plan])
        pump.run()  # whatever came after the slow answer
        assert len(sink.received) == 21
        assert valkey.llen("rq:queue:deliver") == 1

    def test_what_a_rate_held_back_is_looked_at_soon(self, sink, pump):
        slow = self.slow(sink)
        limited = [
            MessageFactory.create_batch(
                5,
                content=ContentFactory(url=sink.url.replace("127.0.0.1", "localhost")),
                sender=SenderFactory(rate_per_minute=60_000),
            )
            for _ in range(64)
        ]
        pump.run()
        slow.refresh_from_db()
        ended = Message.objects.filter(pk__in=[each.pk for batch in limited for each in batch])
        assert not ended.filter(finished_at__gte=slow.finished_at).exists()

    def test_a_full_host_goes_on_as_soon_as_it_has_room(self, sink, transport):
        slow, others = self.slow(sink), self.to_another_host(sink, 5)
        Pump(transport, Composer(the_guard()), PumpSettings(host_window=1, lease=30.0), lambda: False).run()
        slow.refresh_from_db()
        assert all(Message.objects.get(pk=each.pk).finished_at < slow.finished_at for each in others)
