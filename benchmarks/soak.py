"""A large send that is disturbed all the time: does everybody get it, and nobody twice?

    python -m benchmarks.soak [--messages 1000000] [--seed 1] [--database URL|sqlite]

Real processes plan and deliver one campaign. Every few seconds one of them is killed, the campaign is paused and
resumed, or the Redis-compatible server loses everything. When nine tenths have arrived, the campaign is stopped and
resumed: what still waited is cancelled for good. Ends with an error where anything was lost, or sent again that was not
on the wire when its worker was killed. The last line is JSON.
"""

import argparse
import asyncio
import contextlib
import json
import multiprocessing
import random
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks import _servers
from benchmarks._filled import Fill
from benchmarks.delivery import _set_up_django

WINDOW, HOST_WINDOW = 256, 64
QUEUES = ("deliver", "deliver", "plan")
STOP_AT = 0.9
_PATH = re.compile(rb"POST /(\d+) ")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--database", default="", help="a database URL, or `sqlite`; default: a PostgreSQL of its own")
    options = parser.parse_args()
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="benchmark-")))
        url = stack.enter_context(_servers.database(options.database, folder))
        hits = multiprocessing.RawArray("B", options.messages + 1)  # requests by profile
        port = stack.enter_context(counting_sink(hits))
        _set_up_django(url, folder, port, WINDOW)
        stack.enter_context(_servers.valkey(folder / "valkey.sock"))
        print(json.dumps(run(options.messages, options.seed, port, hits)))


def run(count: int, seed: int, port: int, hits: Any) -> dict[str, object]:
    from django.db import connection

    fill = Fill(connection, count)
    fill.execute(fill.people())
    fill.execute("ANALYZE")
    campaign = launched(port)
    crew, began = Crew(), time.monotonic()
    try:
        done = disturb(campaign, count, crew, random.Random(seed))
    finally:
        crew.end()
    return done | {"seconds": round(time.monotonic() - began)} | checked(campaign, count, crew, hits)


def launched(port: int) -> Any:
    from django.utils import timezone

    from campaigns import launch
    from campaigns.models import Campaign
    from outreach import variants
    from webhooks.models import Sender

    campaign = Campaign.objects.create(name="soak", to_everyone=True, sender=Sender.objects.create(name="soak"))
    content = variants.first_variant(campaign, "Only").contents.get()
    content.url = f"http://127.0.0.1:{port}/{{{{${{user_id}} | remove: 'user-'}}}}"
    content.version += 1
    content.save()
    launch.start(campaign, timezone.now())
    return campaign


class Crew:
    """Worker processes, one for each queue. Who is killed is followed by another."""

    def __init__(self) -> None:
        self.kills = 0
        self.processes = [self._start(queue) for queue in QUEUES]

    def _start(self, queue: str) -> "subprocess.Popen[bytes]":
        return subprocess.Popen([sys.executable, "manage.py", "work", queue], cwd=_servers.ROOT)

    def kill(self, place: int) -> None:
        self.processes[place].kill()
        self.processes[place].wait()
        self.processes[place] = self._start(QUEUES[place])
        self.kills += QUEUES[place] == "deliver"

    def end(self) -> None:
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            process.wait(120)


def disturb(campaign: Any, count: int, crew: Crew, chance: random.Random) -> dict[str, object]:
    """Until nothing waits any more; how often what happened."""
    from django.utils import timezone

    from outreach import lifecycle
    from webhooks.models import Message
    from workspace import queues

    pauses = flushes = 0
    is_stopped = False
    finished = Message.objects.exclude(finished_at=None)
    while not is_stopped or Message.objects.filter(finished_at=None).exists():
        time.sleep(chance.uniform(4, 8))
        sent = finished.count()
        print(f"{sent:>9,} of {Message.objects.count():,}", flush=True)
        if is_stopped:
            continue
        if sent >= STOP_AT * count:
            lifecycle.stop(campaign, timezone.now())
            lifecycle.resume(campaign, timezone.now())
            is_stopped = True
            continue
        what = chance.choice([*range(len(QUEUES)), "pause", "flush"])
        if isinstance(what, int):
            crew.kill(what)
        elif what == "flush":
            queues.connection().flushall()
            flushes += 1
        else:
            lifecycle.pause(campaign, timezone.now())
            time.sleep(2)
            lifecycle.resume(campaign, timezone.now())
            pauses += 1
    return {"kills_of_delivery": crew.kills, "pauses": pauses, "flushes": flushes}


def checked(campaign: Any, count: int, crew: Crew, hits: Any) -> dict[str, object]:
    """Ends the program where anything was lost, or repeated without need."""
    from outreach import counters
    from webhooks.models import Message, Receipt

    received = Message.objects.filter(outcome="received")
    cancelled = Message.objects.filter(outcome="cancelled").count()
    lost = [pk for pk in received.values_list("profile_id", flat=True).iterator() if not hits[pk]]
    repeated = sum(number - 1 for number in hits if number > 1)
    totals = counters.totals(campaign)
    result: dict[str, object] = {
        "planned": Message.objects.count(),
        "received": received.count(),
        "cancelled": cancelled,
        "lost": len(lost),
        "repeated": repeated,
    }
    faults = {
        "not everybody was planned": result["planned"] != count,
        "somebody was planned twice": Message.objects.values("profile_id").distinct().count() != count,
        "messages were lost": lost or received.count() + cancelled != count,
        "receipts differ": Receipt.objects.filter(sender=campaign.sender).count() != received.count(),
        "totals differ": (totals["planned"], totals["received"]) != (count, received.count()),
        "more was repeated than was on the wire or not recorded yet": repeated > crew.kills * (WINDOW + HOST_WINDOW),
    }
    if found := [name for name, is_so in faults.items() if is_so]:
        raise SystemExit(f"{', '.join(found)}: {json.dumps(result)} {totals}")
    return result


@contextlib.contextmanager
def counting_sink(hits: Any) -> Iterator[int]:
    """An endpoint that answers 200 and counts requests by the number in their path."""
    port = _servers.free_port()
    process = multiprocessing.Process(target=_serve, args=(port, hits), daemon=True)
    process.start()
    _servers._wait_for(port)
    try:
        yield port
    finally:
        process.kill()


class _Counting(asyncio.Protocol):
    def __init__(self, hits: Any) -> None:
        self.hits, self.data = hits, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.data += data
        while (end := self.data.find(b"\r\n\r\n")) >= 0:
            head = self.data[:end].lower()
            at = head.find(b"content-length:")
            size = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
            if len(self.data) < end + 4 + size:
                return
            if found := _PATH.match(self.data):
                self.hits[int(found[1])] += 1
            self.data = self.data[end + 4 + size :]
            self.transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")  # type: ignore[attr-defined]


def _serve(port: int, hits: Any) -> None:
    async def serve() -> None:
        server = await asyncio.get_running_loop().create_server(lambda: _Counting(hits), "127.0.0.1", port)
        await server.serve_forever()

    asyncio.run(serve())


if __name__ == "__main__":
    main()
