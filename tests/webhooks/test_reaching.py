"""No way into the internal network: every spelling of an inner address, from profile data to the wire."""

import contextlib
import socket
import threading

import pycurl
import pytest

from config.demo.receiver import Reply, always
from tests.factories import ContentFactory, MessageFactory, SenderFactory
from webhooks.compose import Composer
from webhooks.deliver import Pump
from webhooks.egress import Guard
from webhooks.models import LogKind, Message, MessageActivityLog, Outcome
from webhooks.request import Fault, Request
from webhooks.transport import Transport, TransportSettings
from webhooks.window import PumpSettings

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def guarded_pump(sink):
    """A pump whose guard lets nobody in; only the sink's port is open, so that the address is what is refused."""
    made = Transport(TransportSettings(Guard.allowing(ports=[sink.port]), timeout=2.0, connect_timeout=1.0))
    yield Pump(made, Composer(Guard.allowing(ports=[sink.port])), PumpSettings(lease=30.0), lambda: False)
    made.close()


def deliver_all(pump, urls):
    """(outcome, reason, attempts) by URL, each of a message whose profile has that URL."""
    content, sender = ContentFactory(url="{{custom_attribute.${url}}}"), SenderFactory()
    for url in urls:
        MessageFactory(content=content, sender=sender, profile__custom_attributes={"url": url})
    pump.run()
    rows = Message.objects.values_list("profile__custom_attributes", "outcome", "reason", "attempts")
    return {attributes["url"]: tuple(rest) for attributes, *rest in rows}


def deliver(pump, url):
    deliver_all(pump, [url])
    return Message.objects.latest("pk")


INNER_HOSTS = """127.0.0.1 127.1 2130706433 0x7f000001 0x7f.1 0177.0.0.1 0177.0000.0000.0001 0 0.0.0.0
    localhost localhost. [::1] [::] [::ffff:127.0.0.1] [::ffff:7f00:1] [::ffff:a9fe:a9fe] [64:ff9b::7f00:1]
    [2002:7f00:1::] [2001:0:4136:e378:8000:63bf:80ff:fffe] [fe80::1] [fd00:ec2::254] 169.254.169.254
    100.64.0.1 10.0.0.1 192.168.0.1
    ①②⑦.0.0.1 １２７.0.0.1""".split()
UNUSABLE = [
    "file:///etc/passwd",
    "gopher://127.0.0.1:6379/_FLUSHALL",
    "dict://127.0.0.1:6379/info",
    "ftp://example.com/",
    "javascript:alert(1)",
    "//example.com/",
    "http:///nohost",
    "http://example.com:6379/",
    "http://[::1:9000/",
    "http://a..b/",
    f"http://{'a' * 70}.example/",
    "",
    "http://exam ple.com/",
]


def test_no_spelling_of_an_inner_address_is_reached(sink, guarded_pump):
    found = deliver_all(guarded_pump, [f"http://{host}:{sink.port}/latest/meta-data" for host in INNER_HOSTS])
    assert {(outcome, attempts <= 1) for outcome, _, attempts in found.values()} == {(Outcome.FAILED, True)}, found
    assert {reason for _, reason, _ in found.values()} <= {"guard_refused", "bad_url"}
    assert sink.received == []
    assert MessageActivityLog.objects.filter(is_final=True).count() == len(INNER_HOSTS)


def test_other_schemes_ports_and_broken_addresses_fail_at_once(guarded_pump):
    found = deliver_all(guarded_pump, UNUSABLE)
    assert set(found.values()) == {(Outcome.FAILED, "bad_url", 0)}, found


def test_a_user_and_password_in_the_address_cannot_hide_the_host(sink, guarded_pump):
    message = deliver(guarded_pump, f"http://example.com:80@127.0.0.1:{sink.port}/")
    assert message.outcome == Outcome.FAILED
    assert sink.received == []


