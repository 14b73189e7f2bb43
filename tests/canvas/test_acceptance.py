"""The acceptance scenarios of the Canvas specification that no other test tells, and bad input at run time."""

from datetime import UTC, datetime, time, timedelta
from functools import partial
from zoneinfo import ZoneInfo

import pytest

from audience.ingest.track import track
from audience.models import Segment
from canvas import counts, entry, lifecycle
from canvas.counts import StepMetric
from canvas.models import Canvas, Journey, Kind
from outreach import arms
from outreach.delays import Delay, Mode, due_at
from outreach.models import Enrolment, Variant
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
    event,
    forget_graphs,
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
from tests.conftest import NOON
from tests.factories import ProfileFactory, SegmentFactory
from tests.parallel import in_parallel
from webhooks.models import Message
from workspace.models import Workspace

pytestmark = pytest.mark.django_db(transaction=True)


def refused(canvas: Canvas) -> dict[str, int]:
    return {reason: n for (_step, reason), n in counts.reasons(canvas.pk, StepMetric.REFUSED).items()}


def on_event(**values: object) -> Canvas:
    """A Canvas that a cart lets in, with a delay and a message."""
    return go_live(build([delay("wait"), message("hello")], entry="action", triggers=[event("cart")], **values))


# --- sending and going on


@pytest.mark.parametrize(("advance", "ends"), [("everyone", ""), ("sent", "not_sent")])
def test_six_errors_in_a_row_hold_only_those_who_must_have_received(advance, ends):
    ada = ProfileFactory()
    canvas = go_live(build([message("hello", advance=advance), delay("wait"), message("again")]))
    let_in(canvas, ada)
    run(NOON, answer=500)
    first = trace(canvas, ada)
    for attempt in range(2, 7):
        assert Message.objects.get(finished_at=None).attempts == attempt - 1
        Message.objects.filter(finished_at=None).update(due_at=NOON)  # it is tried again by the real clock
        run(NOON + attempt * MINUTE, answer=500)
    failed = Message.objects.get(outcome="failed")
    assert (failed.attempts, failed.last_status) == (6, 500)
    assert first == (["hello", "wait"] if advance == "everyone" else ["hello"])
    assert journey(ada).exit_reason == ends
    step = step_named(canvas, "hello")
    assert sum(n for (at, _why), n in counts.reasons(canvas.pk, StepMetric.NOT_SENT).items() if at == step) == 1
    conserve(canvas)


def test_an_exit_filter_about_the_last_hour_is_asked_at_the_boundary_only():
    ada = ProfileFactory()
    recent = {"filter": "purchase_last", "op": "less_than_days_ago", "days": 1}
    canvas = go_live(build([delay("wait", count=3), message("hello")], version={"exit_audience": {"filters": recent}}))
    let_in(canvas, ada)
    run(NOON)
    bought = {"braze_id": str(ada.braze_id), "product_id": "shoe", "currency": "USD", "price": 1}
    track(purchases=[{**bought, "time": (NOON + HOUR).isoformat()}], now=NOON + HOUR)
    run(NOON + DAY)
    assert journey(ada).state == "waiting"
    run(NOON + 3 * DAY)
    assert trace(canvas, ada) == ["wait", "hello"]


# --- entering


def test_the_event_that_starts_a_journey_does_not_end_it():
    ada = ProfileFactory()
    canvas = on_event()
    canvas.versions.update(exit_events=[event("cart")])
    forget_graphs()
    happens(ada, "cart", NOON + MINUTE)
    run(NOON + MINUTE)
    assert journey(ada).state == "waiting"
    happens(ada, "cart", NOON + HOUR)
    run(NOON + HOUR)
    assert journey(ada).exit_reason == "exit_event"


def test_without_re_entry_a_second_trigger_is_refused_and_counted():
    ada = ProfileFactory()
    canvas = on_event()
    happens(ada, "cart", NOON + MINUTE)
    happens(ada, "cart", NOON + HOUR)
    assert (Journey.objects.count(), refused(canvas)) == (1, {"already_entered": 1})


@pytest.mark.parametrize(("later", "count"), [(DAY - SECOND, 1), (DAY, 2)])
def test_re_entry_after_a_day_is_to_the_second(later, count):
    ada = ProfileFactory()
    canvas = on_event(reentry="after", reentry_seconds=86_400)
    happens(ada, "cart", NOON + MINUTE)
    happens(ada, "cart", NOON + MINUTE + later)
    assert Journey.objects.count() == count
    assert refused(canvas) == ({} if count == 2 else {"re_entry_window": 1})


