"""Correct under fire: workers killed anywhere, at once and twice; people, events and edits in between."""

import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from audience import erasure
from audience.models import Profile
from canvas import counts, editing, engine, launch, lifecycle, live, people, publishing, store, watchdog
from canvas.models import CanvasVersion, Journey, Kind, Path, StepVisit
from outreach.models import Enrolment
from tests.canvas.test_reference import conserve
from tests.canvas.world import (
    DAY,
    HOUR,
    MINUTE,
    SECOND,
    S,
    action_paths,
    build,
    delay,
    deliver,
    dispatch,
    event,
    go_live,
    happens,
    has,
    journey,
    let_in,
    message,
    run,
    split,
    step_named,
    trace,
)
from tests.conftest import NOON, wait_until
from tests.factories import ProfileFactory
from tests.parallel import in_parallel
from webhooks.models import Message

pytestmark = pytest.mark.django_db(transaction=True)


class Killed(BaseException):
    """The worker is gone: nothing catches this."""


@contextmanager
def killed_after(statements: int) -> Iterator[list[int]]:
    """Die before the statement of this number. The list counts those that were made."""
    made = [0]

    def count(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        if made[0] >= statements:
            raise Killed
        made[0] += 1
        return execute(sql, params, many, context)

    with connection.execute_wrapper(count):
        yield made


def everything() -> Any:
    """A Canvas with a step of each way of moving: sending, waiting, rendering, splitting, acting."""
    update = S(Kind.USER_UPDATE, "note", {"mode": "form", "changes": [_change("seen", "increase", "1")]})
    variable = {"name": "n", "type": "number", "template": "{{ 1 | plus: 1 }}"}
    context = S(Kind.CONTEXT, "work out", {"variables": [variable]})
    pro, free = [message("pro"), S(Kind.EXIT, "out", {"label": "bought"})], [message("free")]
    rest = [split("pro?", has("plan", "pro"), pro, free)]
    buys = action_paths("buys?", ([event("order")], [message("thanks")]), rest=rest)
    return build([message("hello"), update, context, delay("wait"), buys])


def _change(attribute: str, action: str, value: str) -> dict[str, str]:
    return {"attribute": attribute, "action": action, "value": value}


def crowd(count: int) -> list[Profile]:
    return [ProfileFactory(custom_attributes={"plan": "pro" if n % 2 else "free"}) for n in range(count)]


def assert_once() -> None:
    """Each journey once through each step, and one message for each visit and webhook."""
    assert not [n for n in Counter(StepVisit.objects.values_list("journey", "step")).values() if n > 1]
    assert not [n for n in Counter(Message.objects.values_list("cause", "slot")).values() if n > 1]


# --- killed, twice, at once


def test_killed_before_any_statement_a_worker_has_done_nothing_or_all_of_it():
    """Journeys are moved one at a time, and the worker dies before its first, second, third … statement in turn."""
    everybody = crowd(24)
    canvas = go_live(everything())
    let_in(canvas, *everybody)
    deaths = 0
    for now in (NOON, NOON + MINUTE, NOON + DAY + MINUTE, NOON + 3 * DAY):
        if now == NOON + DAY + MINUTE:
            run(now - MINUTE)
            happens(everybody[0], "order", now)
        for _turn in range(2_000):
            try:
                with killed_after(1 + deaths % 41):
                    moved = [engine.move(step, lambda: now, 1) for step in engine.due_steps(now)]  # noqa: B023
                    moved.append(deliver(now))
            except Killed:
                deaths += 1
                Journey.objects.filter(state="in_step").update(wake_at=now)  # the lease of the dead runs out
                # An answer wakes by the real clock; the dead may not have come to setting it back.
                Journey.objects.filter(state="sending", wake_at__isnull=False).update(wake_at=now)
                if deaths % 20 == 0:
                    conserve(canvas)
                    assert_once()
            else:
                if not any(moved):
                    break
    assert deaths > 100, deaths
    run(NOON + 3 * DAY)
    run(NOON + 5 * DAY)
    assert [journey(each).state for each in everybody] == ["completed"] * 24
    assert trace(canvas, everybody[0]) == ["hello", "note", "work out", "wait", "buys?", "thanks"]
    assert trace(canvas, everybody[1]) == ["hello", "note", "work out", "wait", "buys?", "pro?", "pro", "out"]
    assert {each.custom_attributes["seen"] for each in Profile.objects.all()} == {1}
    conserve(canvas)
    assert_once()


def test_four_workers_at_once_move_each_journey_once():
    everybody = crowd(60)
    canvas = go_live(everything())
    let_in(canvas, *everybody)
    for now in (NOON, NOON + MINUTE, NOON + DAY + MINUTE, NOON + 3 * DAY, NOON + 4 * DAY):
        for _round in range(3):
            in_parallel([lambda: engine.run(lambda: now)] * 4)  # noqa: B023 - joined before it changes
            deliver(now)
        conserve(canvas)
    run(NOON + 5 * DAY)
    assert set(Journey.objects.values_list("state", flat=True)) == {"completed"}
    assert_once()
    for each in everybody:
        plan = each.custom_attributes["plan"]
        end = ["pro", "out"] if plan == "pro" else ["free"]
        assert trace(canvas, each) == ["hello", "note", "work out", "wait", "buys?", "pro?", *end]


def test_a_worker_that_is_late_with_what_it_rendered_changes_nothing():
    """It leased, was held up past its lease, another one moved the journey on."""
    ada = ProfileFactory(custom_attributes={"plan": "free"})
    canvas = go_live(everything())
    let_in(canvas, ada)
    run(NOON)
    ada.refresh_from_db()
    assert ada.custom_attributes["seen"] == 1
    stale = {journey(ada).pk: journey(ada).token - 1}
    here = live.of([canvas.pk])[canvas.pk]
    assert engine._move(here, lambda: store.lock_these(stale), lambda: NOON, {}, {}) == 0
    assert trace(canvas, ada) == ["hello", "note", "work out", "wait"]


@pytest.mark.processes
def test_real_workers_killed_again_and_again_deliver_each_step_once(sink, workers):
    everybody = crowd(40)
    canvas = build(
        [message("one"), delay("a", unit="seconds"), message("two"), delay("b", unit="seconds"), message("three")],
        url=f"{sink.url}/hook",
    )
    launch.start(canvas, timezone.now())
    let_in(canvas, *everybody, now=timezone.now())
    chance = random.Random(7)
    for _death in range(4):
        workers.start("canvas", "deliver", DELIVER_HOST_WINDOW="4", LEASE_SECONDS="100")
        workers.start("canvas", "deliver", DELIVER_HOST_WINDOW="4", LEASE_SECONDS="100")
        wait_until(lambda: sink.received, "nothing arrived")
        threading.Event().wait(chance.uniform(0.3, 1.0))
        workers.kill()
        conserve(canvas)
        Message.objects.filter(finished_at=None).update(leased_until=None)  # the leases of the dead run out
    workers.start("canvas", "deliver")
    wait_until(lambda: not Journey.objects.filter(ended_at=None).exists(), "not everybody came through", 60)
    conserve(canvas)
    assert_once()
    told = Counter((request.json()["name"], request.json()["step"]) for request in sink.received)
    assert {step for _name, step in told} == {"one", "two", "three"}
    ids: dict[str, set[str]] = {}
    for request in sink.received:
        ids.setdefault(request.headers["webhook-id"], set()).add(request.json()["step"])
    assert len(ids) == 3 * len(everybody)  # a repeated request repeats its id
    assert all(len(steps) == 1 for steps in ids.values())


# --- events


@pytest.mark.parametrize("_again", range(8))
def test_an_event_in_the_second_of_the_deadline_takes_one_path_once(_again):
    everybody = crowd(6)
    canvas = go_live(build([action_paths("buys?", ([event("order")], [message("thanks")]), rest=[message("nudge")])]))
    let_in(canvas, *everybody)
    run(NOON)
    turn = iter(("events", "engine"))
    lock = threading.Lock()

    def race() -> None:
        with lock:
            mine = next(turn)
        if mine == "engine":
            engine.run(lambda: NOON + DAY)
        else:
            for each in everybody:
                happens(each, "order", NOON + DAY)

    in_parallel([race] * 2)
    run(NOON + DAY)
    for each in everybody:
        assert trace(canvas, each) in (["buys?", "thanks"], ["buys?", "nudge"])
    conserve(canvas)
    assert_once()


def test_an_event_of_that_second_that_was_stored_before_counts():
    ada = ProfileFactory()
    canvas = go_live(build([action_paths("buys?", ([event("order")], [message("thanks")]), rest=[message("nudge")])]))
    let_in(canvas, ada)
    run(NOON)
    happens(ada, "order", NOON + DAY)
    run(NOON + DAY)
    assert trace(canvas, ada) == ["buys?", "thanks"]


def test_an_event_ends_only_the_journey_of_its_order():
    ada = ProfileFactory()
    same = {"name": "order_id", "op": "same_as", "source": "context", "other": "order_id"}
    canvas = go_live(
        build(
            [delay("wait"), message("hello")],
            version={"exit_events": [event("paid", same)]},
            entry="action",
            triggers=[event("cart")],
            reentry="after",
            reentry_seconds=0,
        )
    )
    happens(ada, "cart", NOON + SECOND, order_id=1)
    happens(ada, "cart", NOON + 2 * SECOND, order_id=2)
    run(NOON + 2 * SECOND)
    happens(ada, "paid", NOON + HOUR, order_id=1)
    run(NOON + HOUR)
    run(NOON + 2 * DAY)
    ended = {j.context["order_id"]: (j.state, j.exit_reason) for j in Journey.objects.all()}
    assert ended == {1: ("exited", "exit_event"), 2: ("completed", "")}
    assert Message.objects.count() == 1
    conserve(canvas)


def test_of_two_journeys_at_an_action_path_the_earlier_takes_the_action():
    ada = ProfileFactory()
    buys = action_paths("buys?", ([event("order")], [message("thanks")]))
    canvas = go_live(build([buys], reentry="after", reentry_seconds=0))
    let_in(canvas, ada, source="a")
    let_in(canvas, ada, now=NOON + MINUTE, source="b")
    run(NOON + MINUTE)
    happens(ada, "order", NOON + HOUR)
    run(NOON + HOUR)
    first, second = Journey.objects.order_by("pk")
    assert (first.state, second.exit_reason) == ("completed", "deduplicated")
    assert Message.objects.count() == 1
    conserve(canvas)


# --- people


def test_a_deleted_profile_leaves_at_once_and_totals_stay():
    ada, bob = crowd(2)
    canvas = go_live(build([message("hello"), delay("wait", count=700), message("again")]))
    let_in(canvas, ada, bob, secret="x")
    run(NOON)
    before = counts.by_step(canvas.pk)
    erasure.erase([ada.pk])
    run(timezone.now())
    after = counts.by_step(canvas.pk)
    for step in before:
        same = ("entered", "sent", "proceeded")
        assert [after[step][name] for name in same] == [before[step][name] for name in same]
    gone = Journey.objects.get(profile=ada.pk)
    assert (gone.state, gone.exit_reason, gone.context) == ("exited", "user_deleted", None)
    assert journey(bob).state == "waiting"
    conserve(canvas)


def test_a_profile_deleted_while_its_step_is_rendered_leaves():
    ada = ProfileFactory()
    canvas = go_live(everything())
    let_in(canvas, ada)
    engine.run(lambda: NOON)
    deliver(NOON)
    Profile.objects.filter(pk=ada.pk).delete()
    run(NOON)
    assert Journey.objects.get(profile=ada.pk).exit_reason == "user_deleted"
    conserve(canvas)


def test_a_merged_profile_goes_on_where_it_was():
    ada, bob = crowd(2)
    canvas = go_live(build([delay("wait"), message("hello")]))
    let_in(canvas, ada)
    run(NOON)
    before = journey(ada)
    people.merge(ada.pk, bob.pk, NOON + HOUR)
    Profile.objects.filter(pk=ada.pk).delete()
    after = journey(bob)
    assert (after.pk, after.step_id, after.wake_at) == (before.pk, before.step_id, before.wake_at)
    run(NOON + DAY)
    assert Message.objects.get().profile_id == bob.pk
    assert Enrolment.objects.filter(profile=bob).count() == 1
    conserve(canvas)


def test_a_merged_profile_is_not_twice_in_a_canvas_that_allows_it_once():
    ada, bob = crowd(2)
    canvas = go_live(build([delay("wait"), message("hello")]))
    let_in(canvas, ada, source="a")
    let_in(canvas, bob, now=NOON + MINUTE, source="b")
    run(NOON + MINUTE)
    people.merge(ada.pk, bob.pk, NOON + HOUR)
    run(NOON + HOUR)
    assert sorted(Journey.objects.values_list("exit_reason", flat=True)) == ["", "user_merged"]
    run(NOON + 2 * DAY)
    assert Message.objects.count() == 1
    conserve(canvas)


# --- edits under waiting journeys


def draft_of(canvas: Any) -> CanvasVersion:
    return publishing.draft_of(canvas)


def way_out(canvas: Any, name: str) -> Path:
    return Path.objects.get(version=draft_of(canvas), step=step_named(canvas, name), key=0)


def test_a_message_put_behind_a_delay_reaches_all_who_wait_there_once():
    everybody = crowd(50)
    canvas = go_live(build([delay("wait"), message("last")]))
    let_in(canvas, *everybody)
    run(NOON)
    draft = draft_of(canvas)
    editing.add_step(draft, Kind.MESSAGE, way_out(canvas, "wait"), "new")
    content = draft.revisions.get(name="new").contents.get()
    content.url = "https://example.com/new"
    content.save()
    launch.republish(canvas, NOON + HOUR)
    run(NOON + DAY)
    assert {tuple(trace(canvas, each)) for each in everybody} == {("wait", "new", "last")}
    assert Message.objects.count() == 100
    conserve(canvas)
    assert_once()


def test_who_waits_in_a_deleted_delay_goes_where_the_answer_says():
    stays, leaves = crowd(2)
    canvas = go_live(build([delay("wait"), message("hello")]))
    let_in(canvas, stays)
    run(NOON)
    wait = step_named(canvas, "wait")
    editing.remove_step(draft_of(canvas), wait)
    launch.republish(canvas, NOON + HOUR, answers={wait: (publishing.LEAVE, None)})
    run(NOON + HOUR)
    assert journey(stays).exit_reason == "step_deleted"
    let_in(canvas, leaves, now=NOON + 2 * HOUR)
    run(NOON + 2 * HOUR)
    assert trace(canvas, leaves) == ["hello"]
    conserve(canvas)


def test_a_step_moved_behind_a_waiting_journey_is_not_visited_twice():
    ada = ProfileFactory()
    canvas = go_live(build([message("a"), delay("wait"), message("b")]))
    let_in(canvas, ada)
    run(NOON)
    draft = draft_of(canvas)
    editing.move_step(draft, step_named(canvas, "a"), way_out(canvas, "wait"))
    launch.republish(canvas, NOON + HOUR)
    run(NOON + DAY)
    assert trace(canvas, ada) == ["a", "wait", "b"]
    conserve(canvas)


def test_new_wording_reaches_those_whose_message_was_not_sent_yet():
    ada = ProfileFactory()
    canvas = go_live(build([message("hello")]))
    let_in(canvas, ada)
    run(NOON, answer=None)
    revision = draft_of(canvas).revisions.get()
    new = revision.contents.get().copy(url="https://example.com/new")
    editing.save(revision, editing.Saved("hello", "", revision.settings), {0: new})
    launch.republish(canvas, NOON)
    assert Message.objects.get().content_id == new.pk
    run(NOON)
    assert journey(ada).state == "completed"


@pytest.mark.parametrize("is_deleted", [False, True])
def test_a_message_edited_or_deleted_while_people_wait_before_it_is_as_it_is_then(is_deleted):
    ada = ProfileFactory()
    canvas = go_live(build([delay("wait"), message("hello")]))
    let_in(canvas, ada)
    run(NOON)
    draft = draft_of(canvas)
    revision = draft.revisions.get(name="hello")
    if is_deleted:
        editing.remove_step(draft, revision.step_id)
    else:
        new = revision.contents.get().copy(url="https://example.com/new")
        editing.save(revision, editing.Saved("hello", "", revision.settings), {0: new})
    launch.republish(canvas, NOON + HOUR)
    run(NOON + DAY)
    assert trace(canvas, ada) == (["wait"] if is_deleted else ["wait", "hello"])
    assert [each.content.url for each in Message.objects.all()] == ([] if is_deleted else ["https://example.com/new"])
    assert journey(ada).state == "completed"
    conserve(canvas)


def test_a_switched_off_step_lets_those_who_wait_through_when_their_time_comes():
    ada = ProfileFactory()
    canvas = go_live(build([delay("wait"), message("off"), message("hello")]))
    let_in(canvas, ada)
    run(NOON)
    editing.change(draft_of(canvas).revisions.get(name="off"), is_disabled=True)
    launch.republish(canvas, NOON + HOUR)
    run(NOON + DAY)
    assert trace(canvas, ada) == ["wait", "off", "hello"]
    assert Message.objects.count() == 1
    conserve(canvas)


def test_a_removed_variant_lets_its_people_leave():
    ada = ProfileFactory()
    canvas = go_live(build([delay("wait"), message("hello")]))
    let_in(canvas, ada)
    run(NOON)
    Path.objects.filter(version=draft_of(canvas), variant__isnull=False).delete()
    publishing.publish(canvas, NOON)
    run(NOON + DAY)
    assert journey(ada).exit_reason == "variant_deleted"
    conserve(canvas)


# --- stopped, paused, down


@pytest.mark.parametrize(("resumed", "told"), [(10, ["wait", "hello"]), (60, ["wait"])])
def test_whose_time_passes_while_stopped_leaves(resumed, told):
    ada = ProfileFactory()
    canvas = go_live(build([delay("wait", unit="minutes", count=31), message("hello")]))
    let_in(canvas, ada)
    run(NOON)
    lifecycle.stop(canvas, NOON + MINUTE)
    run(NOON + resumed * MINUTE)
    lifecycle.resume(canvas, NOON + resumed * MINUTE)
    run(NOON + resumed * MINUTE)
    run(NOON + 2 * HOUR)
    assert trace(canvas, ada) == told
    assert journey(ada).exit_reason == ("" if resumed == 10 else "stopped_past_due")
    conserve(canvas)


def test_who_is_in_time_again_after_a_stop_gets_the_message_at_its_time():
    ada = ProfileFactory()
    canvas = go_live(build([delay("wait", unit="minutes", count=31), message("hello")]))
    let_in(canvas, ada)
    run(NOON)
    lifecycle.stop(canvas, NOON)
    lifecycle.resume(canvas, NOON + 10 * MINUTE)
    run(NOON + 31 * MINUTE - timedelta(seconds=1))
    assert trace(canvas, ada) == ["wait"]
    run(NOON + 31 * MINUTE)
    assert trace(canvas, ada) == ["wait", "hello"]


def test_whose_time_passed_while_stopped_leaves_also_if_no_engine_ran():
    ada, bob = crowd(2)
    canvas = go_live(build([delay("wait", unit="minutes", count=31), message("hello")]))
    let_in(canvas, ada)
    run(NOON)
    lifecycle.stop(canvas, NOON + MINUTE)
    lifecycle.resume(canvas, NOON + HOUR)
    let_in(canvas, bob, now=NOON + HOUR)
    run(NOON + HOUR)
    assert (journey(ada).state, journey(ada).exit_reason) == ("exited", "stopped_past_due")
    run(NOON + HOUR + 31 * MINUTE)
    assert (trace(canvas, ada), trace(canvas, bob)) == (["wait"], ["wait", "hello"])
    conserve(canvas)


def test_a_pause_moves_timers_on_by_its_length():
    ada = ProfileFactory()
    canvas = go_live(build([delay("wait", unit="minutes", count=31), message("hello")]))
    let_in(canvas, ada)
    run(NOON)
    lifecycle.pause(canvas, NOON)
    run(NOON + HOUR)
    lifecycle.resume(canvas, NOON + HOUR)
    run(NOON + HOUR + 30 * MINUTE)
    assert trace(canvas, ada) == ["wait"]
    run(NOON + HOUR + 31 * MINUTE)
    assert trace(canvas, ada) == ["wait", "hello"]
    conserve(canvas)


def test_our_own_downtime_loses_nobody_and_is_noted_as_lateness():
    ada = ProfileFactory()
    canvas = go_live(build([delay("wait", unit="minutes", count=61), message("hello")]))
    let_in(canvas, ada)
    run(NOON)
    run(NOON + 2 * HOUR)
    assert trace(canvas, ada) == ["wait", "hello"]
    assert StepVisit.objects.get(step=step_named(canvas, "wait")).late_seconds == 59 * 60
    assert journey(ada).state == "completed"


def test_stopping_over_and_over_never_sends_twice():
    everybody = crowd(10)
    canvas = go_live(build([message("a"), delay("wait", unit="hours"), message("b")]))
    let_in(canvas, *everybody)
    now = NOON
    for _turn in range(3):
        run(now)
        lifecycle.pause(canvas, now)
        now += 10 * MINUTE
        lifecycle.resume(canvas, now)
        conserve(canvas)
    run(now + HOUR)
    assert Message.objects.count() == 20
    assert_once()


# --- the watchdog


def test_a_journey_that_was_due_an_hour_ago_is_found():
    ada = ProfileFactory()
    canvas = go_live(build([delay("wait"), message("hello")]))
    let_in(canvas, ada)
    run(NOON)
    assert watchdog.overdue(NOON + DAY + timedelta(minutes=59)) == {}
    assert watchdog.overdue(NOON + DAY + HOUR + SECOND) == {canvas.pk: 1}
    lifecycle.pause(canvas, NOON + DAY + 2 * HOUR)
    assert watchdog.overdue(NOON + DAY + 2 * HOUR) == {}  # it is held on purpose
    lifecycle.resume(canvas, NOON + DAY + 2 * HOUR)
    run(NOON + DAY + 4 * HOUR)
    assert watchdog.overdue(NOON + 3 * DAY) == {}


def test_a_journey_whose_messages_ended_elsewhere_is_woken():
    ada = ProfileFactory()
    canvas = go_live(build([message("hello")]))
    let_in(canvas, ada)
    run(NOON, answer=None)
    Message.objects.update(finished_at=NOON, outcome="cancelled", reason="outreach_inactive")
    assert watchdog.wake_the_lost(NOON + HOUR) == 1
    run(NOON + HOUR)
    assert journey(ada).state == "completed"


def test_counts_that_do_not_add_up_are_found():
    ada = ProfileFactory()
    canvas = go_live(build([delay("wait"), message("hello")]))
    let_in(canvas, ada)
    run(NOON)
    assert watchdog.miscounted(canvas.pk) == {}
    Journey.objects.update(step_id=step_named(canvas, "hello"))
    assert set(watchdog.miscounted(canvas.pk)) == {step_named(canvas, "wait"), step_named(canvas, "hello")}
    dispatch(NOON)
