"""Shared fixtures. Nothing of ours is mocked: real databases, a real Valkey, a real endpoint (`sink`)."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import hypothesis
import pytest
from django.conf import settings as django_settings
from django.db import connection
from django.test import TransactionTestCase
from django.utils import translation
from redis import Redis
from redis.exceptions import RedisError

from canvas import experiments, graph
from config.demo.receiver import Receiver
from config.processes import valkey_command
from tests import databases
from webhooks.compose import Composer, the_guard
from webhooks.deliver import Pump
from webhooks.transport import Transport, TransportSettings
from webhooks.window import PumpSettings
from workspace import remembered

TransactionTestCase._fixture_teardown = databases.empty  # type: ignore[method-assign]
hypothesis.settings.register_profile("hookline", deadline=None)  # slow machines are no fault of the code
hypothesis.settings.load_profile("hookline")
NOON = datetime(2026, 5, 6, 12, tzinfo=UTC)


@pytest.fixture(scope="session")
def django_db_setup(django_test_environment, django_db_blocker, django_db_modify_db_settings) -> Iterator[None]:
    """In place of pytest-django's, which migrates in every test process."""
    with contextlib.ExitStack() as stack:
        with django_db_blocker.unblock():
            stack.enter_context(databases.copied())
        yield
        with django_db_blocker.unblock():
            stack.close()


@pytest.fixture(scope="session", autouse=True)
def valkey() -> Iterator[Redis]:
    """The bundled Valkey on its socket, for the whole run."""
    process = subprocess.Popen(valkey_command(django_settings.VALKEY_SOCKET), stdout=subprocess.DEVNULL)
    client = Redis(unix_socket_path=str(django_settings.VALKEY_SOCKET))
    wait_until(lambda: _answers(client), "Valkey does not answer")
    yield client
    client.close()
    process.terminate()
    process.wait(10)


@pytest.fixture(autouse=True)
def _nothing_of_other_tests(valkey: Redis) -> None:
    """Empty queues and caches: what a process remembers goes by ids, and tests use those again."""
    valkey.flushall()
    translation.activate(django_settings.LANGUAGE_CODE)  # a page in Korean leaves the thread speaking it
    remembered.forget_all()
    graph.forget()
    experiments.forget()


@pytest.fixture
def sink(settings) -> Iterator[Receiver]:
    """An endpoint on a free loopback port that answers 200 until told otherwise."""
    with Receiver() as receiver:
        settings.WEBHOOK_ALLOWED_PORTS = [receiver.port]
        yield receiver


@pytest.fixture
def transport(sink: Receiver) -> Iterator[Transport]:
    """Connections that may reach the sink; requests take at most two seconds."""
    made = Transport(TransportSettings(guard=the_guard(), timeout=2.0, connect_timeout=1.0))
    yield made
    made.close()


@pytest.fixture
def pump(transport: Transport) -> Pump:
    return Pump(transport, Composer(the_guard()), PumpSettings(lease=30.0), lambda: False)


class Workers:
    """Real worker processes on the test's database, queues and sink."""

    def __init__(self) -> None:
        self.processes: list[subprocess.Popen[bytes]] = []

    def start(self, *queues: str, **environment: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "manage.py", "work", *(queues or ("deliver", "plan", "default"))]
        ports = ",".join(map(str, django_settings.WEBHOOK_ALLOWED_PORTS))
        env = os.environ | {"DATABASE_URL": test_database_url(), "WEBHOOK_ALLOWED_PORTS": ports} | environment
        process = subprocess.Popen(command, env=env, cwd=django_settings.BASE_DIR)
        self.processes.append(process)
        return process

    def kill(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait(10)
        self.processes.clear()


@pytest.fixture
def workers() -> Iterator[Workers]:
    made = Workers()
    yield made
    for process in made.processes:
        process.send_signal(signal.SIGCONT)
        process.terminate()
    deadline = time.monotonic() + 15
    for process in made.processes:
        try:
            process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)


def test_database_url() -> str:
    """The address of the database this test runs on, for other processes."""
    config = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{config['NAME']}"
    user = f"{config['USER']}:{config['PASSWORD']}@" if config["USER"] else ""
    return f"postgres://{user}{config['HOST']}:{config['PORT']}/{config['NAME']}"


test_database_url.__test__ = False  # type: ignore[attr-defined]


def wait_until(condition: Callable[[], object], complaint: str, seconds: float = 60.0) -> None:
    """Poll until the condition holds; fail with the complaint otherwise."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(complaint)
        time.sleep(0.02)


def _answers(client: Redis) -> bool:
    try:
        return bool(client.ping())
    except RedisError:
        return False
