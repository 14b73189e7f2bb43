"""Real worker processes, killed, stopped and started twice."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from socket import create_server

import pytest
from django.conf import settings
from django.db import OperationalError, connection, transaction
from django.utils import timezone
from redis import Redis

from campaigns import launch
from config.demo.receiver import Reply, always
from outreach import counters, plan
from tests.conftest import test_database_url, wait_until
from tests.factories import CampaignFactory, ContentFactory, MessageFactory, ProfileFactory
from webhooks.models import Message, Outcome

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]


def send_to(sink, people: int):
    ProfileFactory.create_batch(people)
    campaign = CampaignFactory(url=f"{sink.url}/x/{{{{${{user_id}}}}}}")
    launch.start(campaign, timezone.now())
    return campaign


def test_workers_killed_in_the_middle_of_a_send_lose_nothing(sink, workers):
    sink.script = always(Reply(delay=0.05))
    campaign = send_to(sink, 400)
    quick = {"WEBHOOK_TIMEOUT": "1", "LEASE_SECONDS": "11", "DELIVER_WINDOW": "16"}
    for _ in range(2):
        workers.start(**quick)
    wait_until(lambda: len(sink.received) > 100, "nothing is being sent")
    workers.kill()
    assert Message.objects.filter(finished_at=None).exists(), "the kill came too late to prove anything"
    in_flight = Message.objects.exclude(leased_until=None).count()
    for _ in range(2):
        workers.start(**quick)
    wait_until(lambda: counters.totals(campaign)["pending"] == 0, "messages were lost", 60)
    totals = counters.totals(campaign)
    assert totals["received"] == totals["planned"] == 400
    hits = Counter(request.webhook_id for request in sink.received)
    assert len(hits) == 400
    repeated = sum(1 for count in hits.values() if count > 1)
    assert repeated <= in_flight
    assert set(Message.objects.values_list("outcome", flat=True)) == {Outcome.RECEIVED}


def test_two_planners_and_two_pumps_send_each_message_once(sink, workers):
    campaign = send_to(sink, 300)
    for _ in range(2):
        workers.start()
    for _ in range(10):
        plan.plan_due(timezone.now())  # a third planner, here
    wait_until(lambda: counters.totals(campaign)["received"] == 300, "not everything arrived", 40)
    assert len(sink.received) == len({request.webhook_id for request in sink.received}) == 300


def freeze(worker: "subprocess.Popen[bytes]") -> None:
    """Stop a worker where it holds no lock: PostgreSQL would end such a transaction only after a minute."""
    for _ in range(100):
        worker.send_signal(signal.SIGSTOP)
        try:
            with transaction.atomic():
                list(Message.objects.select_for_update(nowait=has_nowait()).values_list("pk"))
            return
        except OperationalError:
            worker.send_signal(signal.SIGCONT)
            time.sleep(0.01)
    pytest.fail("the worker always holds a lock")


def has_nowait() -> bool:
    return connection.features.has_select_for_update_nowait


def test_a_stopped_worker_that_wakes_up_late_sends_nothing_old(sink, workers):
    sink.script = always(Reply(delay=0.2))
    send_to(sink, 60)
    quick = {"WEBHOOK_TIMEOUT": "1", "LEASE_SECONDS": "11", "DELIVER_WINDOW": "8"}
    frozen = workers.start(**quick)
    wait_until(lambda: len(sink.received) > 8, "nothing is being sent")
    freeze(frozen)
    time.sleep(6)  # what it claimed ahead has too little of its lease left by now
    Message.objects.filter(finished_at=None).update(leased_until=timezone.now())  # as if 11 s had passed
    workers.start(**quick)
    wait_until(lambda: not Message.objects.filter(finished_at=None).exists(), "messages were lost", 30)
    before = len(sink.received)
    frozen.send_signal(signal.SIGCONT)
    time.sleep(2)
    assert len(sink.received) == before
    assert set(Message.objects.values_list("outcome", flat=True)) == {Outcome.RECEIVED}


def test_without_redis_messages_still_go_out(sink, workers):
    workers.start(REDIS_URL="unix:///nowhere/at-all.sock")
    MessageFactory(content=ContentFactory(url=sink.url))
    wait_until(lambda: sink.received, "nothing was sent without Redis")


def test_with_a_redis_that_hangs_messages_still_go_out(sink, workers):
    with create_server(("127.0.0.1", 0), backlog=100) as silent:  # takes connections and never says a word
        workers.start(REDIS_URL=f"redis://127.0.0.1:{silent.getsockname()[1]}/0")
        content = ContentFactory(url=sink.url)
        for _ in range(20):
            MessageFactory(content=content)
        wait_until(lambda: len(sink.received) == 20, "nothing was sent while Redis hung", 20)


def test_losing_every_queued_job_loses_no_message(sink, workers, valkey: Redis):
    send_to(sink, 50)
    valkey.flushall()
    workers.start()
    wait_until(lambda: Message.objects.filter(outcome=Outcome.RECEIVED).count() == 50, "messages were lost")


def test_a_stop_waits_for_what_is_in_flight(sink, workers):
    sink.script = always(Reply(delay=0.5))
    send_to(sink, 4)
    worker = workers.start()
    wait_until(lambda: len(sink.received) == 4, "nothing is being sent")
    worker.terminate()
    assert worker.wait(10) == 0
    assert Message.objects.filter(outcome=Outcome.RECEIVED).count() == 4


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data"


def _run(folder: Path, *arguments: str) -> "subprocess.Popen[str]":
    environment = os.environ | {
        "DATA_DIR": str(folder),
        "ENVIRONMENT": "development",
        "DATABASE_URL": test_database_url(),
    }
    return subprocess.Popen(
        [sys.executable, "manage.py", "run", "--no-web", *arguments],
        env=environment,
        cwd=settings.BASE_DIR,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.fixture
def run(folder) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts `manage.py run`. Whatever is left in the end is ended, so that it sends nothing of later tests."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: str) -> subprocess.Popen[str]:
        started.append(_run(folder, *arguments))
        return started[-1]

    yield start
    for process in started:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=60)


def test_a_second_start_says_that_one_is_running_and_a_killed_one_is_no_obstacle(folder, run):
    first = run()
    socket = folder / "valkey.sock"
    wait_until(socket.exists, "Valkey was not started", 60)
    second = run()
    output, _ = second.communicate(timeout=60)
    assert second.returncode == 1
    assert f"running already on {folder} (process {first.pid})" in output
    first.kill()
    first.communicate(timeout=60)
    client = Redis(unix_socket_path=str(socket))
    wait_until(lambda: not _pings(client), "a killed run left its Valkey behind")
    third = run()
    wait_until(lambda: _pings(client), "a killed run's leavings stopped the next one", 60)
    third.send_signal(signal.SIGINT)
    third.communicate(timeout=60)
    assert third.returncode == 0
    assert not _pings(client)
    client.close()


def _pings(client: Redis) -> bool:
    try:
        return bool(client.ping())
    except Exception:
        return False
