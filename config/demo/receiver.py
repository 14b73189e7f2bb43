"""A local endpoint that behaves as told: for the demo, the tests and the benchmarks. Listens on 127.0.0.1 only."""

import asyncio
import contextlib
import json
import socket
import ssl
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self


@dataclass(frozen=True)
class Received:
    """A request as it arrived. `at` is the receiver's monotonic clock, in seconds; header names are lower case."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    at: float

    @property
    def webhook_id(self) -> str:
        return self.headers.get("webhook-id", "")

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Reply:
    """What to answer. `delay` is in seconds. `raw` replaces the whole answer with these bytes.

    `resets` ends the connection with a reset instead of answering, after `raw` if given; `drip` sends the body one byte
    at a time, that many seconds apart; `closes` ends the connection after the answer without having said so.
    """

    status: int = 200
    body: bytes = b'{"ok":true}'
    headers: tuple[tuple[str, str], ...] = (("Content-Type", "application/json"),)
    delay: float = 0.0
    resets: bool = False
    raw: bytes | None = None
    drip: float = 0.0
    closes: bool = False


Script = Callable[[Received, int], Reply]
"""Given a request and how often its webhook-id was seen (1 for the first time), what to answer."""


def always(reply: Reply) -> Script:
    return lambda request, nth: reply


@dataclass
class Receiver:
    """An HTTP/1.1 server in a thread of its own. Use it as a context manager."""

    script: Script = field(default_factory=lambda: always(Reply()))
    port: int = 0
    tls: ssl.SSLContext | None = None
    received: list[Received] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._seen: dict[str, int] = {}
        self._loop = asyncio.new_event_loop()
        self._socket = socket.create_server(("127.0.0.1", self.port), backlog=1024)
        self.port = self._socket.getsockname()[1]
        self._tasks: set[asyncio.Task[None]] = set()
        self._listens = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        self._listens.wait(10)  # a loop that is stopped before it began would leave its sockets open
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(
            asyncio.start_server(self._serve, sock=self._socket, limit=2**20, ssl=self.tls)
        )
        self._listens.set()
        self._loop.run_forever()
        server.close()
        for task in list(self._tasks):
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*self._tasks, return_exceptions=True))
        self._loop.run_until_complete(asyncio.sleep(0.05 if self.tls else 0))  # TLS says good-bye in several turns
        self._loop.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._tasks.add(task)
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while (request := await _read(reader)) and await self._answer(request, writer):
                pass
        self._tasks.discard(task)
        with contextlib.suppress(ConnectionError, RuntimeError):
            writer.close()

    async def _answer(self, request: Received, writer: asyncio.StreamWriter) -> bool:
        """Answer one request; whether the connection stays open."""
        self.received.append(request)
        nth = self._seen[request.webhook_id] = self._seen.get(request.webhook_id, 0) + 1
        reply = self.script(request, nth)
        if reply.delay:
            await asyncio.sleep(reply.delay)
        if reply.raw is not None:
            writer.write(reply.raw)
            await writer.drain()
        if reply.resets:
            await asyncio.sleep(0.05 if reply.raw else 0)  # a reset at once would take what was written back
            linger = b"\x01\x00\x00\x00\x00\x00\x00\x00"  # struct linger on, 0 s: close sends RST
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            writer.transport.abort()
            return False
        if reply.raw is not None:
            return False
        lines = [f"HTTP/1.1 {reply.status} X", *(f"{name}: {value}" for name, value in reply.headers)]
        writer.write("\r\n".join([*lines, f"Content-Length: {len(reply.body)}", "", ""]).encode("latin-1"))
        await _write_body(writer, reply)
        return not reply.closes


async def _write_body(writer: asyncio.StreamWriter, reply: Reply) -> None:
    if not reply.drip:
        writer.write(reply.body)
    for byte in reply.body if reply.drip else b"":
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(reply.drip)
    await writer.drain()


async def _read(reader: asyncio.StreamReader) -> Received | None:
    head = await reader.readuntil(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    method, target, _ = first.split(" ", 2)
    pairs = (line.partition(":") for line in lines if line)
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Received(method, target, headers, body, asyncio.get_running_loop().time())


def main(port: int) -> None:
    """Answer 200 to everything on this port and print a line for each request, until interrupted."""

    def script(request: Received, nth: int) -> Reply:
        print(f"receiver: {request.method} {request.target} {request.body[:120].decode(errors='replace')}", flush=True)
        return Reply()

    with Receiver(script, port):
        threading.Event().wait()


if __name__ == "__main__":
    main(int(sys.argv[1]))
