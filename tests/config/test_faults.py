"""Databases that go away in the middle of a send: nothing is lost, and nothing recorded as sent goes out again."""

import threading
import time
from collections import Counter

import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from campaigns import launch
from config.demo.receiver import Reply, always
from outreach import counters
from tests.conftest import wait_until
from tests.factories import CampaignFactory, ContentFactory, MessageFactory, ProfileFactory, SenderFactory
from webhooks import record as recording
from webhooks.models import Message, MessageActivityLog, Outcome, Receipt

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]


def others_end() -> int:
    """End every other session of this database, as a restart does; how many there were."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        return cursor.fetchone()[0]


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite has no server that could restart")
def test_a_database_that_restarts_again_and_again_loses_and_repeats_nothing(sink, workers):
    sink.script = always(Reply(delay=0.05))
    ProfileFactory.create_batch(400)
    campaign = CampaignFactory(url=f"{sink.url}/x/{{{{${{user_id}}}}}}")
    launch.start(campaign, timezone.now())
    quick = {"WEBHOOK_TIMEOUT": "1", "LEASE_SECONDS": "11", "DELIVER_WINDOW": "16"}
    for _ in range(2):
        workers.start(**quick)
    wait_until(lambda: len(sink.received) > 40, "nothing is being sent")
    ended = 0
    for _ in range(5):
        ended += others_end()
        time.sleep(1.2)  # longer than a worker waits before it looks for the database again
    assert ended >= 5
    wait_until(lambda: counters.totals(campaign)["pending"] == 0, "messages were lost", 60)
    totals = counters.totals(campaign)
    assert totals["received"] == totals["planned"] == 400
    hits = Counter(request.webhook_id for request in sink.received)
    assert len(hits) == 400
    assert sum(hits.values()) - 400 <= ended * 16  # at most what was in flight at each loss
    assert Receipt.objects.count() == 400


def test_an_answer_that_cannot_be_recorded_at_first_is_recorded_later_and_asked_for_once(sink, pump, monkeypatch):
    message = MessageFactory(content=ContentFactory(url=f"{sink.url}/hook"), sender=SenderFactory())
    write, failures = recording._write, [OperationalError("gone"), OperationalError("still gone")]

    def fails_twice(pairs, now):
        if failures:
            raise failures.pop()
        return write(pairs, now)

    monkeypatch.setattr(recording, "_write", fails_twice)
    pump.run()
    message.refresh_from_db()
    assert (message.outcome, message.attempts) == (Outcome.RECEIVED, 1)
    assert len(sink.received) == 1
    assert failures == []


def test_after_a_commit_that_failed_the_message_goes_once_more_under_its_id(sink, transport, pump, monkeypatch):
    """The worker dies between the answer and the record: the outcome is unknown, so it is asked again."""
    message = MessageFactory(content=ContentFactory(url=f"{sink.url}/hook"), sender=SenderFactory())

    def dies(attempts):
        raise KeyboardInterrupt

    monkeypatch.setattr("webhooks.deliver.record", dies)
    with pytest.raises(KeyboardInterrupt):
        pump.run()
    monkeypatch.undo()
    Message.objects.update(leased_until=timezone.now())
    pump._done.clear()  # a new worker knows nothing of it
    pump.run()
    message.refresh_from_db()
    assert message.outcome == Outcome.RECEIVED
    assert len(sink.received) == 2
    assert len({request.webhook_id for request in sink.received}) == 1
    assert Receipt.objects.count() == 1


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite has one writer at a time")
def test_a_lease_that_runs_out_while_its_holder_writes_changes_hands_or_is_recorded_but_not_both(sink, transport, pump):
    message = MessageFactory(content=ContentFactory(url=f"{sink.url}/hook"), sender=SenderFactory())
    held, let_go = threading.Event(), threading.Event()

    def holder():
        from django.db import connection as own
        from django.db import transaction

        try:
            with transaction.atomic():
                Message.objects.select_for_update().get(pk=message.pk)
                held.set()
                let_go.wait(10)
                Message.objects.filter(pk=message.pk, finished_at=None).update(
                    outcome=Outcome.RECEIVED, finished_at=timezone.now(), leased_until=None
                )
        finally:
            own.close()

    Message.objects.update(leased_until=timezone.now(), lease=7)
    thread = threading.Thread(target=holder)
    thread.start()
    held.wait(10)
    pump.run()  # the lease is over, but the row is held: it is passed by
    assert sink.received == []
    let_go.set()
    thread.join(10)
    pump.run()
    message.refresh_from_db()
    assert message.outcome == Outcome.RECEIVED
    assert sink.received == []
    assert not MessageActivityLog.objects.exists()
