"""Connected Content against a real endpoint."""

import gzip
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from config.demo.receiver import Receiver, Reply, always
from webhooks.liquid import Aborted, ConnectedContentCall, Postponed, Services, parse
from webhooks.liquid.connected import ConnectedContent, StoredCredential, cache_key

from .world import world

AGENT = "Hookline test"


class Memory:
    """A cache that remembers how long it was asked to."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}
        self.ttls: list[int] = []

    def get(self, key: str) -> bytes | None:
        return self.kept.get(key)

    def set(self, key: str, value: bytes, ttl: int) -> None:
        self.kept[key] = value
        self.ttls.append(ttl)

    def delete(self, key: str) -> None:
        self.kept.pop(key, None)


@pytest.fixture
def server() -> Iterator[Receiver]:
    with Receiver() as receiver:
        connected(more_ports=[receiver.port])(get(receiver, "/ready"))  # it is up once it has answered
        receiver.received.clear()
        yield receiver


def connected(**changes: Any) -> ConnectedContent:
    """Connected Content for which no address is refused."""
    given: dict[str, Any] = {"refusal": lambda address: None, "user_agent": AGENT}
    return ConnectedContent(**(given | changes))


@pytest.fixture
def make(server: Receiver) -> Callable[..., ConnectedContent]:
    """Connected Content that may reach the server."""
    return lambda **changes: connected(**({"more_ports": [server.port]} | changes))


def get(server: Receiver, path: str = "/", **changes: Any) -> ConnectedContentCall:
    return ConnectedContentCall(url=server.url + path, **changes)


def test_a_call_carries_what_the_template_said(server: Receiver, make: Callable[..., ConnectedContent]) -> None:
    call = get(
        server,
        "/a%20b?q=ü",
        method="POST",
        body="n=Zoë",
        headers=(("X-Name", "Zoë"), ("user-agent", "mine")),
        content_type="application/json",
        accept="application/json",
    )
    assert make()(call).text == '{"ok":true}'
    seen = server.received[0]
    assert (seen.method, seen.target, seen.body) == ("POST", "/a%20b?q=%C3%BC", "n=Zoë".encode())
    assert seen.headers["x-name"].encode("latin-1").decode() == "Zoë"
    assert seen.headers["user-agent"] == "mine"
    assert seen.headers["content-type"] == seen.headers["accept"] == "application/json"
    assert seen.headers["host"] == f"127.0.0.1:{server.port}"


def test_nothing_of_the_environment_goes_along(
    server: Receiver, make: Callable[..., ConnectedContent], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password secret")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    server.script = always(Reply(headers=(("Set-Cookie", "a=b"),)))
    fetch = make()
    assert [fetch(get(server, "/1")).status, fetch(get(server, "/2")).status] == [200, 200]
    assert "authorization" not in server.received[1].headers
    assert "cookie" not in server.received[1].headers
    assert server.received[1].headers["user-agent"] == AGENT


@pytest.mark.parametrize(
    ("reply", "status", "failure"),
    [
        (Reply(status=404), 404, ""),
        (Reply(status=302, headers=(("Location", "/elsewhere"),)), 302, "redirects are not followed"),
        (Reply(body=b"x" * (1024 * 1024 + 1)), 200, "larger than 1 MB"),
        (Reply(delay=4), 599, "no answer within 2 s"),
        (Reply(body=b"x" * 100, drip=0.1), 599, "no answer within 2 s"),
        (Reply(resets=True), 599, "no answer"),
        (Reply(raw=b"nonsense\r\n\r\n"), 599, "no answer"),
        (Reply(raw=b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab"), 599, "no answer"),
        (Reply(raw=b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\nab"), 599, "no answer"),
    ],
)
def test_an_answer_that_is_not_good_says_why_and_in_time(
    server: Receiver, make: Callable[..., ConnectedContent], reply: Reply, status: int, failure: str
) -> None:
    server.script = always(reply)
    started = time.monotonic()
    answer = make()(get(server))
    assert time.monotonic() - started < 3
    assert (answer.status, answer.is_good) == (status, False)
    assert failure in answer.failure
    assert len(server.received) == 1


def test_headers_that_drip_end_at_the_deadline() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=_drip, args=[listening], daemon=True).start()
        port = listening.getsockname()[1]
        started = time.monotonic()
        answer = connected(more_ports=[port])(ConnectedContentCall(f"http://127.0.0.1:{port}/"))
    assert answer.failure == "no answer within 2 s"
    assert time.monotonic() - started < 3


def _drip(listening: socket.socket) -> None:
    connection, _ = listening.accept()
    with connection:
        connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        for _ in range(100):
            try:
                connection.sendall(b"x")
            except OSError:
                return
            time.sleep(0.1)


def test_a_slow_name_server_ends_at_the_deadline() -> None:
    started = time.monotonic()
    answer = connected(resolve=lambda host, port: time.sleep(5))(ConnectedContentCall("http://slow.test/"))
    assert answer.failure == "no answer within 2 s"
    assert time.monotonic() - started < 3


def test_a_closed_port_is_no_answer_and_may_pass() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    answer = connected(more_ports=[port])(ConnectedContentCall(f"http://127.0.0.1:{port}/"))
    assert (answer.status, answer.may_pass) == (599, True)


@pytest.mark.parametrize(
    ("url", "failure"),
    [
        ("ftp://a.test/", "starts with http"),
        ("a.test", "starts with http"),
        ("http:///x", "no host"),
        ("http://a.test:8080/", "uses port 8080"),
        ("https://a.test:80/", "uses port 80"),
        ("http://me:secret@a.test/", "no user or password"),
        ("http://[::1/", ""),
        ("http://a.test:99999999/", ""),
        ("http://a..b/", ""),
        (f"http://{'x' * 70}.test/", ""),
        ("", "starts with http"),
    ],
)
def test_a_url_that_may_not_be_called_is_refused_before_anything_is_sent(url: str, failure: str) -> None:
    answer = connected()(ConnectedContentCall(url))
    assert not answer.is_good
    assert failure in answer.failure
    assert answer.failure


def test_every_address_of_a_host_is_checked_before_any_is_connected_to(
    server: Receiver, make: Callable[..., ConnectedContent]
) -> None:
    both = [("127.0.0.1", server.port), ("10.0.0.9", server.port)]
    fetch = make(resolve=lambda host, port: both, refusal=lambda ip: "private" if ip.startswith("10.") else None)
    answer = fetch(ConnectedContentCall(f"http://two.test:{server.port}/"))
    assert (answer.status, answer.may_pass) == (0, False)
    assert answer.failure == "two.test has a blocked address: private"
    assert not server.received


def test_a_name_is_asked_for_once_and_only_the_checked_address_is_used(
    server: Receiver, make: Callable[..., ConnectedContent]
) -> None:
    answers = [[("127.0.0.1", server.port)], [("10.0.0.9", server.port)]]
    fetch = make(resolve=lambda host, port: answers.pop(0))
    assert fetch(ConnectedContentCall(f"http://rebound.test:{server.port}/")).is_good
    assert len(answers) == 1
    assert server.received[0].headers["host"] == f"rebound.test:{server.port}"


def test_the_next_address_is_tried_where_one_does_not_answer(
    server: Receiver, make: Callable[..., ConnectedContent]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        closed = free.getsockname()
    fetch = make(resolve=lambda host, port: [closed, ("127.0.0.1", server.port)])
    assert fetch(ConnectedContentCall(f"http://two.test:{server.port}/")).is_good


def test_good_answers_are_cached_for_all_messages_and_others_are_not(
    server: Receiver, make: Callable[..., ConnectedContent]
) -> None:
    cache = Memory()
    fetch = make(cache=cache)
    server.script = lambda request, nth: Reply(status=500 if request.target == "/bad" else 200, body=b"42")
    first, second = fetch(get(server, "/good")), fetch(get(server, "/good"))
    assert (first.text, first.is_cached, second.text, second.is_cached) == ("42", False, "42", True)
    fetch(get(server, "/bad"))
    fetch(get(server, "/bad"))
    assert [seen.target for seen in server.received] == ["/good", "/bad", "/bad"]
    assert cache.ttls == [300]


def test_how_long_an_answer_is_kept_is_the_authors_to_say(
    server: Receiver, make: Callable[..., ConnectedContent]
) -> None:
    cache = Memory()
    fetch = make(cache=cache)
    fetch(get(server, "/1", method="POST"))
    fetch(get(server, "/2", method="POST", cache_seconds=900))
    fetch(get(server, "/3", cache_seconds=14400))
    fetch(get(server, "/4", is_uncached=True))
    fetch(get(server, "/4", is_uncached=True))
    assert cache.ttls == [900, 14400]
    assert len(server.received) == 5


def test_two_different_requests_never_share_an_answer() -> None:
    call = ConnectedContentCall("https://a.test/")
    others = [
        ConnectedContentCall("https://a.test/x"),
        ConnectedContentCall("https://a.test/", method="POST"),
        ConnectedContentCall("https://a.test/", body="a"),
        ConnectedContentCall("https://a.test/", headers=(("X-User", "7"),)),
        ConnectedContentCall("https://a.test/", content_type="text/plain"),
        ConnectedContentCall("https://a.test/", accept="text/plain"),
        ConnectedContentCall("https://a.test/", credential="c"),
        ConnectedContentCall("https://a.test/", credential="c", is_basic=True),
    ]
    keys = {cache_key("w", one) for one in [call, *others]} | {cache_key("other", call)}
    assert len(keys) == len(others) + 2
    assert cache_key("w", call) == cache_key("w", ConnectedContentCall("https://a.test/", cache_seconds=900))


def test_stored_credentials_go_to_their_domain_only(server: Receiver, make: Callable[..., ConnectedContent]) -> None:
    stored = {
        "basic": StoredCredential(user="me", password="säcret"),
        "token": StoredCredential(domain="127.0.0.1", headers=(("X-Token", "t"),)),
        "elsewhere": StoredCredential(domain="a.test", headers=(("X-Token", "t"),)),
    }
    fetch = make(credential=stored.get)
    fetch(get(server, credential="basic", is_basic=True))
    fetch(get(server, credential="token"))
    answer = fetch(get(server, credential="elsewhere"))
    assert server.received[0].headers["authorization"] == "Basic bWU6c8OkY3JldA=="
    assert server.received[1].headers["x-token"] == "t"
    assert len(server.received) == 2
    assert answer.failure == "the credential 'elsewhere' may not go to 127.0.0.1"


@pytest.mark.parametrize(
    ("host", "is_allowed"), [("a.test", True), ("b.a.test", True), ("xa.test", False), ("a.test.evil.test", False)]
)
def test_a_domain_covers_itself_and_what_is_below_it(host: str, is_allowed: bool) -> None:
    assert StoredCredential(domain="a.test").allows(host) is is_allowed


def test_a_credential_that_is_gone_aborts_the_message(server: Receiver, make: Callable[..., ConnectedContent]) -> None:
    template = parse(f"{{% connected_content {server.url} :auth_credentials gone %}}")
    with pytest.raises(Aborted, match="there is no credential 'gone'"):
        template.render(world(services=Services(connected_content=make(credential={}.get))))
    assert not server.received


def test_a_halted_host_is_not_called_and_every_answer_is_noted(
    server: Receiver, make: Callable[..., ConnectedContent]
) -> None:
    noted: list[tuple[str, int]] = []
    note: Callable[[str, int], None] = lambda host, status: noted.append((host, status))  # noqa: E731
    server.script = always(Reply(status=503))
    make(note=note)(get(server))
    answer = make(note=note, is_halted=lambda host: True)(get(server))
    assert (answer.status, answer.may_pass, len(server.received)) == (598, True, 1)
    assert noted == [("127.0.0.1", 503)]


@pytest.mark.parametrize(
    ("body", "content_type", "text"),
    [
        ("Köln".encode(), "text/plain", "Köln"),
        ("Köln".encode("latin-1"), "text/plain; charset=ISO-8859-1", "Köln"),
        (b"\xef\xbb\xbf[1]", "application/json", "[1]"),
        (b"\xff", "text/plain; charset=nosuch", "�"),
    ],
)
def test_an_answer_is_read_in_its_encoding(
    server: Receiver, make: Callable[..., ConnectedContent], body: bytes, content_type: str, text: str
) -> None:
    server.script = always(Reply(body=body, headers=(("Content-Type", content_type),)))
    assert make()(get(server)).text == text


def test_a_compressed_answer_cannot_grow_past_the_limit(
    server: Receiver, make: Callable[..., ConnectedContent]
) -> None:
    packed = gzip.compress(b"0" * 200_000_000)
    server.script = always(Reply(body=packed, headers=(("Content-Encoding", "gzip"),)))
    assert "larger than 1 MB" in make()(get(server)).failure


def test_fields_of_a_message_share_the_answer_and_log_one_call(
    server: Receiver, make: Callable[..., ConnectedContent]
) -> None:
    server.script = lambda request, nth: Reply(body=str(len(server.received)).encode())
    data = world(services=Services(connected_content=make()))
    template = parse(f"{{% connected_content {server.url} :save n %}}{{{{n}}}}")
    assert [template.render(data), template.render(data)] == ["1", "1"]
    assert [(call.url, answer.status) for call, answer in data.calls] == [(server.url, 200)]


def test_a_template_calls_at_most_ten_times(server: Receiver, make: Callable[..., ConnectedContent]) -> None:
    data = world(services=Services(connected_content=make()))
    template = parse(f"{{% for i in (1..11) %}}{{% connected_content {server.url}/{{{{i}}}} :save x %}}{{% endfor %}}")
    with pytest.raises(Exception, match="too many Connected Content calls"):
        template.render(data)
    assert len(server.received) == 10


def test_retry_postpones_what_may_pass_and_nothing_else(
    server: Receiver, make: Callable[..., ConnectedContent]
) -> None:
    data = world(services=Services(connected_content=make()))
    server.script = lambda request, nth: Reply(status=int(request.target[1:]))
    for status in (408, 429, 500, 503):
        with pytest.raises(Postponed):
            parse(f"{{% connected_content {server.url}/{status} :retry %}}").render(data)
    assert parse(f"[{{% connected_content {server.url}/404 :retry :save x %}}{{{{x}}}}]").render(data) == "[]"


def test_the_name_is_what_tls_asks_for_and_checks(tmp_path: Path) -> None:
    certificate = _certificate(tmp_path, "api.test")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    asked: list[str | None] = []
    context.sni_callback = lambda made, name, _: asked.append(name)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        threading.Thread(target=_serve_tls, args=[listening, context], daemon=True).start()
        fetch = connected(more_ports=[port], ca_file=str(certificate), resolve=lambda host, _: [("127.0.0.1", port)])
        assert fetch(ConnectedContentCall(f"https://api.test:{port}/")).text == "hi"
        assert fetch(ConnectedContentCall(f"https://other.test:{port}/")).failure.startswith("no answer: SSLError")
    assert asked == ["api.test", "other.test"]


def _serve_tls(listening: socket.socket, context: ssl.SSLContext) -> None:
    for _ in range(2):
        plain, _ = listening.accept()
        try:
            with context.wrap_socket(plain, server_side=True) as connection:
                connection.recv(4096)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
        except OSError:
            continue


def _certificate(folder: Path, name: str) -> Path:
    """A self-signed certificate with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "certificate.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path