def test_five_triggers_in_one_second_are_one_journey():
    ada = ProfileFactory()
    canvas = on_event(reentry="after", reentry_seconds=0)
    for n in range(5):
        happens(ada, "cart", NOON + MINUTE + timedelta(milliseconds=100 * n), received=NOON + MINUTE, n=n)
    assert Journey.objects.count() == 1
    assert refused(canvas) == {"duplicate_second": 4}


def test_an_event_that_a_client_sends_again_a_second_later_lets_nobody_in_twice():
    ada = ProfileFactory()
    on_event(reentry="after", reentry_seconds=0)
    for later in (0, 1):
        happens(ada, "cart", NOON, received=NOON + MINUTE + timedelta(seconds=later), order="7")
    assert Journey.objects.count() == 1


def test_a_limit_holds_however_many_come_at_once():
    everybody = ProfileFactory.create_batch(80)
    canvas = go_live(build([delay("wait"), message("hello")], entry_limit=50, entry_cadence="day"))

    def come(some: list) -> None:
        for each in some:
            entry.enter(canvas.pk, [entry.Candidate(each.pk, f"call:{each.pk}")], NOON)

    in_parallel([partial(come, everybody[n::4]) for n in range(4)])
    assert Journey.objects.count() == 50
    assert refused(canvas) == {"capped": 30}


def test_a_daily_limit_opens_again_with_the_companys_day():
    people = ProfileFactory.create_batch(5)
    canvas = go_live(build([delay("wait")], entry_limit=1, entry_cadence="day"))
    zone = ZoneInfo("Asia/Seoul")
    Workspace.objects.update_or_create(pk=1, defaults={"time_zone": zone.key})
    midnight = datetime.combine(NOON.astimezone(zone).date() + DAY, time(), tzinfo=zone)
    moments = [NOON, midnight - timedelta(seconds=1), midnight, midnight + 23 * HOUR, midnight + 24 * HOUR]
    for person, moment in zip(people, moments, strict=True):
        let_in(canvas, person, now=moment, source=f"call:{person.pk}")
    let_in_at = {each.profile_id for each in Journey.objects.all()}
    assert let_in_at == {people[0].pk, people[2].pk, people[4].pk}
    assert refused(canvas) == {"capped": 2}


def test_entries_while_stopped_are_refused_and_counted():
    ada = ProfileFactory()
    canvas = on_event()
    lifecycle.stop(canvas, NOON)
    let_in(canvas, ada)
    assert not Journey.objects.exists()
    assert refused(canvas) == {"stopped": 1}


# --- variants


def test_shares_of_a_hundred_thousand_are_within_half_a_per_cent_and_stay():
    drawn = [arms.pick(n, 7, [30, 70]) for n in range(100_000)]
    assert abs(drawn.count(0) / 1_000 - 30) < 0.5
    assert drawn[:500] == [arms.pick(n, 7, [30, 70]) for n in range(500)]


def test_who_was_in_the_control_group_never_gets_a_message():
    everybody = ProfileFactory.create_batch(30)
    canvas = build([message("hello")], reentry="after", reentry_seconds=0)
    control = Variant.objects.create(outreach=canvas, name="control", is_control=True, share=50)
    canvas.variants.filter(is_control=False).update(share=50)
    go_live(canvas)
    let_in(canvas, *everybody)
    run(NOON)
    held = set(Enrolment.objects.filter(variant=control).values_list("profile_id", flat=True))
    assert 5 < len(held) < 25
    Variant.objects.filter(pk=control.pk).update(share=10)
    canvas.variants.filter(is_control=False).update(share=90)
    let_in(canvas, *everybody, now=NOON + DAY, source="run:2")
    run(NOON + DAY)
    assert not set(Message.objects.values_list("profile_id", flat=True)) & held
    conserve(canvas)


# --- values


