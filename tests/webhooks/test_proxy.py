"""An outbound proxy: everything goes through it, and where it leads is judged before the proxy hears of it."""

import ssl
import threading
import time
from collections.abc import Iterator

import pytest
import trustme

from config.demo.receiver import Receiver, Reply, always
from tests.factories import ContentFactory, MessageFactory, SenderFactory, pair
from webhooks import preview, targets
from webhooks.compose import Composer, the_guard
from webhooks.deliver import Pump
from webhooks.egress import Guard
from webhooks.models import Message, MessageActivityLog, Outcome
from webhooks.request import Fault, Request
from webhooks.targets import Targets
from webhooks.transport import Transport, TransportSettings
from webhooks.window import PumpSettings

from .proxy import Proxy, proxy

AUTHORITY = trustme.CA()
INNER = "127.0.0.1 127.1 2130706433 0x7f.1 0177.0.0.1 0 localhost ::1 ::ffff:127.0.0.1 ::ffff:a9fe:a9fe 169.254.169.254"


@pytest.fixture
def outbound(settings) -> Iterator[Proxy]:
    with proxy() as made:
        settings.WEBHOOK_PROXY = made.url
        yield made


def through(made: Proxy, guard: Guard, **more: object) -> Transport:
    return Transport(TransportSettings(guard, timeout=3.0, connect_timeout=2.0, proxy=made.url, **more))


def post(url: str, host: str = "127.0.0.1") -> Request:
    return Request("POST", url, host, (), b"{}")


