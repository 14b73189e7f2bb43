"""Endpoints that break in ways of their own: each has its reason in the log, its retries, and harms nobody else."""

import socket
import threading
import time
from itertools import pairwise

import pytest
import trustme
from django.utils import timezone

from config.demo.receiver import Receiver, Reply, always
from tests.factories import RAW, ContentFactory, MessageFactory, SenderFactory
from tests.webhooks.test_tls import served_with
from webhooks.models import Message, MessageActivityLog, Outcome, Sender
from webhooks.request import Fault, Request
from webhooks.transport import TransportSettings

pytestmark = pytest.mark.django_db(transaction=True)


def message_to(url: str, **content) -> Message:
    return MessageFactory(content=ContentFactory(url=url, **content), sender=SenderFactory())


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def waits_with(message: Message, reason: str, words: str) -> None:
    message.refresh_from_db()
    assert (message.outcome, message.reason, message.attempts) == ("", reason, 1)
    assert message.due_at > timezone.now()
    row = MessageActivityLog.objects.get()
    assert (row.status, row.is_final, row.next_try_at) == (599, False, message.due_at)
    assert words in row.text


def test_a_closed_port_is_no_connection_and_is_tried_again(sink, pump, settings):
    message = message_to(f"http://127.0.0.1:{sink.port}/")
    pump.composer._guard = pump.transport.settings.guard
    port = closed_port()
    settings.WEBHOOK_ALLOWED_PORTS = [port]
    message = retarget(message, f"http://127.0.0.1:{port}/", pump)
    pump.run()
    waits_with(message, "no_connection", "No connection")


def retarget(message: Message, url: str, pump) -> Message:
    """Another address, which the guard of this pump lets pass."""
    from webhooks.compose import the_guard

    pump.composer._guard = the_guard()
    message.content.url = url
    message.content.version += 1
    message.content.save()
    return message


def test_a_name_that_is_not_found_is_tried_again(pump):
    message = message_to("http://nobody.invalid/")
    pump.run()
    waits_with(message, "name_not_found", "The host name was not found")


def test_a_reset_after_accepting_is_tried_again_with_a_hint(sink, pump):
    sink.script = always(Reply(resets=True))
    message = message_to(sink.url)
    pump.run()
    waits_with(message, "reset", "the server may have acted")


def test_silence_is_a_timeout_and_is_tried_again(sink, pump):
    sink.script = always(Reply(delay=5))
    message = message_to(sink.url)
    pump.run()
    waits_with(message, "timeout", "No complete answer in time")


def test_a_certificate_of_a_stranger_is_a_tls_fault_and_is_tried_again(sink, pump, settings):
    with Receiver(tls=served_with(trustme.CA().issue_cert("127.0.0.1"))) as server:
        settings.WEBHOOK_ALLOWED_PORTS = [server.port]
        message = retarget(message_to(server.url), server.url, pump)
        pump.run()
    waits_with(message, "tls", "TLS")


def test_a_request_may_take_ninety_seconds_of_which_ten_for_the_connection(settings):
    assert (TransportSettings().timeout, TransportSettings().connect_timeout) == (90, 10)
    assert (settings.WEBHOOK_TIMEOUT, settings.WEBHOOK_CONNECT_TIMEOUT) == (90, 10)


def test_headers_that_drip_end_at_the_deadline_and_free_their_place(sink, transport):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        def drip():
            client, _ = server.accept()
            with client:
                client.recv(4096)
                for byte in b"HTTP/1.1 200 OK\r\nX-Slow: " + b"y" * 200:
                    try:
                        client.sendall(bytes([byte]))
                    except OSError:
                        return
                    time.sleep(0.05)

        threading.Thread(target=drip, daemon=True).start()
        began = time.monotonic()
        answer = transport.send_one(Request("POST", f"http://127.0.0.1:{port}/", "127.0.0.1", (), b""), 0.8)
    assert answer.fault is Fault.TIMEOUT
    assert time.monotonic() - began < 2
    assert transport.in_flight == 0


