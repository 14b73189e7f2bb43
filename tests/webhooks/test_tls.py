"""HTTPS as endpoints really serve it: certificates that are good, bad, private, and asked of us."""

import socketserver
import ssl
import threading
from datetime import UTC, datetime, timedelta

import pytest
import trustme

from config.demo.receiver import Receiver
from webhooks import trust
from webhooks.compose import the_guard
from webhooks.request import Fault, Request
from webhooks.transport import Transport, TransportSettings

AUTHORITY, STRANGER = trustme.CA(), trustme.CA()
NOW = datetime.now(UTC)


def served_with(certificate, asks_for: trustme.CA | None = None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    if asks_for:
        context.verify_mode = ssl.CERT_REQUIRED
        asks_for.configure_trust(context)
    return context


@pytest.fixture
def send(settings, tmp_path):
    """Sends one request to a server with that TLS context, trusting one private authority."""
    settings.WEBHOOK_CA_FILE = str(tmp_path / "private.pem")
    AUTHORITY.cert_pem.write_to_path(settings.WEBHOOK_CA_FILE)
    trust.ca_file.cache_clear()

    def send(context, certificate="", url=None):
        with Receiver(tls=context) as server:
            settings.WEBHOOK_ALLOWED_PORTS = [server.port]
            made = Transport(TransportSettings(the_guard(), timeout=3.0, connect_timeout=2.0, ca_file=trust.ca_file()))
            target = (url or "https://127.0.0.1:{port}/").format(port=server.port)
            request = Request("POST", target, "127.0.0.1", (), b"{}", certificate)
            try:
                return made.send_one(request, 3), server.received
            finally:
                made.close()

    yield send
    trust.ca_file.cache_clear()


def test_a_private_authority_is_trusted_where_the_settings_name_it(send):
    answer, received = send(served_with(AUTHORITY.issue_cert("127.0.0.1")))
    assert answer.is_received
    assert len(received) == 1


@pytest.mark.parametrize(
    ("certificate", "words"),
    [
        (STRANGER.issue_cert("127.0.0.1"), "issuer"),
        (AUTHORITY.issue_cert("example.org"), "127.0.0.1"),
        (AUTHORITY.issue_cert("127.0.0.1", not_before=NOW - timedelta(9), not_after=NOW - timedelta(1)), "expired"),
    ],
    ids=["unknown issuer", "another host", "expired"],
)
def test_a_bad_certificate_is_a_tls_fault_that_says_why_and_is_tried_again(send, certificate, words):
    answer, received = send(served_with(certificate))
    assert (answer.status, answer.fault) == (599, Fault.TLS)
    assert words in answer.text
    assert answer.is_unreachable
    assert answer.is_retryable
    assert received == []


def test_https_to_a_plain_port_is_a_tls_fault(settings):
    class Plain(socketserver.BaseRequestHandler):
        def handle(self):
            self.request.recv(1024)
            self.request.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")

    with socketserver.TCPServer(("127.0.0.1", 0), Plain) as plain:
        threading.Thread(target=plain.handle_request, daemon=True).start()
        settings.WEBHOOK_ALLOWED_PORTS = [plain.server_address[1]]
        made = Transport(TransportSettings(the_guard(), timeout=3.0))
        answer = made.send_one(Request("POST", f"https://127.0.0.1:{plain.server_address[1]}", "127.0.0.1"), 3)
        made.close()
    assert answer.fault is Fault.TLS


def test_plain_http_to_a_tls_port_is_no_answer(send):
    answer, _ = send(served_with(AUTHORITY.issue_cert("127.0.0.1")), url="http://127.0.0.1:{port}/")
    assert not answer.is_received


def test_a_client_certificate_is_shown_where_it_is_asked_for(send):
    pem = AUTHORITY.issue_cert("client@hookline.example").private_key_and_cert_chain_pem.bytes().decode()
    context = served_with(AUTHORITY.issue_cert("127.0.0.1"), asks_for=AUTHORITY)
    assert send(context, pem)[0].is_received
    answer, received = send(context)
    assert not answer.is_received
    assert received == []


def test_a_client_certificate_is_not_shown_to_the_next_endpoint(send, settings):
    pem = AUTHORITY.issue_cert("client@hookline.example").private_key_and_cert_chain_pem.bytes().decode()
    context = served_with(AUTHORITY.issue_cert("127.0.0.1"), asks_for=AUTHORITY)
    with Receiver(tls=context) as asking:
        settings.WEBHOOK_ALLOWED_PORTS = [asking.port]
        made = Transport(TransportSettings(the_guard(), timeout=3.0, connect_timeout=2.0, ca_file=trust.ca_file()))
        try:
            assert made.send_one(Request("POST", asking.url, "127.0.0.1", (), b"", pem), 3).is_received
            assert not made.send_one(Request("POST", asking.url, "127.0.0.1", (), b""), 3).is_received
        finally:
            made.close()
