"""Events reach their reactions: once, in order, and one that fails holds up its own profile alone."""

import threading
import time
from collections import Counter
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from audience import dispatch, filters, reactions
from audience.ingest import track
from audience.models import Alias, CustomEvent, PendingEvent, Profile, Purchase
from audience.reactions import Phase
from tests.conftest import NOON, wait_until
from tests.factories import ProfileFactory
from tests.parallel import in_parallel

pytestmark = pytest.mark.django_db(transaction=True)


def pend(profile: Profile, *names: str, now=NOON) -> list[PendingEvent]:
    return PendingEvent.objects.bulk_create(
        PendingEvent(profile=profile, kind="event", name=name, occurred_at=now, received_at=now, due_at=now)
        for name in names
    )


def run(now=NOON) -> int:
    return dispatch.run(lambda: now, lambda: False)


def test_each_event_of_a_profile_takes_effect_in_order_and_in_a_batch_of_its_own(reacting):
    ada, ben = ProfileFactory.create_batch(2)
    pend(ada, "a1", "a2")
    pend(ben, "b1")
    pend(ada, "a3")
    assert run() == 4
    assert reacting.names(ada.pk) == ["a1", "a2", "a3"]
    assert [sorted(name for _, name in batch) for batch in reacting.batches] == [["a1", "b1"], ["a2"], ["a3"]]
    assert not PendingEvent.objects.exists()


def test_what_is_tracked_is_pending_until_it_is_reacted_to(reacting):
    track(events=[{"external_id": "ada", "name": "visited", "time": NOON.isoformat()}], now=NOON)
    assert PendingEvent.objects.get().name == "visited"
    run()
    assert reacting.names(Profile.objects.get().pk) == ["visited"]


def test_phases_come_in_their_order_whoever_registered_first(alone):
    seen = []
    for phase in (Phase.ENTRIES, Phase.CONVERSIONS, Phase.ACTION_PATHS, Phase.EXITS, Phase.EXCEPTIONS):
        reactions.add_reaction(phase, lambda events, now, phase=phase: seen.append(phase))
    pend(ProfileFactory(), "visited")
    run()
    assert seen == sorted(Phase)


def test_a_reaction_that_fails_holds_up_its_own_profile_alone(reacting, caplog):
    reacting.fails_for = {"bad"}
    people = ProfileFactory.create_batch(20)
    for person in people:
        pend(person, "bad" if person is people[7] else "good", "next")
    run()
    assert all(reacting.names(person.pk) == ["good", "next"] for person in people if person is not people[7])
    assert reacting.names(people[7].pk) == []
    failed, waiting = PendingEvent.objects.order_by("pk")
    assert (failed.attempts, failed.error) == (1, "ValueError: can't take bad")
    assert failed.due_at == NOON + timedelta(seconds=2)
    assert (waiting.name, waiting.attempts, waiting.due_at) == ("next", 0, failed.due_at)
    assert [record.levelname for record in caplog.records] == ["ERROR"]


def test_a_failed_event_is_tried_again_and_then_the_rest_follows_in_order(reacting):
    reacting.fails_for = {"bad"}
    ada = ProfileFactory()
    pend(ada, "bad", "next")
    run()
    pend(ada, "newest")  # due at once, and yet it waits for those before it
    assert run() == 0
    reacting.fails_for = set()
    run(NOON + timedelta(seconds=2))
    assert reacting.names(ada.pk) == ["bad", "next", "newest"]


def test_the_effects_of_a_failed_event_are_undone(reacting):
    reactions.add_reaction(
        Phase.CONVERSIONS, lambda events, now: Alias.objects.create(profile=events[0].profile, label="x", name="x")
    )
    reacting.fails_for = {"bad"}
    pend(ProfileFactory(), "bad")
    run()
    assert not Alias.objects.exists()


def test_waits_grow_to_an_hour_and_go_on_for_ever():
    waits = [dispatch.retry_wait(attempts) for attempts in (1, 2, 3, 6, 7, 40_000)]
    assert waits == sorted(waits)
    assert waits[-1] == waits[-2] == timedelta(hours=1)


def test_the_history_a_reaction_sees_ends_before_its_event(alone):
    """Two first purchases in one request: the first of them is the first one."""
    never = {"filter": "purchase_count", "op": "exactly", "value": 0}
    entered = []

    def enter(events, now):
        who = filters.compile_tree(never, now, reactions.unseen(events))
        entered.extend(Profile.objects.filter(who, pk__in=[event.profile_id for event in events]))

    reactions.add_reaction(Phase.ENTRIES, enter)
    reactions.add_listener(lambda occurred: occurred)
    bought = {"external_id": "ada", "product_id": "hat", "currency": "USD", "price": 5, "time": NOON.isoformat()}
    track(purchases=[bought, bought | {"product_id": "shoes"}], now=NOON)
    run()
    assert Purchase.objects.count() == 2
    assert [profile.external_id for profile in entered] == ["ada"]


def test_a_stop_ends_the_run_between_batches(reacting):
    pend(ProfileFactory(), "visited")
    assert dispatch.run(lambda: NOON, lambda: True) == 0
    assert PendingEvent.objects.exists()