def test_a_429_that_names_a_wait_is_asked_again_each_time_only_after_it(sink, pump):
    sink.script = lambda request, nth: Reply(429, headers=(("Retry-After", "1"),)) if nth <= 3 else Reply()
    message = message_to(sink.url)
    asked_to_wait = []
    while not Message.objects.filter(outcome=Outcome.RECEIVED).exists():
        pump.run()
        message.refresh_from_db()
        if not message.outcome:
            asked_to_wait.append((message.due_at - timezone.now()).total_seconds())
            time.sleep(1.05)  # what the endpoint asked for; our own wait is longer, and shortened here
            Message.objects.update(due_at=timezone.now())
    assert len(sink.received) == message.attempts == 4
    assert all(seconds > 0.9 for seconds in asked_to_wait)
    assert all(after.at - before.at >= 1 for before, after in pairwise(sink.received))


@pytest.mark.parametrize(("status", "requests"), [(404, 1), (408, 6)])
def test_a_404_is_asked_once_and_a_408_six_times(sink, pump, status, requests):
    sink.script = always(Reply(status))
    message = message_to(sink.url)
    for _ in range(8):
        pump.run()
        Message.objects.update(due_at=message.due_at)
    message.refresh_from_db()
    assert (message.outcome, len(sink.received)) == (Outcome.FAILED, requests)
    assert MessageActivityLog.objects.filter(is_final=True).count() == 1


@pytest.mark.parametrize("size", [200_000, 20_000_000])
def test_of_a_large_answer_the_log_keeps_the_beginning_and_says_so(sink, pump, admin_client, size):
    sink.script = always(Reply(400, b"x" * size, (("Content-Type", "text/plain"),)))
    message_to(sink.url)
    pump.run()
    row = MessageActivityLog.objects.get()
    assert (row.attempt, row.is_final, row.response["is_cut"]) == (1, True, True)
    assert len(row.response["body"]) == 64 * 1024
    assert "64" in admin_client.get(f"/admin/webhooks/messageactivitylog/{row.pk}/change/").text


def test_connections_that_the_endpoint_closes_without_a_word_cost_no_attempt_and_repeat_nothing(sink, pump):
    sink.script = lambda request, nth: Reply(closes=len(sink.received) % 10 == 0)
    MessageFactory.create_batch(200, content=ContentFactory(url=sink.url), sender=SenderFactory())
    pump.run()
    assert len({request.webhook_id for request in sink.received}) == len(sink.received) == 200
    assert set(Message.objects.values_list("outcome", "attempts")) == {(Outcome.RECEIVED, 1)}
    assert not MessageActivityLog.objects.exists()


def test_a_header_of_any_script_goes_out_as_utf_8(sink, pump):
    headers = [{"name": "X-Name", "value": "{{${first_name}}}", "is_secret": False}]
    message = MessageFactory(content=ContentFactory(url=sink.url, headers=headers), profile__first_name="Zoë 😱 Привет")
    pump.run()
    message.refresh_from_db()
    assert message.outcome == Outcome.RECEIVED
    assert sink.received[0].headers["x-name"].encode("latin-1").decode() == "Zoë 😱 Привет"


def test_a_body_of_any_script_goes_as_utf_8_with_its_length_in_bytes(sink, pump):
    message_to(sink.url, body_kind=RAW, raw_body="тест 😱 \u200b")
    pump.run()
    (seen,) = sink.received
    assert seen.body == "тест 😱 \u200b".encode()
    assert int(seen.headers["content-length"]) == len(seen.body)
    assert seen.headers["content-type"] == "text/plain; charset=utf-8"


def test_what_has_no_place_in_the_rate_waits_and_has_not_failed(sink, pump):
    sender = SenderFactory(rate_per_minute=10)
    MessageFactory.create_batch(5, content=ContentFactory(url=sink.url), sender=sender)
    pump.run()
    pump.run()
    assert len(sink.received) == 1
    assert sorted(Message.objects.values_list("outcome", "attempts")) == [("", 0)] * 4 + [(Outcome.RECEIVED, 1)]
    assert not Message.objects.exclude(leased_until=None).exists()
    Sender.objects.update(next_free_at=timezone.now())  # six seconds later
    pump.run()
    assert len(sink.received) == 2
