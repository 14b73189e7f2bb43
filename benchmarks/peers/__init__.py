"""The same messages through designs with one job a message: Celery or RQ with requests, BullMQ with undici.

Each job reads its profile, renders the same template, sends and writes the status. Everything is queued before the
workers start; the clock runs from the first recorded answer to the last.
"""

import contextlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import psycopg

from benchmarks import _plain, _servers, _typical

HERE = Path(__file__).parent
BUILD = _servers.ROOT / "build" / "peers"
PATIENCE = 600.0  # seconds


def measure(peer: str, dsn: str, sink: _servers.Sink, messages: int, workers: int, folder: Path) -> float:
    """Deliver that many messages with a peer's workers; the seconds it took."""
    python = _environment(peer)
    _plain.prepare(dsn, messages)
    os.environ |= {
        "PEER_DSN": dsn,
        "PEER_SINK": sink.url,
        "PEER_SOCKET": str(folder / "valkey.sock"),
        "PEER_URL": _typical.PLAIN_URL.format(base=sink.url),
        "PEER_BODY": _typical.PLAIN_BODY,
    }
    subprocess.run([*_enqueuer(peer, python)], check=True, cwd=HERE)
    before = sink.count()
    with _running(_commands(peer, python, workers)):
        _wait(dsn, messages)
    if sink.count() - before != messages:
        raise SystemExit(f"{peer}: {sink.count() - before} requests arrived for {messages} messages")
    with psycopg.connect(dsn) as db:
        span = db.execute("SELECT extract(epoch FROM max(finished_at) - min(finished_at)) FROM plain_message")
        return float(span.fetchone()[0])  # type: ignore[index]


def _environment(peer: str) -> str:
    """The interpreter that has the peer; installs it under build/ the first time."""
    if peer == "bullmq":
        BUILD.mkdir(parents=True, exist_ok=True)
        shutil.copy(HERE / "package.json", BUILD)
        subprocess.run(["npm", "install", "--silent", "--no-audit", "--no-fund"], check=True, cwd=BUILD)
        return "node"
    python = BUILD / "venv" / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(BUILD / "venv")], check=True)
    subprocess.run([str(python), "-m", "pip", "install", "-q", "-r", str(HERE / "requirements.txt")], check=True)
    return str(python)


def _enqueuer(peer: str, python: str) -> Sequence[str]:
    if peer == "bullmq":
        os.environ["NODE_PATH"] = str(BUILD / "node_modules")
        return ["node", "bullmq_worker.cjs", "enqueue"]
    return [python, f"{peer}_tasks.py"]


def _commands(peer: str, python: str, workers: int) -> list[list[str]]:
    match peer:
        case "celery":
            return [[python, "-m", "celery", "-A", "celery_tasks", "worker", "-c", str(workers), "--loglevel=ERROR"]]
        case "rq":
            url = f"unix://{os.environ['PEER_SOCKET']}"
            return [[python, "-m", "rq.cli", "worker", "peer", "--url", url, "--quiet"]] * workers
        case _:
            return [["node", "bullmq_worker.cjs", "work"]] * workers


@contextlib.contextmanager
def _running(commands: list[list[str]]) -> Iterator[None]:
    processes = [subprocess.Popen(command, cwd=HERE, stdout=subprocess.DEVNULL) for command in commands]
    try:
        yield
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(30)


def _wait(dsn: str, messages: int) -> None:
    until = time.monotonic() + PATIENCE
    with psycopg.connect(dsn, autocommit=True) as db:
        while db.execute("SELECT count(*) FROM plain_message WHERE status = 200").fetchone() != (messages,):
            if time.monotonic() > until:
                raise SystemExit(f"the peer did not finish within {PATIENCE:.0f} s")
            time.sleep(0.2)