def test_a_context_that_grows_too_large_keeps_what_fits():
    ada = ProfileFactory()
    sizes = (30, 19, 2)
    variables = [{"name": f"v{n}", "type": "text", "template": "x" * 1_024} for n in sizes]
    for variable, kilobytes in zip(variables, sizes, strict=True):
        variable["template"] = "{% assign a = '" + "x" * 1_024 + "' %}" + "{{ a }}" * kilobytes
    canvas = go_live(build([S(Kind.CONTEXT, "work out", {"variables": variables}), delay("wait"), message("hello")]))
    let_in(canvas, ada)
    run(NOON)
    assert set(journey(ada).context) == {"v30", "v19"}
    assert counts.by_step(canvas.pk)[step_named(canvas, "work out")]["not_updated"] == 1
    assert trace(canvas, ada) == ["work out", "wait"]


@pytest.mark.parametrize("value", ["green tea", "", None, True, [1], "2020-01-01", -3, 10**9])
@pytest.mark.parametrize("kind", ["duration", "date"])
@pytest.mark.parametrize(
    ("on_failure", "told"), [("exit", ["wait"]), ("continue", ["wait", "hello"]), ("default", ["wait"])]
)
def test_a_personal_delay_that_is_none_has_a_way_out(value, kind, on_failure, told):
    ada = ProfileFactory(custom_attributes={"due": value} if value is not None else {})
    settings = {"mode": "personal", "source": "attribute", "name": "due", "as": kind, "on_failure": on_failure}
    default = {"default": {"count": 1, "unit": "days"}}
    canvas = go_live(build([S(Kind.DELAY, "wait", settings | default), message("hello")]))
    let_in(canvas, ada)
    run(NOON)
    assert trace(canvas, ada) == told
    one = journey(ada)
    assert (one.state, one.exit_reason) == {
        "exit": ("exited", "personalized_delay_failed"),
        "continue": ("completed", ""),
        "default": ("waiting", ""),
    }[on_failure]
    assert one.wake_at == (NOON + DAY if on_failure == "default" else None)
    assert counts.by_step(canvas.pk)[step_named(canvas, "wait")]["no_delay"] == 1
    run(NOON + DAY)
    assert journey(ada).ended_at
    conserve(canvas)


# --- rules that can't be used any more


def test_a_segment_that_is_gone_fits_nobody_and_holds_nobody():
    ada = ProfileFactory()
    segment = SegmentFactory()
    canvas = go_live(
        build([delay("wait"), split("in?", {"segments": [segment.pk]}, [message("yes")], [message("no")])])
    )
    let_in(canvas, ada)
    run(NOON)
    Segment.objects.all().delete()
    run(NOON + DAY)
    assert trace(canvas, ada) == ["wait", "in?", "no"]
    assert journey(ada).state == "completed"


@pytest.mark.parametrize("broken", [{"filter": "no_such_filter"}, {"all": 7}, {"filter": "country"}, {"any": [{}]}])
def test_a_filter_that_cannot_be_read_fits_nobody_and_holds_nobody(broken):
    ada = ProfileFactory()
    canvas = go_live(build([delay("wait"), split("in?", has("plan", "pro"), [message("yes")], [message("no")])]))
    let_in(canvas, ada)
    run(NOON)
    canvas.versions.get().revisions.filter(name="in?").update(settings={"audience": {"filters": broken}})
    forget_graphs()
    run(NOON + DAY)
    assert trace(canvas, ada) == ["wait", "in?", "no"]


def test_a_step_whose_settings_are_nonsense_fails_after_its_tries_and_is_counted():
    ada, bob = ProfileFactory.create_batch(2)
    canvas = go_live(build([delay("wait"), action_paths("buys?", ([event("order")], [message("thanks")]))]))
    sound = go_live(build([delay("wait"), message("hello")]))
    let_in(canvas, ada)
    let_in(sound, bob)
    run(NOON)
    canvas.versions.get().revisions.filter(name="buys?").update(settings={"window": "soon"})
    forget_graphs()
    for hours in range(24, 36):
        run(NOON + hours * HOUR)
    one = Journey.objects.get(canvas=canvas)
    assert (one.state, one.wake_at) == ("failed", None)
    assert "AttributeError" in one.error
    assert journey(bob).state == "completed"  # nobody else is held up
    conserve(canvas)


def test_a_daily_time_that_a_clock_change_skips_comes_once():
    zone = ZoneInfo("America/New_York")
    before = datetime(2026, 3, 7, 12, tzinfo=UTC)
    found = due_at(Delay(Mode.DAYS, 1, at=datetime(2026, 1, 1, 2, 30).time(), is_local=True), before, zone)
    assert found.astimezone(zone).isoformat() == "2026-03-08T03:00:00-04:00"
