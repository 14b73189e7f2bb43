import gzip
import socket
import time

import pytest

from config.demo.receiver import Reply, always
from webhooks.egress import Guard
from webhooks.request import Fault, Request
from webhooks.transport import Transport, TransportSettings


def post(sink, path="/", body=b"{}", headers=()):
    return Request("POST", sink.url + path, "127.0.0.1", tuple(headers), body)


def test_a_request_arrives_as_it_was_composed(sink, transport):
    request = post(sink, "/a?b=c", "тест 😱".encode(), [("X-One", "1"), ("Content-Type", "text/plain; charset=utf-8")])
    answer = transport.send_one(request, 2)
    (seen,) = sink.received
    assert answer.is_received
    assert (seen.method, seen.target, seen.body) == ("POST", "/a?b=c", "тест 😱".encode())
    assert seen.headers["x-one"] == "1"
    assert int(seen.headers["content-length"]) == len("тест 😱".encode())
    assert "expect" not in seen.headers
    assert "authorization" not in seen.headers


def test_requests_arrive_where_the_system_has_no_epoll(sink, monkeypatch):
    monkeypatch.delattr("select.epoll")
    transport = Transport(TransportSettings(guard=Guard.allowing(["127.0.0.1/32"], [sink.port]), timeout=2.0))
    assert [transport.send_one(post(sink), 2).status for _ in range(2)] == [200, 200]
    transport.close()


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_every_method_goes_out(sink, transport, method):
    body = None if method in ("GET", "DELETE") else b"x"
    assert transport.send_one(Request(method, sink.url, "127.0.0.1", (), body), 2).is_received
    assert sink.received[0].method == method
    assert sink.received[0].body == (body or b"")


def test_no_content_type_is_invented(sink, transport):
    transport.send_one(post(sink), 2)
    assert "content-type" not in sink.received[0].headers


def test_a_netrc_file_adds_nothing(sink, transport, tmp_path, monkeypatch):
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login a password b\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    transport.send_one(post(sink, headers=[("Authorization", "Bearer x")]), 2)
    transport.send_one(post(sink), 2)
    assert [r.headers.get("authorization") for r in sink.received] == ["Bearer x", None]


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_redirects_are_not_followed(sink, transport, status):
    sink.script = always(Reply(status, headers=(("Location", f"{sink.url}/elsewhere"),)))
    answer = transport.send_one(post(sink), 2)
    assert answer.status == status
    assert answer.header("location") == f"{sink.url}/elsewhere"
    assert len(sink.received) == 1


def test_connections_are_reused(sink, transport):
    for _ in range(20):
        assert transport.send_one(post(sink), 2).is_received
    assert len(sink._tasks) == 1


def test_a_connection_closed_without_a_word_costs_no_failure(sink, transport):
    sink.script = lambda request, nth: Reply(closes=len(sink.received) % 10 == 0)
    answers = [transport.send_one(post(sink), 2) for _ in range(100)]
    assert all(answer.is_received for answer in answers)


def test_a_large_answer_is_cut_and_its_status_counts(sink, transport):
    sink.script = always(Reply(body=b"x" * 5_000_000))
    answer = transport.send_one(post(sink), 5)
    assert answer.is_received
    assert answer.is_cut
    assert len(answer.body) == 64 * 1024


def test_a_compressed_answer_is_read(sink, transport):
    sink.script = always(Reply(400, gzip.compress(b"no such user"), (("Content-Encoding", "gzip"),)))
    assert transport.send_one(post(sink), 2).body == b"no such user"


def test_a_decompression_bomb_costs_64_kib(sink, transport):
    sink.script = always(Reply(200, gzip.compress(b"\0" * 50_000_000), (("Content-Encoding", "gzip"),)))
    answer = transport.send_one(post(sink), 5)
    assert answer.is_received
    assert len(answer.body) == 64 * 1024


def test_broken_gzip_leaves_the_status_to_decide(sink, transport):
    sink.script = always(Reply(200, b"this is not gzip", (("Content-Encoding", "gzip"),)))
    assert transport.send_one(post(sink), 2).is_received


def test_a_refused_connection_is_unreachable(transport):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    answer = transport.send_one(Request("POST", f"http://127.0.0.1:{port}/", "127.0.0.1", (), b""), 2)
    assert (answer.status, answer.fault) == (599, Fault.CONNECT)
    assert answer.is_unreachable


