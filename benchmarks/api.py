"""How fast the API takes events in, and how soon an event's webhook is on the wire.

    python -m benchmarks.api [--seconds S] [--clients N] [--profiles P] [--samples N] [--database URL|sqlite]

One gunicorn worker process as `manage.py run` starts it, a real database, Valkey, rate limits off. Clients on
keep-alive connections post batches of 75 events with properties about known profiles; each 201 means that they are
stored. Then, with the system idle, single events are posted that set a campaign off, and the time from the beginning of
the call to the arrival of its webhook is taken. The last line is JSON: `events_per_second`, `p99_ms` (of the calls),
`event_to_wire_ms` (the 95th percentile).
"""

import argparse
import contextlib
import http.client
import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks import _servers

BATCH = 75
START = datetime(2026, 5, 1, tzinfo=UTC)


def main() -> None:
    options = _options()
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="benchmark-")))
        url = stack.enter_context(_servers.database(options.database, folder))
        receiver = stack.enter_context(_receiver())
        _set_up_django(url, folder, receiver.port)
        stack.enter_context(_servers.valkey(folder / "valkey.sock"))
        key = _fill(options.profiles, f"http://127.0.0.1:{receiver.port}/")
        port = _servers.free_port()
        stack.enter_context(_processes(port, folder))
        result: dict[str, Any] = {"clients": options.clients, "database": url.partition(":")[0]}
        result |= _throughput(port, key, options)
        result |= _latency(port, key, receiver, options.samples)
    print(json.dumps(result))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=15.0)
    parser.add_argument("--clients", type=int, default=2)
    parser.add_argument("--profiles", type=int, default=20_000)
    parser.add_argument("--samples", type=int, default=100)
    parser.add_argument("--database", default="", help="a database URL, or `sqlite`; default: a PostgreSQL of its own")
    return parser.parse_args()


@contextlib.contextmanager
def _receiver() -> Iterator[Any]:
    from config.demo.receiver import Receiver

    with Receiver() as receiver:
        yield receiver


def _set_up_django(url: str, folder: Path, port: int) -> None:
    os.environ |= {
        "ENVIRONMENT": "development",
        "DATABASE_URL": url,
        "DATA_DIR": str(folder),
        "REDIS_URL": f"unix://{folder}/valkey.sock",
        "WEBHOOK_ALLOWED_NETWORKS": "127.0.0.1/32",
        "WEBHOOK_ALLOWED_PORTS": str(port),
        "API_RATE_LIMITS": "false",
        "LOG_LEVEL": "WARNING",
        "DJANGO_SETTINGS_MODULE": "config.settings",
    }
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)


def _fill(profiles: int, receiver: str) -> str:
    """People, a campaign that the event `ping` sets off, and a key."""
    from django.utils import timezone

    from api import keys
    from audience.models import Profile
    from campaigns import launch
    from campaigns.models import Campaign
    from outreach import variants
    from webhooks.models import Sender

    Profile.objects.bulk_create((Profile(external_id=f"user-{n}") for n in range(profiles)), batch_size=5_000)
    campaign = Campaign.objects.create(
        name="Ping",
        to_everyone=True,
        delivery="action",
        triggers=[{"kind": "event", "name": "ping"}],
        sender=Sender.objects.create(name="Ping"),
    )
    content = variants.first_variant(campaign, "Variant 1").contents.get()
    content.url, content.pairs = receiver, [{"key": "id", "value": "{{${user_id}}}", "type": "text"}]
    content.save()
    launch.start(campaign, timezone.now())
    return keys.make("benchmark", ["users.track"])[1]


@contextlib.contextmanager
def _processes(port: int, folder: Path) -> Iterator[None]:
    """One web worker process and the workers for events and delivery."""
    python = sys.executable
    web = [python, "-m", "gunicorn", "config.wsgi", "--bind", f"127.0.0.1:{port}", "--workers", "1", "--threads", "4"]
    commands = [[*web, "--control-socket", str(folder / "gunicorn.ctl")]]
    commands += [[python, "manage.py", "work", queue] for queue in ("events", "deliver")]
    started = [subprocess.Popen(command, cwd=_servers.ROOT, stderr=subprocess.DEVNULL) for command in commands]
    try:
        _servers._wait_for(port)
        yield
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.wait(120)


# --- many events


def _throughput(port: int, key: str, options: argparse.Namespace) -> dict[str, Any]:
    results: multiprocessing.Queue[list[float]] = multiprocessing.Queue()
    clients = [
        multiprocessing.Process(target=_post_batches, args=(port, key, number, options, results))
        for number in range(options.clients)
    ]
    for client in clients:
        client.start()
    times = [each for _client in clients for each in results.get()]
    for client in clients:
        client.join()
    _check_stored(len(times) * BATCH)
    return {
        "events_per_second": round(len(times) * BATCH / options.seconds),
        "p99_ms": round(1_000 * sorted(times)[int(len(times) * 0.99)], 1),
    }


def _post_batches(port: int, key: str, number: int, options: argparse.Namespace, results: Any) -> None:
    """Post until the time is over; the seconds that each call took."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    times: list[float] = []
    _call(connection, headers, _batch(number, 0, options.profiles))  # the first call of a process sets things up
    until, turn = time.perf_counter() + options.seconds, 1
    while time.perf_counter() < until:
        body = _batch(number, turn, options.profiles)
        began = time.perf_counter()
        _call(connection, headers, body)
        times.append(time.perf_counter() - began)
        turn += 1
    results.put(times)


def _call(connection: http.client.HTTPConnection, headers: dict[str, str], body: bytes) -> None:
    connection.request("POST", "/users/track", body, headers)
    response = connection.getresponse()
    answer = response.read()
    if response.status != 201:
        raise SystemExit(f"{response.status} {answer[:500]!r}")


def _batch(client: int, turn: int, profiles: int) -> bytes:
    events = [
        {
            "external_id": f"user-{((client * 100_003 + turn) * BATCH + n) * 7919 % profiles}",
            "name": "visited",
            "time": (START + timedelta(milliseconds=turn * BATCH + n)).isoformat(),
            "properties": {"page": "home", "client": client, "n": n},
        }
        for n in range(BATCH)
    ]
    return json.dumps({"events": events}).encode()


def _check_stored(at_least: int) -> None:
    from audience.models import CustomEvent

    if CustomEvent.objects.count() < at_least:
        raise SystemExit("not every event that was answered with 201 is stored")


# --- one event


def _latency(port: int, key: str, receiver: Any, samples: int) -> dict[str, Any]:
    """The 95th percentile of the time from a call to its webhook, the system idle in between."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    found = []
    for number in range(samples + 3):
        seen = len(receiver.received)
        event = {"external_id": f"user-{number}", "name": "ping", "time": datetime.now(UTC).isoformat()}
        began = time.monotonic()
        _call(connection, headers, json.dumps({"events": [event]}).encode())
        found.append(_arrival(receiver.received, seen) - began)
        time.sleep(0.15)  # idle again, as between the events of a quiet shop
    return {"event_to_wire_ms": round(1_000 * sorted(found[3:])[int(samples * 0.95) - 1], 1)}


def _arrival(received: Sequence[Any], seen: int) -> float:
    deadline = time.monotonic() + 30
    while len(received) <= seen:
        if time.monotonic() > deadline:
            raise SystemExit("no webhook arrived within 30 seconds")
        time.sleep(0.001)
    return float(received[seen].at)


if __name__ == "__main__":
    main()
