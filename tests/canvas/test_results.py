"""Conversions and results."""

from datetime import timedelta

import pytest
from django.urls import reverse

from audience.ingest.track import track
from audience.models import PendingEvent
from canvas import conversions, editing, launch, publishing, results
from canvas import graph as graphs
from canvas.counts import StepMetric
from canvas.models import Canvas, Journey, JourneyConversion
from canvas.publishing import shown
from outreach.models import DailyCount, Variant
from tests.canvas.world import (
    DAY,
    HOUR,
    MINUTE,
    build,
    delay,
    dispatch,
    event,
    go_live,
    happens,
    let_in,
    message,
    run,
    step_named,
    variants,
)
from tests.conftest import NOON
from tests.factories import AdminFactory, ProfileFactory

pytestmark = pytest.mark.django_db(transaction=True)
ORDER = {"name": "Order", "triggers": [event("order")], "seconds": 7 * 86_400}


@pytest.fixture
def admin(client):
    client.force_login(AdminFactory())
    return client


def page(canvas: Canvas, name: str = "results") -> str:
    return reverse(f"admin:canvas_canvas_{name}", args=[canvas.pk])


def converted() -> list[tuple[int, int]]:
    return list(JourneyConversion.objects.order_by("pk").values_list("number", "step"))


def test_ten_messages_and_two_people_give_the_documented_numbers():
    """One converts before any message, one after each: two for the variant, one for the first step, none elsewhere."""
    early, late = ProfileFactory.create_batch(2)
    canvas = go_live(
        build([delay("wait", unit="hours"), message("m1"), delay("w1"), message("m2")], conversions=[ORDER])
    )
    let_in(canvas, early, late)
    run(NOON)
    happens(early, "order", NOON + MINUTE)
    run(NOON + HOUR)
    happens(late, "order", NOON + 2 * HOUR)
    happens(late, "order", NOON + 3 * HOUR)
    run(NOON + 2 * DAY)
    happens(late, "order", NOON + 3 * DAY)
    assert converted() == [(0, 0), (0, step_named(canvas, "m1"))]
    (arm,) = results.arms(canvas)
    assert (arm.entered, arm.rates[0].count, arm.rates[0].percent) == (2, 2, 100.0)
    assert conversions.by_step(canvas.pk) == {0: 1, step_named(canvas, "m1"): 1}


@pytest.mark.parametrize(
    ("at", "counts"),
    [(timedelta(0), 0), (timedelta(seconds=1), 1), (timedelta(days=7), 1), (timedelta(days=7, seconds=1), 0)],
)
def test_a_conversion_counts_within_its_window_even_after_the_journey(at, counts):
    ada = ProfileFactory()
    canvas = go_live(build([message("hello")], conversions=[ORDER]))
    let_in(canvas, ada)
    run(NOON)
    assert Journey.objects.get().state == "completed"
    happens(ada, "order", NOON + at, received=NOON + 8 * DAY)
    assert len(converted()) == counts


def test_only_the_latest_journey_converts_and_the_event_that_began_it_does_not():
    ada = ProfileFactory()
    go_live(
        build(
            [delay("wait"), message("hello")],
            conversions=[ORDER],
            entry="action",
            triggers=[event("order")],
            reentry="after",
            reentry_seconds=0,
        )
    )
    happens(ada, "order", NOON + MINUTE)
    assert converted() == []
    happens(ada, "order", NOON + HOUR)
    first, second = Journey.objects.order_by("pk").values_list("pk", flat=True)
    assert list(JourneyConversion.objects.values_list("journey", flat=True)) == [first]
    happens(ada, "order", NOON + 2 * HOUR)
    assert list(JourneyConversion.objects.order_by("pk").values_list("journey", flat=True)) == [first, second]


def test_an_event_converts_and_ends_the_same_journey():
    ada = ProfileFactory()
    exits = {"exit_events": [event("order")]}
    canvas = go_live(build([delay("wait"), message("hello")], conversions=[ORDER], version=exits))
    let_in(canvas, ada)
    run(NOON)
    happens(ada, "order", NOON + HOUR)
    run(NOON + HOUR)
    assert Journey.objects.get().exit_reason == "exit_event"
    assert len(converted()) == 1