def test_a_run_ends_at_its_time_while_events_keep_coming_and_the_next_one_goes_on(reacting):
    ada = ProfileFactory()

    def somebody_is_busy() -> bool:
        pend(ada, "again")
        return False

    began = time.monotonic()
    first = dispatch.run(lambda: NOON, somebody_is_busy, seconds=0.3)
    assert time.monotonic() - began < 3
    pend(ada, "last")
    assert first + run() == len(reacting.names(ada.pk)) > 2
    assert reacting.names(ada.pk)[-1] == "last"
    assert not PendingEvent.objects.exists()


def test_a_batch_costs_the_same_few_statements_whatever_its_size(reacting, django_assert_num_queries):
    for person in ProfileFactory.create_batch(50):
        pend(person, "visited")
    with django_assert_num_queries(8):  # look, begin, heads, savepoint, delete, release, followers, commit
        dispatch.dispatch_batch(NOON)


def test_dispatchers_side_by_side_react_once_to_each_and_never_two_at_once_to_one_profile(reacting):
    lock, inside, clashes = threading.Lock(), Counter(), []

    def watch(events, now):
        keys = [event.profile_id for event in events]
        with lock:
            clashes.extend(key for key in keys if inside[key])
            inside.update(keys)
        time.sleep(0.002)
        with lock:
            inside.subtract(keys)

    reactions.add_reaction(Phase.CONVERSIONS, watch)
    people = ProfileFactory.create_batch(60)
    for turn in range(5):
        for person in people:
            pend(person, f"e{turn}")
    in_parallel([run] * 4)
    wait_until(lambda: run() == 0, "there is no end", 10)
    assert clashes == []
    assert all(reacting.names(person.pk) == [f"e{turn}" for turn in range(5)] for person in people)
    assert not PendingEvent.objects.exists()


def test_events_that_arrive_while_dispatchers_run_are_all_reacted_to(reacting):
    numbers = iter(range(1_000))

    def work():
        for _ in range(20):
            name = f"e{next(numbers)}"
            events = [{"external_id": f"p{n}", "name": name, "time": NOON.isoformat()} for n in range(10)]
            track(events=events, now=timezone.now())
            run(timezone.now())

    ProfileFactory.create_batch(10)
    for n in range(10):
        ProfileFactory(external_id=f"p{n}")
    in_parallel([work] * 3)
    wait_until(lambda: run(timezone.now()) == 0 and not PendingEvent.objects.exists(), "events were left", 10)
    seen = Counter(pair for batch in reacting.batches for pair in batch)
    assert len(seen) == CustomEvent.objects.count() == 600
    assert set(seen.values()) == {1}


def test_a_locked_profile_is_passed_over(reacting):
    if not connection.features.has_select_for_update_skip_locked:
        pytest.skip("SQLite has one writer at a time")
    ada, ben = ProfileFactory.create_batch(2)
    held, _ = pend(ada, "held", "behind")
    pend(ben, "free")
    with transaction.atomic():
        PendingEvent.objects.select_for_update().get(pk=held.pk)
        in_parallel([run] * 1)
    assert [name for batch in reacting.batches for _, name in batch] == ["free"]
    assert run() == 2


def test_a_profile_with_a_huge_backlog_does_not_hold_up_the_others(reacting):
    pend(ProfileFactory(), *["flood"] * 3_000)
    ada = ProfileFactory()
    pend(ada, "visited")
    dispatch.dispatch_batch(NOON)
    assert reacting.names(ada.pk) == ["visited"]


@pytest.mark.processes
class TestProcesses:
    ENVIRONMENT = {"DJANGO_SETTINGS_MODULE": "tests.audience.reacting.settings", "LOG_LEVEL": "INFO"}

    def test_a_dispatcher_killed_between_effects_and_deletion_repeats_neither(self, workers, tmp_path):
        people = ProfileFactory.create_batch(30)
        for person in people:
            pend(person, "e1", "e2", now=timezone.now())
        flag = tmp_path / "kill"
        flag.touch()
        first = workers.start("events", KILL_ONCE=str(flag), **self.ENVIRONMENT)
        assert first.wait(20) == -9
        assert not Alias.objects.exists()
        assert PendingEvent.objects.count() == 60
        workers.start("events", **self.ENVIRONMENT)
        wait_until(lambda: not PendingEvent.objects.exists(), "events were lost")
        assert Alias.objects.count() == 60

    def test_an_event_is_reacted_to_because_of_its_wake_and_not_of_a_later_look(self, workers, alone):
        """A worker that looked by itself only every ten minutes reacts at once. (benchmarks/api.py says how fast.)"""
        reactions.add_listener(lambda occurred: occurred)
        workers.start("events", LOOK_EVERY="600", **self.ENVIRONMENT)
        for number in range(6):  # the first one may be found by the look with which a worker starts
            Alias.objects.all().delete()
            now = timezone.now()
            track(events=[{"external_id": "ada", "name": f"e{number}", "time": now.isoformat()}], now=now)
            wait_until(Alias.objects.exists, "no reaction")


def test_an_operator_sees_what_failed_and_has_it_tried_again(reacting, admin_client):
    reacting.fails_for = {"bad"}
    event = pend(ProfileFactory(), "bad")[0]
    run()
    url = "/admin/audience/pendingevent/"
    assert "can&#x27;t take bad" in admin_client.get(url).content.decode()
    reacting.fails_for = set()
    answer = admin_client.post(url, {"action": "try_again", "_selected_action": [event.pk]}, follow=True)
    assert "1 event is tried again." in answer.content.decode()
    assert run(timezone.now()) == 1
