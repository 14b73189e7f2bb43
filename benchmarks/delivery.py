"""How many webhooks a second this installation delivers, beside a frozen plain loop, a peer and bare pycurl.

    python -m benchmarks.delivery [--messages N] [--rounds R] [--workers W] [--peer celery|rq|bullmq] [--latency-ms L]
                                  [--window N] [--database URL|sqlite]

Real worker processes, a real database, a real endpoint on loopback, every check on. The clock runs from the first
request's start to the last record, by the database's columns, so that starting processes does not count. Ours, the
plain loop and the peer take turns, so that a machine that is faster at one moment than at another favours none. The
last line is JSON: `per_second`, `plain_per_second` (the plain loop, PostgreSQL only), `peer_per_second`, `ratio` (to
the peer), `limit_per_second` (bare pycurl to the same endpoint; both without `--latency-ms` only), `rss_mb` (the
largest worker).
"""

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks import _servers, _typical

CHUNK = 10_000


def main() -> None:
    options = _options()
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="benchmark-")))
        url = stack.enter_context(_servers.database(options.database, folder))
        sink = stack.enter_context(_servers.sink(options.latency_ms))
        _set_up_django(url, folder, sink.port, options.window)
        stack.enter_context(_servers.valkey(folder / "valkey.sock"))
        result: dict[str, object] = {
            "messages": options.messages,
            "workers": options.workers,
            "database": url.partition(":")[0],
        }
        has_plain = url.startswith("postgres") and not options.latency_ms
        part, peer_part = options.messages // options.rounds, options.peer_messages // options.rounds
        ours, plain, peer, peak = 0.0, 0.0, 0.0, 0
        _load(part)
        for _ in range(options.rounds):
            seconds, rss = _ours(part, options.workers, sink)
            ours, peak = ours + seconds, max(peak, rss)
            plain += _plain(url, sink, part, options.workers) if has_plain else 0.0
            peer += _peer(options, url, sink, peer_part, folder) if options.peer else 0.0
        result |= {"per_second": round(part * options.rounds / ours), "rss_mb": peak}
        if has_plain:
            result["plain_per_second"] = round(part * options.rounds / plain)
            result["of_plain"] = round(plain / ours, 2)
        if not options.latency_ms:
            result["limit_per_second"] = _limit(sink, options.messages)
        if options.peer:
            result |= {"peer": options.peer, "peer_per_second": round(peer_part * options.rounds / peer)}
            result["ratio"] = round((part / ours) / (peer_part / peer), 1)
    print(json.dumps(result))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=180_000, help="in all rounds together")
    parser.add_argument("--rounds", type=int, default=3, help="turns that ours, the plain loop and the peer take")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--peer", choices=["celery", "rq", "bullmq"])
    parser.add_argument("--peer-messages", type=int, default=9_000, help="in all rounds together")
    parser.add_argument("--latency-ms", type=float, default=0)
    parser.add_argument("--window", type=int, default=256)
    parser.add_argument("--database", default="", help="a database URL, or `sqlite`; default: a PostgreSQL of its own")
    options = parser.parse_args()
    if options.peer and options.peer_messages > options.messages:
        parser.error("--peer-messages: at most as many as --messages, as each goes to another profile")
    return options


def _set_up_django(url: str, folder: Path, port: int, window: int, *ports: int) -> None:
    os.environ |= {
        "ENVIRONMENT": "development",
        "DATABASE_URL": url,
        "DATA_DIR": str(folder),
        "REDIS_URL": f"unix://{folder}/valkey.sock",
        "WEBHOOK_ALLOWED_NETWORKS": "127.0.0.1/32",
        "WEBHOOK_ALLOWED_PORTS": ",".join(map(str, (port, *ports))),
        "DELIVER_WINDOW": str(window),
        "DELIVER_HOST_WINDOW": str(max(64, window) if window != 256 else 64),
        "LOG_LEVEL": "WARNING",
        "DJANGO_SETTINGS_MODULE": "config.settings",
    }
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)