def test_a_name_that_does_not_exist(transport):
    answer = transport.send_one(Request("POST", "http://nobody.invalid/", "nobody.invalid", (), b""), 5)
    assert answer.fault is Fault.NAME
    assert answer.is_unreachable


def test_silence_ends_at_the_deadline(sink, transport):
    sink.script = always(Reply(delay=5))
    began = time.monotonic()
    answer = transport.send_one(post(sink), 0.5)
    assert answer.fault is Fault.TIMEOUT
    assert not answer.is_unreachable
    assert time.monotonic() - began < 2


def test_a_dripping_answer_ends_at_the_deadline(sink, transport):
    sink.script = always(Reply(body=b"x" * 100, drip=0.1))
    answer = transport.send_one(post(sink), 0.6)
    assert answer.fault is Fault.TIMEOUT
    assert answer.body.startswith(b"xx")


def test_a_reset_after_the_request_may_have_acted(sink, transport):
    sink.script = always(Reply(resets=True))
    answer = transport.send_one(post(sink), 2)
    assert answer.fault is Fault.RESET
    assert answer.was_written
    assert answer.is_retryable


def test_a_reset_in_the_middle_of_the_headers_is_no_answer(sink, transport):
    sink.script = always(Reply(raw=b"HTTP/1.1 200 OK\r\nA: b\r\n", resets=True))
    assert transport.send_one(post(sink), 2).fault is Fault.RESET


@pytest.mark.parametrize("raw", [b"SSH-2.0-OpenSSH_9.2\r\n", b"\x00\x01\x02\x03" * 10])
def test_what_is_not_http_is_not_an_answer(sink, transport, raw):
    sink.script = always(Reply(raw=raw))
    answer = transport.send_one(post(sink), 2)
    assert answer.fault in (Fault.NOT_HTTP, Fault.RESET)
    assert not answer.is_received


def test_http_1_0_without_a_length(sink, transport):
    sink.script = always(Reply(raw=b"HTTP/1.0 200 OK\r\n\r\nhello"))
    answer = transport.send_one(post(sink), 2)
    assert answer.is_received
    assert answer.body == b"hello"


def test_interim_answers_are_passed_over(sink, transport):
    sink.script = always(
        Reply(raw=b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 201 Created\r\nB: c\r\n\r\n")
    )
    answer = transport.send_one(post(sink), 2)
    assert answer.status == 201
    assert answer.headers == (("B", "c"),)


@pytest.mark.parametrize(
    "host",
    "127.0.0.1 localhost localhost. 2130706433 0x7f.1 0177.0.0.1 0 [::1] [::ffff:127.0.0.1] [::ffff:7f00:1]".split(),
)
def test_no_spelling_of_loopback_is_connected_to(sink, host):
    guarded = Transport(TransportSettings(guard=Guard.allowing(ports=[sink.port]), timeout=2))
    answer = guarded.send_one(Request("POST", f"http://{host}:{sink.port}/", host, (), b""), 2)
    guarded.close()
    assert answer.fault in (Fault.GUARD, Fault.NAME)
    assert not answer.is_retryable or answer.fault is Fault.NAME
    assert sink.received == []


def test_many_requests_are_in_flight_at_once(sink, transport):
    sink.script = always(Reply(delay=0.3))
    began = time.monotonic()
    for number in range(100):
        transport.start(number, post(sink))
    assert transport.in_flight == transport.in_flight_to["127.0.0.1"] == 100
    answers = []
    while transport.in_flight:
        answers += transport.poll(0.5)
    assert {key for key, _ in answers} == set(range(100))
    assert all(answer.is_received for _, answer in answers)
    assert time.monotonic() - began < 5
    assert not transport.in_flight_to


def test_more_sockets_than_select_can_hold(sink):
    wide = Transport(TransportSettings(guard=Guard.allowing(["127.0.0.1/32"], [sink.port]), timeout=20))
    sink.script = always(Reply(delay=1))
    for number in range(1100):
        wide.start(number, post(sink))
    answers = []
    while wide.in_flight:
        answers += wide.poll(0.5)
    wide.close()
    assert sum(answer.is_received for _, answer in answers) == 1100
