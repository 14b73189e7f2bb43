"""A small outbound proxy: passes requests on and tunnels, and remembers what it was asked for."""

import contextlib
import select
import socket
import threading
from collections.abc import Iterator


class Proxy:
    """An HTTP proxy on a free loopback port. `refuses` is the status it gives to every CONNECT, 0 for none."""

    def __init__(self, refuses: int = 0) -> None:
        self.asked: list[str] = []  # first lines, as they arrived
        self.refuses = refuses
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._listening.close()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._pass_on, args=[client], daemon=True).start()

    def _pass_on(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError):
            head = b""
            while b"\r\n\r\n" not in head:
                if not (more := client.recv(65536)):
                    return
                head += more
            first, _, rest = head.partition(b"\r\n")
            self.asked.append(first.decode())
            method, target, version = first.decode().split(" ")
            if method == "CONNECT":
                self._tunnel(client, target)
                return
            place, slash, path = target.removeprefix("http://").partition("/")
            with _connected(place) as server:
                server.sendall(f"{method} {slash}{path} {version}\r\n".encode() + rest)
                _pump(client, server)

    def _tunnel(self, client: socket.socket, place: str) -> None:
        if self.refuses:
            client.sendall(f"HTTP/1.1 {self.refuses} No\r\nContent-Length: 0\r\n\r\n".encode())
            return
        with _connected(place) as server:
            client.sendall(b"HTTP/1.1 200 Connection established\r\nX-Proxy: yes\r\n\r\n")
            _pump(client, server)


def _connected(place: str) -> socket.socket:
    host, _, port = place.rpartition(":")
    return socket.create_connection((host.strip("[]"), int(port)), 5)


def _pump(one: socket.socket, other: socket.socket) -> None:
    """Carry bytes both ways until a side ends."""
    ways = {one: other, other: one}
    while True:
        for ready in select.select(list(ways), [], [], 10)[0]:
            if not (chunk := ready.recv(65536)):
                return
            ways[ready].sendall(chunk)


@contextlib.contextmanager
def proxy(refuses: int = 0) -> Iterator[Proxy]:
    made = Proxy(refuses)
    try:
        yield made
    finally:
        made.close()