def secured(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


def test_requests_go_through_the_proxy_even_where_the_environment_says_otherwise(sink, outbound, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "*")
    transport = through(outbound, the_guard())
    assert transport.send_one(post(f"{sink.url}/hook"), 3).is_received
    assert outbound.asked == [f"POST {sink.url}/hook HTTP/1.1"]
    assert sink.received[0].target == "/hook"
    assert (transport.in_flight, dict(transport.in_flight_to)) == (0, {})
    transport.close()


def test_https_is_tunnelled_and_its_certificate_still_checked(outbound, tmp_path):
    AUTHORITY.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    for authority, fault in ((AUTHORITY, None), (trustme.CA(), Fault.TLS)):
        with Receiver(tls=secured(authority)) as server:
            transport = through(
                outbound, Guard.allowing(["127.0.0.1/32"], [server.port]), ca_file=str(tmp_path / "authority.pem")
            )
            answer = transport.send_one(post(server.url), 3)
            transport.close()
            assert outbound.asked[-1] == f"CONNECT 127.0.0.1:{server.port} HTTP/1.1"
        assert answer.fault is fault
        assert answer.is_unreachable is bool(fault)
        assert "X-Proxy" not in dict(answer.headers)


@pytest.mark.parametrize("host", INNER.split())
def test_the_proxy_is_never_asked_for_an_inner_address(outbound, host):
    transport = through(outbound, Guard())
    written = f"[{host}]" if ":" in host else host
    answer = transport.send_one(post(f"http://{written}/latest/meta-data", host), 3)
    transport.close()
    assert (answer.fault, answer.is_retryable, answer.was_written) == (Fault.GUARD, False, False)
    assert outbound.asked == []


def test_a_name_with_an_inner_address_among_others_is_refused():
    judged = Targets(Guard(), 2.0, lambda host: ["8.8.8.8", "10.0.0.1"])
    judged.ask("key", post("http://both.example/", "both.example"), 3.0)
    ((asked, verdict),) = _decided(judged)
    assert asked.key == "key"
    assert verdict == (Fault.GUARD, Guard().refusal("10.0.0.1"))


def test_a_name_is_looked_up_once_for_many_requests_and_again_later(monkeypatch):
    asked: list[str] = []
    judged = Targets(Guard(), 2.0, lambda host: asked.append(host) or ["8.8.8.8"])
    for _ in range(2):
        for number in range(20):
            judged.ask(number, post("http://a.example/", "a.example"), 3.0)
        assert len(_decided(judged)) == 20
        monkeypatch.setattr(targets, "REMEMBERED", 0.0)
    assert asked == ["a.example", "a.example"]


def test_a_slow_name_server_costs_its_own_requests_only_their_time(sink, outbound, monkeypatch):
    let_go = threading.Event()
    monkeypatch.setattr(
        Targets.__init__,
        "__defaults__",
        (lambda host: ["127.0.0.1"] if host == "127.0.0.1" else let_go.wait(10) and ["127.0.0.1"],),
    )
    transport = Transport(TransportSettings(the_guard(), timeout=3.0, connect_timeout=0.5, proxy=outbound.url))
    began, answers = time.monotonic(), {}
    transport.start("slow", post("http://slow.example/", "slow.example"))
    transport.start("quick", post(sink.url))
    while transport.in_flight:
        for key, answer in transport.poll(0.2):
            answers[key] = (answer, time.monotonic() - began)
    let_go.set()
    transport.close()
    assert answers["quick"][0].is_received
    assert answers["quick"][1] < answers["slow"][1]
    assert answers["slow"][0].fault is Fault.NAME
    assert answers["slow"][0].is_unreachable
    assert 0.5 <= answers["slow"][1] < 5  # not the ten seconds of its name server


def test_a_name_that_does_not_exist_is_tried_again(outbound):
    transport = through(outbound, Guard())
    answer = transport.send_one(post("http://nobody.invalid/", "nobody.invalid"), 3)
    transport.close()
    assert (answer.fault, answer.is_unreachable) == (Fault.NAME, True)
    assert outbound.asked == []


@pytest.mark.parametrize("status", [407, 503])
def test_a_proxy_that_refuses_counts_as_no_connection(sink, status):
    with proxy(refuses=status) as refusing:
        transport = through(refusing, the_guard())
        answer = transport.send_one(post(sink.url.replace("http:", "https:")), 3)
        transport.close()
    assert (answer.fault, answer.is_unreachable) == (Fault.CONNECT, True)
    assert str(status) in answer.text


def test_a_reset_behind_the_tunnel_is_no_answer_of_the_endpoint(outbound, tmp_path):
    AUTHORITY.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    with Receiver(tls=secured(AUTHORITY)) as server:
        server.script = always(Reply(resets=True))
        guard = Guard.allowing(["127.0.0.1/32"], [server.port])
        transport = through(outbound, guard, ca_file=str(tmp_path / "authority.pem"))
        answer = transport.send_one(post(server.url), 3)
        transport.close()
    assert (answer.status, answer.fault, answer.headers) == (599, Fault.RESET, ())
    assert answer.is_retryable


@pytest.mark.django_db(transaction=True)
class TestSending:
    def pump(self, made: Proxy, guard: Guard) -> Pump:
        return Pump(through(made, guard), Composer(guard), PumpSettings(lease=30.0), lambda: False)

    def test_a_message_and_its_connected_content_go_through_the_proxy(self, sink, outbound):
        sink.script = lambda request, nth: Reply(body=b'{"name": "Desk"}') if request.target == "/data" else Reply()
        text = f"{{% connected_content {sink.url}/data :save item %}}{{{{item.name}}}}"
        MessageFactory(content=ContentFactory(url=f"{sink.url}/hook", pairs=[pair("said", text)]))
        assert self.pump(outbound, the_guard()).run() == 1
        assert [request.target for request in sink.received] == ["/data", "/hook"]
        assert sink.received[1].json() == {"said": "Desk"}
        assert outbound.asked == [f"GET {sink.url}/data HTTP/1.1", f"POST {sink.url}/hook HTTP/1.1"]

    def test_neither_is_passed_on_to_an_inner_address(self, sink, outbound, settings):
        settings.WEBHOOK_ALLOWED_NETWORKS = []
        inner = f"http://localhost:{sink.port}"
        text = f"[{{% connected_content {inner}/data :save item %}}{{{{item}}}}]"
        message = MessageFactory(content=ContentFactory(url=f"{inner}/hook", pairs=[pair("said", text)]))
        self.pump(outbound, the_guard()).run()
        message.refresh_from_db()
        assert (message.outcome, message.reason) == (Outcome.FAILED, "guard_refused")
        assert MessageActivityLog.objects.filter(text__contains="blocked address").exists()
        assert outbound.asked == sink.received == []

    def test_a_stop_waits_for_what_is_being_judged(self, sink, outbound):
        content, sender = ContentFactory(url=f"{sink.url}/hook"), SenderFactory()
        MessageFactory.create_batch(5, content=content, sender=sender)
        stops = iter([False])
        guard = the_guard()
        Pump(through(outbound, guard), Composer(guard), PumpSettings(lease=30.0), lambda: next(stops, True)).run()
        assert Message.objects.filter(outcome=Outcome.RECEIVED).count() == len(sink.received)
        assert not Message.objects.exclude(leased_until=None).exists()

    def test_a_test_send_goes_the_same_way(self, sink, outbound):
        assert preview.send_once(post(sink.url)).is_received
        assert len(outbound.asked) == 1


def _decided(judged: Targets) -> list[object]:
    found: list[object] = []
    deadline = time.monotonic() + 5
    while len(judged) and time.monotonic() < deadline:
        found += judged.decided()
        time.sleep(0.01)
    return found
