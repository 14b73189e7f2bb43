"""Starts everything: web, workers, timetable, and Valkey if none is given."""

import contextlib
import fcntl
import os
import sys
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from redis import Redis
from redis.exceptions import RedisError

from config.processes import supervisord_conf


class Command(BaseCommand):
    help = "Run web, workers, timetable and (if REDIS_URL is unset) Valkey until Ctrl-C. Crashed processes restart."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--no-web", action="store_true", help="workers only, for further machines")
        parser.add_argument("--receiver", type=int, metavar="PORT", help="also run a local endpoint, for trials")

    def handle(self, *args: Any, **options: Any) -> None:
        hold_lock(settings.DATA_DIR / "run.lock")
        if settings.USES_BUNDLED_VALKEY:
            end_orphaned_valkey(settings.VALKEY_SOCKET)
        conf = settings.DATA_DIR / "supervisord.conf"
        conf.write_text(supervisord_conf(web=not options["no_web"], receiver_port=options["receiver"]))
        if not options["no_web"]:
            self.stdout.write(f"Hookline is at http://{settings.WEB_BIND}/admin/ — stop it with Ctrl-C.")
        self.stdout.flush()
        os.execv(sys.executable, [sys.executable, "-m", "supervisor.supervisord", "-n", "-c", str(conf)])  # noqa: S606


def hold_lock(path: Path) -> None:
    """Take the lock of this data folder for as long as this process, and supervisord in its place, lives.

    A lock that a killed run left behind is free by itself. Raises CommandError while another run holds it.
    """
    fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        pid = os.pread(fd, 32, 0).decode().strip() or "unknown"
        raise CommandError(
            f"Hookline is running already on {settings.DATA_DIR} (process {pid}). Stop it with Ctrl-C in its terminal, "
            f"or: kill {pid}"
        ) from None
    os.set_inheritable(fd, True)
    os.ftruncate(fd, 0)
    os.pwrite(fd, str(os.getpid()).encode(), 0)


def end_orphaned_valkey(socket: Path) -> None:
    """End a Valkey whose run was killed and that still answers on our socket; a socket nobody answers on is stale."""
    if not socket.exists():
        return
    client = Redis(unix_socket_path=str(socket), socket_timeout=2)
    with contextlib.suppress(RedisError):
        client.shutdown(nosave=True)
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            client.ping()
        except RedisError:
            break
        time.sleep(0.05)
    socket.unlink(missing_ok=True)