def _ours(count: int, workers: int, sink: _servers.Sink) -> tuple[float, int]:
    """Plan a campaign to everybody, let the workers at it: the seconds it took, and the largest worker's memory."""
    sender = _plan(sink.url, count)
    before = sink.count()
    with _workers(workers) as processes:
        seconds = _wait_until_finished(sender)
        peak = max(_peak_mb(process.pid) for process in processes)
    arrived = sink.count() - before
    if arrived != count:
        raise SystemExit(f"{arrived} requests arrived for {count} messages")
    return seconds, peak


def _load(count: int) -> None:
    """Have so many profiles, or more."""
    from audience.models import Profile

    for start in range(Profile.objects.count(), count, CHUNK):
        numbers = range(start, min(count, start + CHUNK))
        Profile.objects.bulk_create(Profile(**_typical.profile(number)) for number in numbers)


def _plan(base: str, count: int) -> Any:
    from django.db import connection
    from django.utils import timezone

    from campaigns import launch
    from campaigns.models import Campaign
    from outreach import plan, variants
    from webhooks.models import BodyKind, Message, Sender

    sender = Sender.objects.create(name="benchmark")
    campaign = Campaign.objects.create(name="benchmark", to_everyone=True, sender=sender)
    content = variants.first_variant(campaign, "Only").contents.get()
    content.url, content.body_kind, content.raw_body = _typical.URL.format(base=base), BodyKind.RAW, _typical.BODY
    content.headers = [{"name": name, "value": value, "is_secret": False} for name, value in _typical.HEADERS]
    content.version += 1
    content.save()
    launch.start(campaign, timezone.now())
    plan.plan_due(timezone.now())
    planned = Message.objects.filter(sender=sender).count()
    if planned != count:
        raise SystemExit(f"{planned} messages were planned for {count} profiles")
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return sender


@contextlib.contextmanager
def _workers(count: int) -> Iterator[list[subprocess.Popen[bytes]]]:
    command = [sys.executable, "manage.py", "work", "deliver"]
    processes = [subprocess.Popen(command, cwd=_servers.ROOT) for _ in range(count)]
    try:
        yield processes
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(30)


def _wait_until_finished(sender: Any) -> float:
    """Wait for the sender's last message; the seconds from the first request's start to the last record."""
    from django.db.models import Max, Min

    from webhooks.models import Message

    messages = Message.objects.filter(sender=sender)
    while messages.filter(finished_at=None).exists():
        time.sleep(0.5)
    span = messages.aggregate(first=Min("first_attempt_at"), last=Max("finished_at"))
    unsent = messages.exclude(outcome="received").count()
    if unsent:
        raise SystemExit(f"{unsent} messages were not received")
    return float((span["last"] - span["first"]).total_seconds())


def _peak_mb(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) // 1024


def _limit(sink: _servers.Sink, count: int) -> int:
    """Bare pycurl, one process, the same body to the same endpoint."""
    import pycurl

    from benchmarks import _plain

    multi, idle = pycurl.CurlMulti(), [_plain._handle() for _ in range(_plain.IN_FLIGHT)]
    body = _typical.BODY.encode()
    waiting = [(number, f"{sink.url}/orders", body, ["Content-Type: application/json"]) for number in range(count)]
    started = time.monotonic()
    _plain._send(multi, idle, waiting)
    return round(count / (time.monotonic() - started))


def _peer(options: argparse.Namespace, url: str, sink: _servers.Sink, count: int, folder: Path) -> float:
    """The seconds that the peer takes for as many."""
    from benchmarks.peers import measure

    return measure(options.peer, url, sink, count, options.workers, folder)


def _plain(dsn: str, sink: _servers.Sink, count: int, workers: int) -> float:
    """The seconds that the plain loop takes for as many, in as many processes."""
    from benchmarks import _plain

    _plain.prepare(dsn, count)
    command = [sys.executable, "-m", "benchmarks._plain", dsn, sink.url]
    processes = [subprocess.Popen(command, cwd=_servers.ROOT, stdout=subprocess.PIPE) for _ in range(workers)]
    spans = [json.loads(process.communicate()[0]) for process in processes]
    done = sum(delivered for delivered, _, _ in spans)
    if done != count:
        raise SystemExit(f"the plain loop delivered {done} of {count}")
    return float(max(end for _, _, end in spans) - min(began for _, began, _ in spans))


if __name__ == "__main__":
    main()
