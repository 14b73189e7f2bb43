"""What the benchmarks run on loopback: a PostgreSQL of their own, an endpoint, a Valkey. All end with the benchmark."""

import asyncio
import contextlib
import multiprocessing
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextlib.contextmanager
def database(url: str, folder: Path) -> Iterator[str]:
    """The database's URL: the given one, else that of a fresh PostgreSQL where Debian's is installed, else SQLite."""
    if url == "sqlite":
        yield f"sqlite:///{folder}/benchmark.sqlite3"
    elif url:
        yield url
    elif binaries := sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb")):
        with postgresql(binaries[-1].parent) as started:
            yield started
    else:
        print("PostgreSQL is not installed; measuring SQLite", file=sys.stderr)
        yield f"sqlite:///{folder}/benchmark.sqlite3"


@contextlib.contextmanager
def empty_tables(url: str) -> Iterator[Any]:
    """Django's connection to a database with every table and no row, set up; `url` as for `database`.

    Of a URL that is given, nothing is touched: the tables are in a database `test_…` beside it.
    """
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder, database(url, Path(folder)) as found:
        os.environ |= {"ENVIRONMENT": "development", "DJANGO_SETTINGS_MODULE": "config.settings", "DATA_DIR": folder}
        os.environ |= {"DATABASE_URL": found, "LOG_LEVEL": "ERROR"}
        import django

        django.setup()
        from django.db import connection

        name = connection.settings_dict["NAME"]
        connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
        try:
            yield connection
        finally:
            connection.creation.destroy_test_db(name, verbosity=0)


@contextlib.contextmanager
def postgresql(binaries: Path) -> Iterator[str]:
    """A cluster of its own with the server's default durability."""
    home = Path(tempfile.mkdtemp(prefix="benchmark-postgresql-"))
    port = free_port()
    settings = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={home} -c shared_buffers=256MB"
    if os.geteuid() == 0:
        shutil.chown(home, "postgres")

    def run(command: str) -> None:
        as_postgres = ["su", "postgres", "-c", command] if os.geteuid() == 0 else ["sh", "-c", command]
        subprocess.run(as_postgres, check=True, stdout=subprocess.DEVNULL)

    run(f"{binaries}/initdb -D {home}/data -A trust -U postgres")
    run(f"{binaries}/pg_ctl -D {home}/data -o '{settings}' -l {home}/log -w start")
    try:
        yield f"postgres://postgres@127.0.0.1:{port}/postgres"
    finally:
        run(f"{binaries}/pg_ctl -D {home}/data -m immediate stop")
        shutil.rmtree(home, ignore_errors=True)


@contextlib.contextmanager
def valkey(socket_path: Path) -> Iterator[None]:
    """The bundled Valkey on a Unix socket."""
    from config.processes import valkey_command

    process = subprocess.Popen(valkey_command(socket_path), stdout=subprocess.DEVNULL)
    try:
        while not socket_path.exists():
            time.sleep(0.02)
        yield
    finally:
        process.terminate()
        process.wait(10)


class Sink:
    """An endpoint that answers 200; `count()` is the number of requests so far."""

    def __init__(self, port: int, status_url: str = "") -> None:
        self.port, self.url, self._status_url = port, f"http://127.0.0.1:{port}", status_url
        self._seen = multiprocessing.Value("q", 0)
        self._looks = 0

    def count(self) -> int:
        if not self._status_url:
            return int(self._seen.value)
        self._looks += 1
        with urllib.request.urlopen(self._status_url) as page:
            return int(page.read().split()[9]) - self._looks  # nginx counts the looks themselves


@contextlib.contextmanager
def sink(latency_ms: float = 0) -> Iterator[Sink]:
    """nginx where it is installed and nothing is to be delayed, else a small server with two processes."""
    if shutil.which("nginx") and not latency_ms:
        with _nginx() as found:
            yield found
        return
    found = Sink(free_port())
    processes = [multiprocessing.Process(target=_serve, args=(found, latency_ms / 1000), daemon=True) for _ in "ab"]
    for process in processes:
        process.start()
    _wait_for(found.port)
    try:
        yield found
    finally:
        for process in processes:
            process.kill()


@contextlib.contextmanager
def _nginx() -> Iterator[Sink]:
    home, port, status = Path(tempfile.mkdtemp(prefix="benchmark-nginx-")), free_port(), free_port()
    home.chmod(0o755)
    (home / "nginx.conf").write_text(
        f"""
        worker_processes 1; daemon off; pid {home}/pid; error_log stderr crit;
        events {{ worker_connections 4096; }}
        http {{
            access_log off; keepalive_requests 1000000000; client_body_temp_path {home};
            server {{
                listen 127.0.0.1:{port} backlog=4096;
                location / {{ return 200 "ok"; }}
            }}
            server {{ listen 127.0.0.1:{status}; location / {{ stub_status; }} }}
        }}"""
    )
    process = subprocess.Popen(["nginx", "-p", str(home), "-c", str(home / "nginx.conf")], stderr=subprocess.DEVNULL)
    try:
        _wait_for(port)
        made = Sink(port, f"http://127.0.0.1:{status}/")
        yield made
    finally:
        process.terminate()
        process.wait(10)
        shutil.rmtree(home, ignore_errors=True)


def _wait_for(port: int) -> None:
    while True:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.02)


class _Endpoint(asyncio.Protocol):
    """Answers every request of a keep-alive connection after a delay; knows just enough HTTP for that."""

    def __init__(self, seen: Sink, delay: float) -> None:
        self._seen, self._delay, self._data = seen, delay, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._data += data
        while (end := self._data.find(b"\r\n\r\n")) >= 0:
            head = self._data[:end].lower()
            at = head.find(b"content-length:")
            size = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
            if len(self._data) < end + 4 + size:
                return
            self._data = self._data[end + 4 + size :]
            with self._seen._seen.get_lock():
                self._seen._seen.value += 1
            asyncio.get_running_loop().call_later(self._delay, self._answer)

    def _answer(self) -> None:
        self._transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")  # type: ignore[attr-defined]


def _serve(seen: Sink, delay: float) -> None:
    async def run() -> None:
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.bind(("127.0.0.1", seen.port))
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: _Endpoint(seen, delay), sock=listener, backlog=2048)
        await server.serve_forever()

    asyncio.run(run())