def test_reacting_to_an_event_again_counts_it_once():
    ada = ProfileFactory()
    canvas = go_live(build([delay("wait"), message("hello")], conversions=[ORDER]))
    let_in(canvas, ada)
    track(events=[{"braze_id": str(ada.braze_id), "name": "order", "time": (NOON + HOUR).isoformat()}], now=NOON + HOUR)
    pending = list(PendingEvent.objects.all())
    conversions.convert(pending, NOON + HOUR)
    conversions.convert(pending, NOON + HOUR)
    dispatch(NOON + HOUR)
    assert len(converted()) == 1


def test_the_control_group_converts_and_is_compared_with():
    everybody = ProfileFactory.create_batch(60)
    canvas = build([message("hello")], conversions=[ORDER])
    Variant.objects.create(outreach=canvas, name="Control", is_control=True, share=50)
    canvas.variants.filter(is_control=False).update(share=50)
    go_live(canvas)
    let_in(canvas, *everybody)
    run(NOON)
    for n, journey in enumerate(Journey.objects.select_related("profile", "variant")):
        if not journey.variant.is_control or n % 2:
            happens(journey.profile, "order", NOON + HOUR)
    control, arm = results.arms(canvas)
    assert control.variant.is_control
    assert arm.rates[0].percent == 100
    assert 0 < control.rates[0].percent < 100
    assert arm.rates[0].uplift == pytest.approx(100 / control.rates[0].percent - 1)
    assert arm.rates[0].confidence is None  # too few to tell
    assert variants(canvas)[0].is_control


def test_confidence_is_that_of_the_two_sided_test():
    assert results.confidence((100, 1_000), (100, 1_000)) == 0
    assert results.confidence((130, 1_000), (100, 1_000)) == pytest.approx(0.9643, abs=0.001)
    assert results.confidence((5, 50), (1, 50)) is None
    assert results.Rate(50, 100).margin == pytest.approx(9.62, abs=0.02)


def test_the_page_shows_variants_steps_and_days_and_hands_out_csv(admin):
    ada, bob = ProfileFactory.create_batch(2)
    canvas = go_live(build([message("=hello"), delay("wait"), message("again")], conversions=[ORDER]))
    let_in(canvas, ada, bob)
    run(NOON)
    happens(ada, "order", NOON + HOUR)
    answer = admin.get(page(canvas))
    assert [row.numbers["entered"] for row in answer.context["rows"]] == [2, 2, 0]
    assert [row.converted for row in answer.context["rows"]] == [1, 0, 0]
    text = admin.get(page(canvas) + "?as=csv").text
    assert text.splitlines()[1].split(",")[1] == "'=hello"  # no spreadsheet computes it
    day, numbers = results.by_day(canvas, NOON.date())[-1]
    assert (day, numbers["entered"], numbers["completed"]) == (NOON.date(), 2, 0)


def test_a_removed_step_keeps_its_numbers(admin):
    ada = ProfileFactory()
    canvas = go_live(build([message("gone"), delay("wait"), message("again")]))
    let_in(canvas, ada)
    run(NOON)
    editing.remove_step(publishing.draft_of(canvas), step_named(canvas, "gone"))
    launch.republish(canvas, NOON)
    rows = {row.name: row for row in results.steps(canvas, graphs.load(shown(canvas)), {})}
    removed = [row for row in rows.values() if row.is_gone]
    assert [row.numbers["entered"] for row in removed] == [1]
    assert "removed" in admin.get(page(canvas)).text


def test_conversion_events_are_set_until_the_launch(admin):
    ProfileFactory()
    canvas = build([message("hello")])
    data = {
        "goal-0-name": "Order", "goal-0-triggers-0-kind": "event", "goal-0-triggers-0-name": "order",
        "goal-0-count": 7, "goal-0-unit": "days",
    }  # fmt: skip
    assert "Between 5 minutes and 30 days." in admin.post(page(canvas, "goals"), data | {"goal-0-count": 31}).text
    admin.post(page(canvas, "goals"), data)
    canvas.refresh_from_db()
    assert canvas.conversions == [
        {"name": "Order", "triggers": [{"kind": "event", "name": "order"}], "seconds": 7 * 86_400}
    ]
    go_live(canvas)
    assert admin.post(page(canvas, "goals"), data).status_code == 403
    assert "stay as they are" in admin.get(page(canvas, "goals")).text


def test_the_names_of_what_is_counted_fit_their_column():
    longest = DailyCount._meta.get_field("metric").max_length
    assert all(len(name) <= longest for name in StepMetric.values)
