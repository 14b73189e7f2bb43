"""How fast journeys move: through a message, a delay, a split and an action path, to the end.

    python -m benchmarks.canvas [--journeys 100000] [--workers 2] [--database URL|sqlite]

Time is moved, not waited for, and no request is made: every message is answered 200 at once, and what delivery records
of that is part of the time. Whoever works (moves, records, reacts) does so in as many processes as there are workers.
The last line is JSON.
"""

import argparse
import json
import multiprocessing
import resource
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from multiprocessing.pool import Pool
from typing import Any

from benchmarks import _servers

START = datetime(2026, 5, 4, 9, tzinfo=UTC)
ANSWERED = 256  # messages recorded together, as a pump's window is
BUYS = 3  # every third profile takes the action


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--journeys", type=int, default=100_000)
    parser.add_argument("--workers", type=int, default=2, help="processes; SQLite has one writer, so one is its best")
    parser.add_argument("--database", default="", help="a database URL, or `sqlite`; default: a PostgreSQL of its own")
    options = parser.parse_args()
    with _servers.empty_tables(options.database) as connection:
        print(json.dumps(measure(options.journeys, options.workers, connection)))


def measure(count: int, workers: int, connection: Any) -> dict[str, Any]:
    from canvas import launch
    from canvas.models import StepVisit

    make_profiles(count)
    canvas = make_canvas()
    launch.start(canvas, START)
    connection.close()  # the processes that are made now have their own
    seconds: dict[str, float] = {}
    day, hour = timedelta(days=1), timedelta(hours=1)
    with multiprocessing.get_context("fork").Pool(workers) as pool, queries() as asked:
        crew = Crew(pool, workers)
        with clocked("enter", seconds):
            let_everybody_in(canvas)
        with clocked("to_message", seconds):
            crew.do(move, START)
        with clocked("record", seconds):
            crew.do(answer, START)
        awaken(START)
        with clocked("to_delay", seconds):
            crew.do(move, START)
        with clocked("to_actions", seconds):
            crew.do(move, START + day)
        with clocked("actions", seconds):
            crew.do(act, START + day + hour)
        with clocked("to_end", seconds):
            crew.do(move, START + day + 2 * hour)
            crew.do(move, START + 3 * day)
    check(canvas, count)
    moves, total = StepVisit.objects.count(), sum(seconds.values())
    for name, spent in seconds.items():
        print(f"{name:>10}: {spent:6.2f} s")
    return {
        "journeys": count,
        "workers": workers,
        "seconds": round(total, 2),
        "journeys_per_second": round(count / total),
        "moves": moves,
        "queries_per_1000_moves": round(1000 * (len(asked) + crew.queries) / moves, 1),
        "rss_mb": crew.rss_mb,
    }


class Crew:
    """The processes that work at once, and what they have used: statements in all, and the most memory of one."""

    def __init__(self, pool: Pool, size: int) -> None:
        self.pool, self.size, self.queries, self.rss_mb = pool, size, 0, 0

    def do(self, work: "Callable[[datetime, int, int], None]", now: datetime) -> None:
        """Have each do its part. `work` gets the time, which part, and of how many."""
        parts = [(work, now, part, self.size) for part in range(self.size)]
        for asked, rss_mb in self.pool.starmap(_part, parts, chunksize=1):
            self.queries, self.rss_mb = self.queries + asked, max(self.rss_mb, rss_mb)


def _part(work: "Callable[[datetime, int, int], None]", now: datetime, part: int, size: int) -> tuple[int, int]:
    with queries() as asked:
        work(now, part, size)
    return len(asked), round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def make_profiles(count: int) -> None:
    from audience.models import Profile

    for first in range(0, count, 10_000):
        Profile.objects.bulk_create(
            Profile(external_id=f"p{n}", custom_attributes={"plan": "pro" if n % 2 else "free"})
            for n in range(first, min(first + 10_000, count))
        )


def make_canvas() -> Any:
    from canvas.models import CanvasVersion, Path
    from tests.canvas.world import action_paths, build, delay, event, has, lay, message, split

    steps = [message("hello"), delay("wait"), split("pro?", has("plan", "pro"))]
    canvas = build(steps)
    draft = CanvasVersion.objects.get(canvas=canvas)
    yes, no = Path.objects.filter(version=draft, step__kind="decision").order_by("rank")
    lay(draft, yes, [action_paths("buys?", ([event("order")], []))])
    lay(draft, no, ["buys?"])
    return canvas


def let_everybody_in(canvas: Any) -> None:
    from outreach import plan

    occurrence = canvas.occurrences.get()
    while (chunk := plan.plan_chunk(occurrence.pk, START)) and not chunk.is_last:
        pass


def move(now: datetime, part: int, size: int) -> None:
    from canvas import engine

    while engine.run(lambda: now, seconds=3600):
        pass


def answer(now: datetime, part: int, size: int) -> None:
    from django.db.models import F

    from webhooks.attempt import Attempt
    from webhooks.claims import Claimed
    from webhooks.models import Message
    from webhooks.record import record
    from webhooks.request import Answer

    names = (
        "id sender_id lane_id content_id profile_id cause slot variant due_at attempts first_attempt_at context lease"
    )
    own = Message.objects.annotate(part=F("id") % size).filter(part=part)  # none has ended yet
    rows = own.order_by("pk").values_list(*names.split())
    last = 0
    while batch := [Claimed(*row) for row in rows.filter(pk__gt=last)[:ANSWERED]]:
        record([Attempt(message, answer=Answer(200)) for message in batch])
        last = batch[-1].id


def awaken(now: datetime) -> None:
    """Recording woke the journeys by the real clock."""
    from canvas.models import Journey

    Journey.objects.filter(state="sending").update(wake_at=now)


def act(now: datetime, part: int, size: int) -> None:
    """Every third profile orders; the events are stored and reacted to in batches."""
    from audience import dispatch
    from audience.ingest.track import track
    from audience.models import Profile

    ids = list(Profile.objects.order_by("pk").values_list("external_id", flat=True))[::BUYS][part::size]
    for first in range(0, len(ids), 1_000):
        track(
            events=[{"external_id": i, "name": "order", "time": now.isoformat()} for i in ids[first : first + 1_000]],
            now=now,
        )
    while dispatch.run(lambda: now, lambda: False):
        pass


def check(canvas: Any, count: int) -> None:
    """Everybody must have come through, a third of them by the action."""
    from canvas import counts

    totals = counts.by_step(canvas.pk)[0]
    paths = counts.reasons(canvas.pk, counts.StepMetric.PATH)
    acted = sum(number for (_step, path), number in paths.items() if path == "1") - (count // 2)
    if totals["completed"] != count or acted != -(-count // BUYS):
        raise SystemExit(f"not everybody came through: {totals}, {acted} acted")


@contextmanager
def clocked(name: str, seconds: dict[str, float]) -> Iterator[None]:
    began = time.perf_counter()
    yield
    seconds[name] = time.perf_counter() - began


@contextmanager
def queries() -> Iterator[list[None]]:
    from django.db import connection

    asked: list[None] = []

    def count(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        asked.append(None)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(count):
        yield asked


if __name__ == "__main__":
    main()