def test_a_line_break_in_the_address_adds_no_header(sink, pump):
    message = deliver(pump, f"{sink.url}/a\r\nX-Admin: 1\r\n\r\nGET /b")
    assert message.outcome in (Outcome.RECEIVED, Outcome.FAILED)
    assert all("x-admin" not in request.headers and request.target != "/b" for request in sink.received)


def test_an_international_host_is_called_by_its_ascii_name():
    MessageFactory(content=ContentFactory(url="https://bücher.example/ä?q=ö"), sender=SenderFactory())
    made = Transport(TransportSettings(timeout=2.0, connect_timeout=1.0))
    Pump(made, Composer(Guard()), PumpSettings(lease=30.0), lambda: False).run()
    made.close()
    row = MessageActivityLog.objects.get()
    assert row.host == "xn--bcher-kva.example"
    assert row.request["url"] == "https://xn--bcher-kva.example/%C3%A4?q=%C3%B6"


def test_a_very_long_address_is_sent_or_refused_but_breaks_nothing(sink, pump):
    for length in (2_000, 8_000, 70_000):
        message = deliver(pump, f"{sink.url}/{'a' * length}")
        assert message.outcome in (Outcome.RECEIVED, Outcome.FAILED)


class Resolving(Transport):
    """Connections whose name look-ups give what the test says, one answer after the other."""

    answers: list[str] = []

    def _new_exchange(self):
        made = super()._new_exchange()
        made.curl.setopt(pycurl.FRESH_CONNECT, 1)
        begin = made.begin

        def looked_up(key, request):
            made.curl.setopt(pycurl.RESOLVE, [self.answers.pop(0)])
            begin(key, request)

        return _Looking(made, looked_up)


class _Looking:
    """An exchange that looks its name up as it begins."""

    def __init__(self, made, begin):
        self._made, self.begin = made, begin

    def __getattr__(self, name):
        return getattr(self._made, name)


@pytest.fixture
def outside():
    """A server on an address that the guard lets pass, standing for the public internet."""
    with socket.create_server(("127.0.0.2", 0)) as server:

        def serve():
            while True:
                try:
                    client, _ = server.accept()
                except OSError:
                    return
                with client:
                    client.recv(4096)
                    client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]


def test_a_name_that_means_an_inner_address_the_second_time_is_not_connected_to(outside):
    inner_hits = []
    with socket.create_server(("127.0.0.1", outside)) as inner:

        def listen():
            with contextlib.suppress(OSError):  # closed without a call
                inner_hits.append(inner.accept())

        threading.Thread(target=listen, daemon=True).start()
        made = Resolving(TransportSettings(Guard.allowing(["127.0.0.2/32"], [outside]), timeout=2.0))
        made.answers = [f"rebind.example:{outside}:127.0.0.2", f"rebind.example:{outside}:127.0.0.1"]
        request = Request("POST", f"http://rebind.example:{outside}/", "rebind.example", (), b"")
        assert made.send_one(request, 2).is_received
        second = made.send_one(request, 2)
        made.close()
    assert second.fault is Fault.GUARD
    assert "127.0.0.1 is a loopback address" in second.text
    assert inner_hits == []


def test_of_a_name_with_several_addresses_only_those_allowed_are_tried(outside):
    made = Resolving(TransportSettings(Guard.allowing(["127.0.0.2/32"], [outside]), timeout=2.0))
    made.answers = [f"both.example:{outside}:127.0.0.1,127.0.0.2"]
    request = Request("POST", f"http://both.example:{outside}/", "both.example", (), b"")
    assert made.send_one(request, 2).is_received
    made.close()


def test_a_redirect_inside_is_not_followed_and_the_log_shows_where_it_pointed(sink, pump):
    sink.script = always(Reply(302, headers=(("Location", "http://169.254.169.254/latest"),)))
    message = deliver(pump, sink.url)
    assert (message.outcome, message.last_status) == (Outcome.FAILED, 302)
    assert len(sink.received) == 1
    row = MessageActivityLog.objects.get()
    assert row.kind == LogKind.WEBHOOK_ERROR
    assert "http://169.254.169.254/latest" in row.text
