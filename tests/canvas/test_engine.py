from datetime import timedelta

import pytest

from canvas import counts
from canvas.models import Journey
from tests.canvas.world import (
    DAY,
    HOUR,
    SECOND,
    action_paths,
    audience_paths,
    becomes,
    build,
    delay,
    event,
    go_live,
    happens,
    has,
    journey,
    let_in,
    message,
    run,
    split,
    trace,
)
from tests.conftest import NOON
from tests.factories import ProfileFactory
from webhooks.models import FrozenRequest, Message

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_journey_goes_from_message_to_message_after_its_delay():
    ada = ProfileFactory()
    canvas = go_live(build([message("hello"), delay("wait"), message("again")]))
    let_in(canvas, ada)
    run(NOON)
    assert trace(canvas, ada) == ["hello", "wait"]
    run(NOON + DAY - SECOND)
    assert trace(canvas, ada) == ["hello", "wait"]
    run(NOON + DAY)
    assert trace(canvas, ada) == ["hello", "wait", "again"]
    assert journey(ada).state == "completed"
    assert Message.objects.count() == 2


def test_a_message_holds_the_journey_until_its_first_attempt():
    ada = ProfileFactory()
    canvas = go_live(build([message("hello"), delay("wait"), message("again")]))
    let_in(canvas, ada)
    run(NOON, answer=None)
    assert (journey(ada).state, trace(canvas, ada)) == ("sending", ["hello"])
    run(NOON, answer=503)
    assert trace(canvas, ada) == ["hello", "wait"]
    assert Message.objects.get().finished_at is None  # its retries go on


def test_advance_when_sent_waits_for_success_and_leaves_without_it():
    ada, bob = ProfileFactory.create_batch(2)
    canvas = go_live(build([message("hello", advance="sent"), message("again")]))
    let_in(canvas, ada)
    run(NOON, answer=503)
    assert trace(canvas, ada) == ["hello"]
    Message.objects.update(attempts=0, due_at=NOON)
    run(NOON + HOUR)
    assert trace(canvas, ada) == ["hello", "again"]
    let_in(canvas, bob, now=NOON + DAY)
    run(NOON + DAY, answer=404)
    assert (journey(bob).state, journey(bob).exit_reason) == ("exited", "not_sent")


def test_a_split_sends_each_its_way():
    pro, free = ProfileFactory(custom_attributes={"plan": "pro"}), ProfileFactory(custom_attributes={"plan": "free"})
    canvas = go_live(build([split("plan?", has("plan", "pro"), [message("thanks")], [message("offer")])]))
    let_in(canvas, pro, free)
    run(NOON)
    assert trace(canvas, pro) == ["plan?", "thanks"]
    assert trace(canvas, free) == ["plan?", "offer"]


def test_audience_paths_take_the_first_group_that_fits():
    both = ProfileFactory(custom_attributes={"plan": "pro", "vip": "yes"})
    canvas = go_live(
        build([audience_paths("who", (has("vip", "yes"), [message("vip")]), (has("plan", "pro"), [message("pro")]))])
    )
    let_in(canvas, both)
    run(NOON)
    assert trace(canvas, both) == ["who", "vip"]


def test_an_action_takes_its_path_at_once_and_nobody_else_does_at_the_end():
    ada, bob = ProfileFactory.create_batch(2)
    canvas = go_live(
        build([action_paths("buys?", ([event("order")], [message("thanks")]), rest=[message("come back")])])
    )
    let_in(canvas, ada, bob)
    run(NOON)
    happens(ada, "order", NOON + HOUR, number=7)
    run(NOON + HOUR)
    assert trace(canvas, ada) == ["buys?", "thanks"]
    assert journey(ada).event_properties == {"number": 7}
    assert trace(canvas, bob) == ["buys?"]
    run(NOON + DAY)
    assert trace(canvas, bob) == ["buys?", "come back"]


def test_an_unranked_window_takes_the_first_action_a_ranked_one_the_best_at_the_end():
    ada, bob = ProfileFactory.create_batch(2)
    groups = (([event("buy")], [message("bought")]), ([event("visit")], [message("visited")]))
    first, ranked = (go_live(build([action_paths("what", *groups, ranked=r)], name=str(r))) for r in (False, True))
    let_in(first, ada)
    let_in(ranked, bob)
    run(NOON)
    for profile in (ada, bob):
        happens(profile, "visit", NOON + HOUR)
        happens(profile, "buy", NOON + 2 * HOUR)
    run(NOON + 2 * HOUR)
    assert trace(first, ada) == ["what", "visited"]
    assert trace(ranked, bob) == ["what"]
    run(NOON + DAY)
    assert trace(ranked, bob) == ["what", "bought"]


def test_an_exit_event_ends_the_journey_at_once_or_at_the_end_of_the_step():
    ada, bob = ProfileFactory.create_batch(2)
    steps = [delay("wait", count=30), message("late")]
    at_once = go_live(build(steps, version={"exit_events": [event("order")]}))
    at_end = go_live(build(steps, version={"exit_events": [event("order")], "exits_at_once": False}))
    let_in(at_once, ada)
    let_in(at_end, bob)
    run(NOON)
    for profile in (ada, bob):
        happens(profile, "order", NOON + DAY)
    run(NOON + DAY)
    assert journey(ada).exit_reason == "exit_event"
    assert journey(bob).state == "waiting"
    run(NOON + 30 * DAY)
    assert (journey(bob).exit_reason, journey(bob).ended_at) == ("exit_event", NOON + 30 * DAY)
    assert not Message.objects.exists()


