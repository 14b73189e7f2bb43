"""`make demo`: sends a campaign with real workers to a local endpoint that misbehaves, and checks what arrived.

Everything happens in a folder of its own on embedded defaults. The receiver is on a free loopback port, and only this
process's environment tells the egress guard to allow it.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from config.demo.receiver import Received, Receiver, Reply

ROOT = Path(__file__).resolve().parent.parent.parent
FOLDER = ROOT / "build" / "demo"
SETTINGS = {
    "ENVIRONMENT": "development",
    "RETRY_TIME_SCALE": "0.01",  # a 15 s wait takes 0.15 s
    "WEBHOOK_TIMEOUT": "5",
    "LEASE_SECONDS": "15",
    "DELIVER_WORKERS": "2",
    "LOG_LEVEL": "WARNING",
    "WEBHOOK_ALLOWED_NETWORKS": "127.0.0.1/32",
}
BROKEN_OFF = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
DEADLINE = 120  # seconds


def behave(request: Received, nth: int) -> Reply:
    """Decides by the customer's number: most get 200; some 503 once, 400 always, a reset in mid-answer, or slow."""
    number = int(request.target.rsplit("-", 1)[-1])
    if number % 10 == 3:
        return Reply(503, b'{"error":"busy"}') if nth == 1 else Reply()
    if number % 25 == 4:
        return Reply(400, b'{"error":"unknown customer"}')
    if number % 20 == 7:
        return Reply(raw=BROKEN_OFF, resets=True) if nth == 1 else Reply()
    return Reply(delay=0.4) if number % 50 == 9 else Reply()


def main() -> int:
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    with Receiver(behave) as receiver:
        for name in ("DATABASE_URL", "REDIS_URL"):
            os.environ.pop(name, None)
        os.environ.update(SETTINGS, DATA_DIR=str(FOLDER), WEBHOOK_ALLOWED_PORTS=str(receiver.port))
        os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
        print(f"Receiver on {receiver.url}. Demo settings: {' '.join(f'{k}={v}' for k, v in SETTINGS.items())}")
        import django

        django.setup()
        return run(receiver)


def run(receiver: Receiver) -> int:
    from django.core.management import call_command

    from config.demo import campaign as demo

    call_command("migrate", verbosity=0)
    call_command("import_profiles", str(ROOT / "config" / "demo" / "profiles.csv"))
    campaign = demo.build(receiver.url)
    workers = subprocess.Popen([sys.executable, "manage.py", "run", "--no-web"], cwd=ROOT)
    try:
        call_command("send_campaign", demo.NAME)
        wait_until_done(campaign)
    finally:
        workers.send_signal(signal.SIGTERM)
        workers.wait(30)
    show_requests(receiver)
    show_log()
    return show_table(campaign, receiver, demo.expected_aborts())


def wait_until_done(campaign: Any) -> None:
    """Until no message waits. Raises SystemExit past the deadline."""
    from outreach import counters

    began = time.monotonic()
    while (totals := counters.totals(campaign))["pending"] or not totals["planned"]:
        if time.monotonic() - began > DEADLINE:
            raise SystemExit(f"Not finished after {DEADLINE} s: {totals}")
        time.sleep(0.2)
    print(f"Delivered in {time.monotonic() - began:.1f} s.")


def show_requests(receiver: Receiver) -> None:
    print("\nTwo of the requests, as they arrived:")
    for request in (receiver.received[0], receiver.received[-1]):
        print(f"\n  {request.method} {request.target}")
        for name in ("content-type", "user-agent", "webhook-id", "x-offer"):
            print(f"  {name}: {request.headers.get(name)}")
        print(f"  {request.body.decode()}")


def show_log() -> None:
    from webhooks.models import MessageActivityLog

    rows = MessageActivityLog.objects.all()
    print("\nThe Message Activity Log, by what it says:")
    for (kind, text, final), count in Counter((r.get_kind_display(), r.text, r.is_final) for r in rows).most_common():
        print(f"  {count:5} × {kind}: {text[:90]} ({'final' if final else 'tried again'})")


def show_table(campaign: Any, receiver: Receiver, aborts: int) -> int:
    """Print the totals beside what the endpoint saw; 0 only if they agree."""
    from outreach import counters
    from webhooks.models import Message, Receipt

    totals = counters.totals(campaign)
    seen = Counter(request.webhook_id for request in receiver.received)
    answered = {r.webhook_id for r in receiver.received if int(r.target.rsplit("-", 1)[-1]) % 25 != 4 or _is_flaky(r)}
    retried = Message.objects.filter(attempts__gt=1).count()
    rows = [
        ("planned", totals["planned"], Message.objects.count()),
        ("received", totals["received"], len(answered)),
        ("receipts", totals["received"], Receipt.objects.exclude(received_at=None).count()),
        ("retried", retried, sum(1 for count in seen.values() if count > 1)),
        ("failed", totals["failed"], len(seen) - len(answered)),
        ("aborted", totals["aborted"], aborts),
        ("errors", totals["errors"], len(receiver.received) - len(answered)),
        ("requests", totals["received"] + totals["errors"], len(receiver.received)),
    ]
    print(f"\n  {'':10}{'Hookline':>10}{'endpoint':>10}")
    for name, ours, theirs in rows:
        print(f"  {name:10}{ours:10}{theirs:10}  {'' if ours == theirs else '← differs'}")
    ended = sum(totals[name] for name in ("received", "failed", "aborted", "skipped", "cancelled"))
    adds_up = all(ours == theirs for _, ours, theirs in rows) and ended == totals["planned"] and retried > 0
    print("\nThe numbers add up." if adds_up else f"\nThe numbers do NOT add up: {totals}")
    return 0 if adds_up else 1


def _is_flaky(request: Received) -> bool:
    return int(request.target.rsplit("-", 1)[-1]) % 10 == 3


if __name__ == "__main__":
    sys.exit(main())
