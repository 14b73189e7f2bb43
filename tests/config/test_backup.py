"""Dump and restore, tried with real files and real workers on the database that the tests run on."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import psycopg
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from campaigns import launch
from config.demo.receiver import Received, Reply
from outreach import counters, plan
from tests.conftest import test_database_url, wait_until
from tests.factories import CampaignFactory, ProfileFactory
from webhooks.models import Message, Outcome

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[str]:
    """The address of a new, empty database of the same kind."""
    if connection.vendor == "sqlite":
        yield f"sqlite:///{tmp_path / 'restored.sqlite3'}"
        return
    config, name = connection.settings_dict, f"{connection.settings_dict['NAME']}_restored"
    where = {"host": config["HOST"], "port": config["PORT"], "user": config["USER"], "password": config["PASSWORD"]}
    with psycopg.connect(dbname="postgres", autocommit=True, **where) as server:
        server.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        server.execute(f'CREATE DATABASE "{name}"')
        yield test_database_url().rpartition("/")[0] + f"/{name}"
        server.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def manage(database: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        env=os.environ | {"DATABASE_URL": database},
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        check=False,
    )


STATE = """
import json
from campaigns.models import Campaign
from outreach import counters
from webhooks.models import FrozenRequest, Message
campaign = Campaign.objects.get()
print(json.dumps({
    "status": campaign.status, "totals": dict(counters.totals(campaign)), "next": Message.objects.latest("pk").pk,
    "frozen": FrozenRequest.objects.count(),
    "reasons": sorted(set(Message.objects.exclude(reason="").values_list("reason", flat=True))),
}))
"""


RESUME = """
from django.utils import timezone
from campaigns.models import Campaign
from outreach import lifecycle
lifecycle.resume(Campaign.objects.get(), timezone.now())
"""
ADD = """
from audience.models import Profile
from tests.factories import MessageFactory
print(MessageFactory(profile=Profile.objects.first()).pk)
"""


def state(database: str) -> dict:
    found = manage(database, "shell", "--verbosity", "0", "--command", STATE)
    assert found.returncode == 0, found.stderr
    return json.loads(found.stdout)


def send_half(sink, workers, people: int = 60):
    """A campaign in the middle of its send: some received, some failed once and waiting, some not tried.

    Returns it, its worker, and the list of what was answered with 200, which grows.
    """
    answered: list[str] = []

    def script(request: Received, nth: int) -> Reply:
        if nth == 1 and int(request.target.rpartition("-")[2]) % 4 == 0:
            return Reply(503)
        answered.append(request.target)
        return Reply()

    sink.script = script
    ProfileFactory.create_batch(people)
    campaign = CampaignFactory(url=f"{sink.url}/x/{{{{${{user_id}}}}}}", sender__rate_per_minute=1_200)
    launch.start(campaign, timezone.now())
    plan.plan_due(timezone.now())
    worker = workers.start("deliver", RETRY_TIME_SCALE="0.2")
    wait_until(lambda: Message.objects.filter(outcome=Outcome.RECEIVED).count() >= people // 4, "nothing is sent")
    return campaign, worker, answered


def stop(worker) -> None:
    worker.terminate()
    worker.wait(30)
    assert Message.objects.filter(finished_at=None).exists(), "the stop came too late to prove anything"


def restore(database: str, file: Path, *arguments: str) -> str:
    done = manage(database, "restore", str(file), *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_moved_to_another_database_in_the_middle_of_a_send_each_message_arrives_once(
    sink, workers, elsewhere, tmp_path
):
    campaign, worker, answered = send_half(sink, workers)
    stop(worker)
    before = counters.totals(campaign)
    call_command("back_up", str(tmp_path / "now.backup"), stdout=StringIO())
    restore(elsewhere, tmp_path / "now.backup", "--was-stopped")
    there = state(elsewhere)
    assert there["totals"] == before
    assert there["frozen"] > 0, "no retry was under way: nothing is proved about them"
    workers.start("deliver", DATABASE_URL=elsewhere, RETRY_TIME_SCALE="0.2")
    wait_until(lambda: state(elsewhere)["totals"]["pending"] == 0, "messages were lost", 60)
    assert state(elsewhere)["totals"]["received"] == 60
    assert len(answered) == len(set(answered)) == 60


def test_an_old_backup_sends_nothing_twice_and_waits_for_a_person(sink, workers, elsewhere, tmp_path):
    _campaign, worker, answered = send_half(sink, workers)
    call_command("back_up", str(tmp_path / "old.backup"), stdout=StringIO())  # while it sends
    wait_until(lambda: Message.objects.filter(outcome=Outcome.RECEIVED).count() >= 30, "it stopped sending")
    stop(worker)
    assert "Paused: 1 campaigns" in restore(elsewhere, tmp_path / "old.backup")
    worker = workers.start("deliver", "plan", "default", DATABASE_URL=elsewhere)
    there = state(elsewhere)
    assert there["status"] == "paused"
    assert there["totals"]["skipped"] > 0
    assert "perhaps_sent" in there["reasons"]
    ended = sum(there["totals"][name] for name in ("received", "failed", "aborted", "skipped", "cancelled"))
    assert there["totals"]["planned"] == ended + there["totals"]["pending"] == 60
    assert manage(elsewhere, "shell", "--command", RESUME).returncode == 0
    wait_until(lambda: state(elsewhere)["totals"]["pending"] == 0, "messages were lost", 30)
    assert len(answered) == len(set(answered))
    assert state(elsewhere)["totals"]["skipped"] >= 15


def test_what_was_due_only_after_the_crash_is_still_sent(sink, workers, elsewhere, tmp_path):
    ProfileFactory.create_batch(5)
    campaign = CampaignFactory(url=f"{sink.url}/x/{{{{${{user_id}}}}}}")
    launch.start(campaign, timezone.now())
    plan.plan_due(timezone.now())
    crashed_at = Message.objects.order_by("due_at").first().due_at
    later = list(Message.objects.values_list("pk", flat=True)[:2])
    Message.objects.filter(pk__in=later).update(due_at=crashed_at + timezone.timedelta(seconds=1))
    call_command("back_up", str(tmp_path / "old.backup"), stdout=StringIO())
    restore(elsewhere, tmp_path / "old.backup", "--sent-until", crashed_at.isoformat())
    totals = state(elsewhere)["totals"]
    assert (totals["skipped"], totals["pending"]) == (3, 2)


def test_the_id_of_a_message_is_never_given_again(sink, workers, elsewhere, tmp_path):
    _campaign, worker, _answered = send_half(sink, workers, 20)
    stop(worker)
    call_command("back_up", str(tmp_path / "old.backup"), stdout=StringIO())
    restore(elsewhere, tmp_path / "old.backup")
    found = manage(elsewhere, "shell", "--verbosity", "0", "--command", ADD)
    assert found.returncode == 0, found.stderr
    assert int(found.stdout) > 1_000_000_000


def test_a_database_that_holds_something_is_not_overwritten(tmp_path):
    call_command("back_up", str(tmp_path / "one.backup"), stdout=StringIO())
    done = manage(test_database_url(), "restore", str(tmp_path / "one.backup"))
    assert done.returncode == 1
    assert "not empty" in done.stderr


def test_a_backup_is_private_whole_and_never_overwritten(tmp_path):
    target = tmp_path / "one.backup"
    call_command("back_up", str(target), stdout=StringIO())
    assert target.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["one.backup"]
    with pytest.raises(CommandError, match="exists already"):
        call_command("back_up", str(target), stdout=StringIO())


def test_what_is_no_backup_is_refused_in_words(elsewhere, tmp_path):
    (tmp_path / "letter.txt").write_text("Dear all, " * 500)
    done = manage(elsewhere, "restore", str(tmp_path / "letter.txt"))
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "missing.backup" in manage(elsewhere, "restore", str(tmp_path / "missing.backup")).stderr


def test_a_moment_that_is_none_is_refused_in_words():
    with pytest.raises(CommandError, match="is not a time"):
        call_command("after_restore", "--sent-until", "yesterday")
