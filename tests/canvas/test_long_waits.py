"""Waits of hours, days and weeks: one send each, however often and by however many they are looked at."""

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from canvas import engine, lifecycle
from canvas.models import Journey
from tests.canvas.test_reference import conserve
from tests.canvas.world import DAY, HOUR, MINUTE, build, delay, deliver, go_live, journey, let_in, message, run, trace
from tests.conftest import NOON
from tests.factories import ProfileFactory
from tests.parallel import in_parallel
from webhooks.models import Message, MessageActivityLog, Receipt

pytestmark = pytest.mark.django_db(transaction=True)
WEEK = 7 * DAY


def test_waits_of_hours_and_days_looked_at_every_half_hour_by_three_workers_send_once():
    people = ProfileFactory.create_batch(4)
    canvas = go_live(
        build(
            [delay("short", unit="hours", count=2), message("one"), delay("long", unit="days", count=7), message("two")]
        )
    )
    let_in(canvas, *people)
    workers = 3 if connection.vendor == "postgresql" else 1
    now, sent = NOON, {}
    while now <= NOON + 8 * DAY:
        in_parallel([lambda now=now: engine.run(lambda: now)] * workers)
        deliver(now)
        in_parallel([lambda now=now: engine.run(lambda: now)] * workers)
        sent.setdefault(Message.objects.count(), now)
        now += 30 * MINUTE
    assert Message.objects.count() == 2 * len(people)
    assert {count: at - NOON for count, at in sent.items()} == {
        0: timedelta(0),
        4: 2 * HOUR,
        8: 2 * HOUR + WEEK,
    }
    conserve(canvas)


def test_three_weeks_of_pause_set_off_no_two_weekly_steps_at_once():
    ada, bob = ProfileFactory(), ProfileFactory()
    week = {"unit": "weeks", "count": 1}
    canvas = go_live(build([message("1"), delay("a", **week), message("2"), delay("b", **week), message("3")]))
    let_in(canvas, ada)
    run(NOON)
    let_in(canvas, bob, now=NOON + 3 * DAY, source="run:2")
    run(NOON + 3 * DAY)
    lifecycle.pause(canvas, NOON + 3 * DAY)
    resumed = NOON + 3 * DAY + 3 * WEEK
    run(resumed)
    assert Message.objects.count() == 2
    lifecycle.resume(canvas, resumed)
    for days, done in ((0, (1, 1)), (4, (2, 1)), (7, (2, 2)), (11, (3, 2)), (14, (3, 3))):
        run(resumed + days * DAY)
        counts = tuple(Message.objects.filter(profile=person).count() for person in (ada, bob))
        assert counts == done, days
    conserve(canvas)


def test_an_aborted_message_lets_its_profile_go_on_to_the_next_step(sink, pump):
    ada = ProfileFactory()
    canvas = go_live(
        build([message("hello"), delay("wait"), message("more")], url=f"{sink.url}/{{% abort_message('no device') %}}")
    )
    let_in(canvas, ada)
    engine.run(lambda: NOON)
    Message.objects.update(due_at=timezone.now())
    pump.run()
    assert (Message.objects.get().outcome, MessageActivityLog.objects.get().text) == ("aborted", "no device")
    engine.run(timezone.now)
    assert trace(canvas, ada) == ["hello", "wait"]
    assert journey(ada).ended_at is None
    assert Journey.objects.count() == 1
    conserve(canvas)


def test_a_journey_whose_message_was_deleted_meanwhile_goes_by_the_receipt():
    ada, bob = ProfileFactory(), ProfileFactory()
    canvas = go_live(build([message("hello", advance="sent"), message("again")]))
    let_in(canvas, ada, bob)
    run(NOON, answer=None)
    deliver(NOON)
    lifecycle.pause(canvas, NOON)
    Receipt.objects.filter(profile=bob).delete()  # as if it had failed
    Message.objects.all().delete()
    later = NOON + 500 * DAY
    lifecycle.resume(canvas, later)
    run(later)
    assert trace(canvas, ada) == ["hello", "again"]
    assert (trace(canvas, bob), journey(bob).exit_reason) == (["hello"], "not_sent")
    conserve(canvas)
