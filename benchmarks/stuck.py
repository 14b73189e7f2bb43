"""Whether one stuck host holds up another: 5,000 messages to a host that answers after 30 s beside 500 to a good one.

    python -m benchmarks.stuck [--messages 500] [--stuck 5000] [--workers 2] [--database URL]

The good host's time from due to the request's start, alone and beside the stuck one, in turns in the same run; and the
time until it is recorded. The last line is JSON: `alone_p95_s`, `beside_p95_s`, their `ratio`, and the same three with
`recorded_` before them. The stuck host's messages are not waited for.
"""

import argparse
import contextlib
import json
import tempfile
import time
from datetime import timedelta
from pathlib import Path

from benchmarks import _servers, delivery

ROUNDS = 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=500)
    parser.add_argument("--stuck", type=int, default=5_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--database", default="")
    options = parser.parse_args()
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="benchmark-")))
        url = stack.enter_context(_servers.database(options.database, folder))
        good, stuck = stack.enter_context(_servers.sink(0)), stack.enter_context(_servers.sink(30_000))
        delivery._set_up_django(url, folder, good.port, 256, stuck.port)
        stack.enter_context(_servers.valkey(folder / "valkey.sock"))
        delivery._load(options.stuck)
        pairs = [(_p95(options, good.port, 0), _p95(options, good.port, stuck.port)) for _ in range(ROUNDS)]
    result: dict[str, float] = {}
    for number, word in enumerate(("", "recorded_")):
        alone, beside = (sorted(pair[side][number] for pair in pairs)[ROUNDS // 2] for side in (0, 1))
        result |= {f"{word}alone_p95_s": alone, f"{word}beside_p95_s": beside, f"{word}ratio": round(beside / alone, 2)}
    print(json.dumps(result))


def _p95(options: argparse.Namespace, good: int, stuck: int) -> tuple[float, float]:
    """Seconds that 95 of 100 of the good host's messages took at most: until started, until recorded."""
    from django.utils import timezone

    from webhooks.models import Lane, Message
    from workspace import queues

    Message.objects.all().delete()
    Lane.objects.all().delete()
    if stuck:
        _send(f"http://localhost:{stuck}/hook", options.stuck)
    with delivery._workers(options.workers) as processes:
        time.sleep(5)  # workers are up, and the stuck host has filled its share
        began = timezone.now()
        sender = _send(f"http://127.0.0.1:{good}/hook", options.messages)
        queues.wake("deliver")
        mine = Message.objects.filter(sender_id=sender)
        deadline = timezone.now() + timedelta(minutes=5)
        while mine.filter(finished_at=None).exists() and timezone.now() < deadline:
            time.sleep(0.1)
        for process in processes:
            process.kill()  # a stop would wait for the stuck host's answers
        ends = list(mine.values_list("first_attempt_at", "finished_at"))
    started, recorded = (sorted((end - began).total_seconds() for end in each) for each in zip(*ends, strict=True))
    at = int(len(ends) * 0.95) - 1
    return round(started[at], 3), round(recorded[at], 3)


def _send(url: str, count: int) -> int:
    """Make `count` messages that are due now; their sender's id."""
    from django.utils import timezone

    from audience.models import Profile
    from webhooks import lanes
    from webhooks.models import Content, Message, Sender

    sender = Sender.objects.create(is_open=True)
    content = Content.objects.create(url=url, pairs=[{"key": "name", "value": "{{${first_name}}}", "type": "text"}])
    lane = lanes.open_lanes(sender, [content])[content.pk]
    people = Profile.objects.order_by("pk").values_list("pk", flat=True)[:count]
    now = timezone.now()
    Message.objects.bulk_create(
        [
            Message(sender=sender, lane_id=lane, content=content, profile_id=person, cause=1, due_at=now)
            for person in people
        ],
        batch_size=5_000,
    )
    Sender.objects.filter(pk=sender.pk).update(is_open=True)
    return sender.pk


if __name__ == "__main__":
    main()
