"""Answers of every shape: what the log shows of each is text that can be read."""

import contextlib
import gzip
import socket
import threading
import zlib

import pytest

from config.demo.receiver import Reply
from tests.factories import ContentFactory, MessageFactory, SenderFactory
from webhooks.compose import the_guard
from webhooks.models import MessageActivityLog
from webhooks.request import Request
from webhooks.transport import Transport, TransportSettings

pytestmark = pytest.mark.django_db(transaction=True)

TEXT = "keine Berechtigung: ungültiger Schlüssel"
SCRIPT = "<script>alert(1)</script>"


def typed(content_type: str) -> tuple[tuple[str, str], ...]:
    return (("Content-Type", content_type),)


def raw(*lines: str, body: bytes = b"") -> Reply:
    return Reply(raw="\r\n".join([*lines, "", ""]).encode() + body)


SHAPES = {
    "plain": (Reply(400, TEXT.encode()), 400, TEXT),
    "gzip": (Reply(400, gzip.compress(TEXT.encode()), (("Content-Encoding", "gzip"),)), 400, TEXT),
    "deflate": (Reply(400, zlib.compress(TEXT.encode()), (("Content-Encoding", "deflate"),)), 400, TEXT),
    "brotli": (Reply(400, b"\x0b\x02\x80hello\x03", (("Content-Encoding", "br"),)), 400, "hello"),
    "broken gzip": (Reply(400, b"not gzip", (("Content-Encoding", "gzip"),)), 400, ""),
    "chunked": (
        raw("HTTP/1.1 400 X", "Transfer-Encoding: chunked", body=b"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"),
        400,
        "hello world",
    ),
    "broken chunks": (raw("HTTP/1.1 400 X", "Transfer-Encoding: chunked", body=b"5\r\nhello\r\nzz"), 400, "hello"),
    "no length": (raw("HTTP/1.1 400 X", "Connection: close", body=b"until the end"), 400, "until the end"),
    "shorter than said": (raw("HTTP/1.1 400 X", "Content-Length: 50", body=b"short"), 400, "short"),
    "HTTP/1.0": (raw("HTTP/1.0 400 X", body=b"old"), 400, "old"),
    "continue first": (raw("HTTP/1.1 100 Continue", "", "HTTP/1.1 400 X", "Content-Length: 2", body=b"no"), 400, "no"),
    "switching protocols": (
        raw("HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: upgrade"),
        599,
        "",
    ),
    "empty": (Reply(400, b""), 400, ""),
    "latin-1": (Reply(400, TEXT.encode("latin-1"), typed("text/plain; charset=latin-1")), 400, TEXT),
    "euc-kr": (
        Reply(400, "잘못된 키".encode("euc-kr"), (("Content-Type", "text/plain; charset=euc-kr"),)),
        400,
        "잘못된 키",
    ),
    "wrong charset": (Reply(400, TEXT.encode(), typed("text/plain; charset=no-such-thing")), 400, TEXT),
    "script": (
        Reply(400, b"<script>alert(1)</script>", (("Content-Type", "text/html"),)),
        400,
        "<script>alert(1)</script>",
    ),
    "NUL": (Reply(400, b"a\x00b"), 400, None),
    "binary": (Reply(400, bytes(range(256)) * 4, typed("image/png")), 400, None),
    "reset in the body": (Reply(raw=b"HTTP/1.1 400 X\r\nContent-Length: 50\r\n\r\npart", resets=True), 400, "part"),
    "header with odd bytes": (
        Reply(raw=b"HTTP/1.1 400 X\r\nX-Odd: \xff\xfe\x01\r\nContent-Length: 0\r\n\r\n"),
        400,
        "",
    ),
}


def test_every_shape_is_logged_as_text(sink, pump, admin_client):
    replies = {name: reply for name, (reply, _, _) in SHAPES.items()}
    sink.script = lambda request, nth: replies[request.headers["x-shape"]]
    sender = SenderFactory()
    messages = {
        name: MessageFactory(
            content=ContentFactory(url=f"{sink.url}/hook", headers=[{"name": "X-Shape", "value": name}]), sender=sender
        )
        for name in SHAPES
    }
    pump.run()
    rows = {row.message_id: row for row in MessageActivityLog.objects.all()}
    wrong = {}
    for name, (_, status, text) in SHAPES.items():
        row = rows[messages[name].pk]
        body = (row.response or {}).get("body")
        page = admin_client.get(f"/admin/webhooks/messageactivitylog/{row.pk}/change/")
        if row.status != status or (text is not None and body != text) or page.status_code != 200 or body is None:
            wrong[name] = (row.status, body, row.text)
        assert "\x00" not in str(row.response), name
        assert SCRIPT.encode() not in page.content
    assert wrong == {}


def test_a_header_with_a_nul_is_no_valid_answer_and_its_row_is_saved(sink, pump, admin_client):
    sink.script = lambda request, nth: raw("HTTP/1.1 400 X", "X-Odd: a\x00b", "Content-Length: 2", body=b"no")
    MessageFactory(content=ContentFactory(url=sink.url), sender=SenderFactory())
    pump.run()
    row = MessageActivityLog.objects.get()
    assert "\x00" not in f"{row.text}{row.response}"
    assert admin_client.get(f"/admin/webhooks/messageactivitylog/{row.pk}/change/").status_code == 200


def test_of_a_gigabyte_only_the_beginning_is_read(settings):
    written = [0]
    with socket.create_server(("127.0.0.1", 0)) as server:
        settings.WEBHOOK_ALLOWED_PORTS = [port := server.getsockname()[1]]

        def serve():
            client, _ = server.accept()
            with client, contextlib.suppress(OSError):
                client.recv(4096)
                client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n")
                while written[0] < 1 << 30:
                    written[0] += client.send(b"x" * 65536)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        made = Transport(TransportSettings(the_guard(), timeout=10.0))
        answer = made.send_one(Request("POST", f"http://127.0.0.1:{port}/", "127.0.0.1", (), b""), 10)
        thread.join(10)
        made.close()
    assert (answer.status, answer.is_cut, len(answer.body)) == (200, True, 64 * 1024)
    assert written[0] < 32 * 1024 * 1024  # what fits the sockets' buffers on the way
