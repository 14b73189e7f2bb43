"""The totals hold at every moment, and ticks that coincide or lose their worker neither double nor lose anything."""

import random
import threading
import time
from collections import Counter

import pytest
from django.db import connection, transaction
from django.db.models import Count
from django.utils import timezone

from campaigns import launch
from canvas import launch as canvas_launch
from config.demo.receiver import Reply
from outreach import counters, lifecycle
from outreach.models import DailyCount, Metric
from tests.canvas.test_reference import conserve
from tests.canvas.world import build, delay, message
from tests.conftest import wait_until
from tests.factories import CampaignFactory, ContentFactory, MessageFactory, ProfileFactory, SegmentFactory
from webhooks.models import Message, MessageActivityLog, Outcome
from workspace.queues import wake

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]
QUICK = {"WEBHOOK_TIMEOUT": "1", "LEASE_SECONDS": "11", "DELIVER_WINDOW": "16", "RETRY_TIME_SCALE": "0.02"}
ENDED = (Outcome.RECEIVED, Outcome.FAILED, Outcome.ABORTED, Outcome.SKIPPED, Outcome.CANCELLED)


def both(campaign) -> tuple[dict[str, int], dict[str, int]]:
    """What the counters say and what the messages say, of one moment."""
    with transaction.atomic():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        counted = counters.totals(campaign)
        outcomes = Message.objects.filter(sender=campaign.sender_id).values_list("outcome").annotate(Count("pk"))
        rows = dict(outcomes.order_by())
    names = ("planned", "pending", *ENDED)
    found = {"planned": sum(rows.values()), "pending": rows.get("", 0)} | {name: rows.get(name, 0) for name in ENDED}
    return {name: counted[name] for name in names}, found


def test_planned_is_the_sum_of_all_fates_at_every_moment_while_workers_die_and_the_endpoint_fails(sink, workers):
    chance = random.Random(11)
    fates = [Reply(delay=0.02), Reply(503), Reply(404), Reply(resets=True), Reply(delay=3)]
    sink.script = lambda request, nth: chance.choices(fates, [70, 12, 8, 8, 2])[0]
    ProfileFactory.create_batch(300)
    ProfileFactory.create_batch(20, first_name="")
    url = f"{sink.url}/{{% if ${{first_name}} == blank %}}{{% abort_message('nameless') %}}{{% endif %}}"
    campaign = CampaignFactory(url=url)
    launch.start(campaign, timezone.now())
    looks = []
    for _death in range(4):
        for _ in range(2):
            workers.start("deliver", "plan", **QUICK)
        before = looks[-1]["pending"] if looks else 320
        until = time.monotonic() + 25
        while (
            not looks or looks[-1]["pending"] > before - 30 or not looks[-1]["planned"]
        ) and time.monotonic() < until:
            time.sleep(0.03)
            counted, found = both(campaign)
            assert counted == found
            looks.append(counted)
        workers.kill()
    counted, found = both(campaign)
    assert counted == found
    assert any(0 < look["pending"] < look["planned"] for look in looks)
    assert counted["pending"], "the last kill came too late to prove anything"
    workers.start("deliver", "plan", **QUICK)
    fates_shown = (Outcome.RECEIVED, Outcome.FAILED, Outcome.ABORTED)

    def goes_on() -> bool:
        now = counters.totals(campaign)
        return now["received"] > counted["received"] and all(now[fate] for fate in fates_shown)

    wait_until(goes_on, "nothing goes on", 60)
    lifecycle.stop(campaign, timezone.now())
    workers.kill()
    Message.objects.filter(finished_at=None).update(leased_until=None)  # the leases of the dead run out
    lifecycle.cancel_waiting(campaign, timezone.now())
    counted, found = both(campaign)
    assert counted == found
    assert (counted["planned"], counted["pending"]) == (320, 0)
    errors = DailyCount.objects.filter(outreach=campaign, metric=Metric.ERRORS).values_list("count", flat=True)
    assert sum(errors) == MessageActivityLog.objects.exclude(status=None).count()
    received = set(Message.objects.filter(outcome=Outcome.RECEIVED).values_list("pk", flat=True))
    assert len(received) == counted["received"]


def test_everything_that_starts_in_the_same_second_sends_each_message_once(sink, workers, valkey):
    """Segment counts, campaigns, Canvas ticks and housekeeping at once, again and again, on two workers."""
    people = ProfileFactory.create_batch(40)
    for _ in range(2):
        workers.start("deliver", "plan", "canvas", "default")
    segment = SegmentFactory()
    outreach = []
    for number in range(5):
        campaign = CampaignFactory(url=f"{sink.url}/campaign{number}", to_everyone=False)
        campaign.segments.add(segment)
        url = f"{sink.url}/canvas{number}"
        canvas = build([message("one"), delay("a", unit="seconds"), message("two")], url=url, name=f"journey {number}")
        launch.start(campaign, timezone.now())
        canvas_launch.start(canvas, timezone.now())
        outreach += [campaign, canvas]
        for queue in ("default", "plan", "canvas", "deliver") * 3:
            valkey.delete(f"wake:{queue}")  # each wake is a job of its own
            wake(queue)
        time.sleep(0.3)
    expected = 5 * 3 * len(people)
    wait_until(lambda: len(sink.received) >= expected, "messages were lost", 90)
    time.sleep(1)
    hits = Counter((request.target, request.json()["name"], request.webhook_id) for request in sink.received)
    assert set(hits.values()) == {1}
    assert Counter(request.target for request in sink.received) == Counter(
        {f"/campaign{n}": 40 for n in range(5)} | {f"/canvas{n}": 80 for n in range(5)}
    )
    for each in outreach[1::2]:
        conserve(each)


def test_a_retry_goes_out_in_its_time_though_the_worker_that_planned_it_is_gone(sink, workers):
    sink.script = lambda request, nth: Reply(500) if nth == 1 else Reply()
    first = workers.start("deliver", RETRY_TIME_SCALE="0.3")
    sent = MessageFactory(content=ContentFactory(url=sink.url))
    wait_until(lambda: Message.objects.filter(attempts=1).exists(), "nothing was sent")
    first.kill()
    first.wait(10)
    second = workers.start("deliver", RETRY_TIME_SCALE="0.3")
    wait_until(lambda: Message.objects.filter(outcome=Outcome.RECEIVED).exists(), "the retry was lost", 25)
    sent.refresh_from_db()
    assert second.poll() is None
    assert len(sink.received) == sent.attempts == 2
    assert 15 * 0.3 * 0.8 <= sink.received[1].at - sink.received[0].at < 15


def test_a_worker_that_comes_late_starts_what_fell_due_meanwhile(sink, workers):
    MessageFactory(content=ContentFactory(url=sink.url), due_at=timezone.now())
    threading.Event().wait(1)
    assert sink.received == []
    workers.start("deliver")
    wait_until(lambda: sink.received, "what fell due while nothing ran was not sent", 15)