def test_an_exit_cancels_retries_and_forgets_their_requests():
    ada = ProfileFactory()
    steps = [message("hello"), delay("wait", count=30), message("late")]
    canvas = go_live(build(steps, version={"exit_events": [event("order")]}))
    let_in(canvas, ada)
    run(NOON, answer=503)
    assert FrozenRequest.objects.count() == 1
    happens(ada, "order", NOON + HOUR)
    run(NOON + HOUR, answer=None)
    assert Message.objects.values_list("outcome", "reason").get() == ("cancelled", "journey_ended")
    assert not FrozenRequest.objects.exists()


def test_an_exit_audience_is_asked_at_each_boundary():
    ada = ProfileFactory()
    canvas = go_live(build([delay("wait"), message("late")], version={"exit_audience": has("plan", "pro")}))
    let_in(canvas, ada)
    run(NOON)
    becomes(ada, NOON + HOUR, plan="pro")
    run(NOON + HOUR)
    assert journey(ada).state == "waiting"
    run(NOON + DAY)
    assert journey(ada).exit_reason == "exit_audience"


def test_the_step_audience_is_asked_after_the_delay():
    ada, bob = ProfileFactory.create_batch(2)
    schedule = {"mode": "after", "count": 2, "unit": "hours"}
    canvas = go_live(build([message("cart", schedule=schedule, audience=has("cart", "full")), message("next")]))
    let_in(canvas, ada, bob)
    run(NOON)
    becomes(ada, NOON + HOUR, cart="full")
    run(NOON + 2 * HOUR)
    assert trace(canvas, ada) == ["cart", "next"]
    assert journey(bob).exit_reason == "step_audience_not_matched"


def test_an_exception_event_counts_only_while_waiting_for_its_step():
    ada, bob = ProfileFactory.create_batch(2)
    schedule = {"mode": "after", "count": 2, "unit": "hours"}
    canvas = go_live(
        build(
            [
                delay("first"),
                message("cart", schedule=schedule, exceptions=[event("order")]),
                delay("end", holds_at_end=True),
            ]
        )
    )
    let_in(canvas, ada, bob)
    run(NOON)
    happens(bob, "order", NOON + HOUR)  # too early to matter
    run(NOON + DAY)
    happens(ada, "order", NOON + DAY + HOUR)
    run(NOON + DAY + 2 * HOUR)
    assert journey(ada).exit_reason == "exception_event"
    assert trace(canvas, bob) == ["first", "cart", "end"]


def test_a_final_delay_holds_nobody_unless_told_to():
    ada, bob = ProfileFactory.create_batch(2)
    through = go_live(build([message("hello"), delay("wait")]))
    held = go_live(build([message("hello"), delay("wait", holds_at_end=True)]))
    let_in(through, ada)
    let_in(held, bob)
    run(NOON)
    assert journey(ada).state == "completed"
    assert journey(bob).state == "waiting"


def test_a_date_that_has_passed_ends_the_journey():
    ada = ProfileFactory()
    canvas = build([delay("until", mode="date", date="2026-05-08", at="10:00"), message("late")])
    go_live(canvas)
    let_in(canvas, ada, now=NOON + 3 * DAY)
    run(NOON + 3 * DAY)
    assert journey(ada).exit_reason == "delay_in_past"


def test_local_delays_end_at_each_profiles_own_time():
    seoul, york = ProfileFactory(time_zone="Asia/Seoul"), ProfileFactory(time_zone="America/New_York")
    canvas = go_live(build([delay("until", mode="days", count=1, at="09:00", zone="local"), message("morning")]))
    let_in(canvas, seoul, york)
    run(NOON)
    assert journey(seoul).wake_at.isoformat() == "2026-05-07T00:00:00+00:00"
    assert journey(york).wake_at.isoformat() == "2026-05-07T13:00:00+00:00"


def test_counts_add_up_at_every_moment():
    people = ProfileFactory.create_batch(12)
    for number, profile in enumerate(people):
        profile.custom_attributes = {"plan": "pro" if number % 3 else "free"}
        profile.save()
    canvas = go_live(
        build([message("hello"), delay("wait"), split("pro?", has("plan", "pro"), [delay("more"), message("end")])])
    )
    let_in(canvas, *people)
    for moment in (NOON, NOON + HOUR, NOON + DAY, NOON + 2 * DAY):
        run(moment)
        assert_counts_add_up(canvas)


def assert_counts_add_up(canvas) -> None:
    totals = counts.by_step(canvas.pk)
    for step, figures in totals.items():
        if step:
            inside = Journey.objects.filter(canvas=canvas, step_id=step, ended_at=None).exclude(state="entering")
            assert figures["waiting"] == inside.count()
        else:
            live = Journey.objects.filter(canvas=canvas, ended_at=None).count()
            assert figures["entered"] == figures["completed"] + figures["exited"] + figures["stuck"] + live


def test_queries_do_not_grow_with_journeys(django_assert_max_num_queries):
    people = ProfileFactory.create_batch(60)
    canvas = go_live(build([delay("wait"), split("pro?", has("plan", "pro"), [message("a")], [message("b")])]))
    let_in(canvas, *people)
    run(NOON)
    with django_assert_max_num_queries(45):
        run(NOON + timedelta(days=1), answer=None)
    assert Message.objects.count() == 60
