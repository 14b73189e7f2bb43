"""Runs every benchmark and writes what each prints last to docs/benchmarks.md, with the machine and the date.

    python -m benchmarks [WORD…]      those whose command has one of the words; all without any

A peer installs what it needs into `build/peers` the first time.
"""

import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).parent.parent
TARGET = ROOT / "docs" / "benchmarks.md"
RUNS = (
    ("delivery", "Two workers on PostgreSQL, beside a plain loop without checks and beside bare pycurl."),
    ("delivery --workers 1 --database sqlite", "One worker on SQLite."),
    ("delivery --workers 1 --latency-ms 300 --window 1024", "An endpoint that takes 300 ms, one worker."),
    ("delivery --peer celery", "Beside Celery with requests, one task a message."),
    ("delivery --peer bullmq --peer-messages 30000", "Beside BullMQ with LiquidJS and undici."),
    ("soak", "A million messages while workers are killed, the campaign paused and stopped, and Redis emptied."),
    ("stuck", "A stuck host beside a good one: the good one's times."),
    ("liquid", "Rendering the typical body, beside the library's own dialect."),
    ("audience --profiles 1000000", "A million profiles: estimates, exact counts, planning, events."),
    ("canvas", "A hundred thousand journeys through message, delay, split and action path."),
    ("api", "Events through one web process, and from an event to the wire."),
    ("pages", "The admin's pages with many profiles and messages."),
)
HEAD = """# Benchmarks

Made by `make bench`. {date}, {cores} cores, Python {python}, {system}. Compare the figures of one run with each other:
those of another machine, or of a busy one, differ.
"""


def main(words: list[str]) -> int:
    parts, failed = [_head()], 0
    for command, about in RUNS:
        name, *arguments = command.split()
        is_asked = not words or any(word in command for word in words)
        if not is_asked or not (ROOT / "benchmarks" / f"{name}.py").exists():
            continue
        run = [sys.executable, "-m", f"benchmarks.{name}", *arguments]
        result = subprocess.run(run, capture_output=True, text=True, cwd=ROOT, check=False)
        last = (result.stdout.strip().splitlines() or ["(nothing printed)"])[-1]
        failed += result.returncode != 0
        print(f"{command}: {last}{result.stderr[-2000:] if result.returncode else ''}", flush=True)
        parts.append(_part(command, about, last, is_good=result.returncode == 0))
    TARGET.write_text("\n".join(parts))
    return 1 if failed else 0


def _head() -> str:
    system = f"{platform.system()} {platform.machine()}"
    return HEAD.format(
        date=f"{datetime.now(UTC):%Y-%m-%d}", cores=os.cpu_count(), python=platform.python_version(), system=system
    )


def _part(command: str, about: str, last: str, *, is_good: bool) -> str:
    shown = f"    python -m benchmarks.{command}\n    {last}\n"
    return f"{about}{'' if is_good else ' (failed)'}\n\n{shown}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
