"""Experiments that look for a winner."""

import pytest
from django.urls import reverse

from canvas import counts, editing, experiments, impact, launch, publishing
from canvas.models import Canvas, ExperimentResult, Journey, JourneyConversion, Kind, StepVisit
from tests.canvas.test_reference import conserve
from tests.canvas.world import (
    DAY,
    HOUR,
    S,
    build,
    event,
    go_live,
    happens,
    journey,
    let_in,
    message,
    run,
    step_named,
    trace,
)
from tests.conftest import NOON
from tests.factories import AdminFactory, ProfileFactory

pytestmark = pytest.mark.django_db(transaction=True)
ORDER = {"name": "Order", "triggers": [event("order")], "seconds": 7 * 86_400}


def experiment(**settings: object) -> Canvas:
    given = {"shares": {"1": 50, "2": 50}, "window_days": 1, "winner_count": 2, "winner_unit": "days", **settings}
    ways = ((1, [message("a")]), (2, [message("b")]))
    return build([S(Kind.EXPERIMENT_PATHS, "which?", given, ways)], conversions=[ORDER])


@pytest.mark.parametrize(
    ("found", "unclear", "winner", "is_clear"),
    [
        ({1: (1_000, 130), 2: (1_000, 100)}, "best", 1, True),
        ({1: (1_000, 110), 2: (1_000, 100)}, "best", 1, False),
        ({1: (1_000, 110), 2: (1_000, 100)}, "mix", None, False),
        ({1: (50, 40), 2: (50, 1)}, "mix", None, False),  # too few to tell
        ({0: (1_000, 300), 1: (1_000, 100)}, "best", 1, False),  # the control group can't win
        ({1: (1_000, 135), 2: (1_000, 105), 3: (1_000, 60)}, "mix", 1, True),
        ({1: (1_000, 131), 2: (1_000, 104), 3: (1_000, 103)}, "mix", None, False),  # one pair alone would pass
        ({}, "best", None, False),
        ({1: (0, 0)}, "best", None, False),
    ],
)
def test_the_best_path_wins_clearly_only_against_every_other(found, unclear, winner, is_clear):
    assert experiments.decide(found, unclear) == (winner, is_clear)


def test_after_its_time_everybody_goes_along_the_path_that_converted_best():
    everybody = ProfileFactory.create_batch(20)
    canvas = go_live(experiment())
    let_in(canvas, *everybody)
    run(NOON)
    step = step_named(canvas, "which?")
    for visit in StepVisit.objects.filter(step=step, path=2).select_related("journey__profile"):
        happens(visit.journey.profile, "order", NOON + HOUR)
    assert experiments.decide_due(NOON + 2 * DAY - HOUR) == 0
    assert experiments.decide_due(NOON + 2 * DAY) == 1
    assert experiments.decide_due(NOON + 3 * DAY) == 0
    assert ExperimentResult.objects.get().winner == 2
    later = ProfileFactory.create_batch(6)
    let_in(canvas, *later, now=NOON + 3 * DAY, source="run:2")
    run(NOON + 3 * DAY)
    assert {tuple(trace(canvas, each)) for each in later} == {("which?", "b")}
    conserve(canvas)


def held_back(**settings: object) -> Canvas:
    return experiment(shares={"1": 20, "2": 20}, held=60, **settings)


def test_the_delay_group_waits_and_goes_along_the_winner_alone():
    everybody = ProfileFactory.create_batch(40)
    canvas = go_live(held_back())
    let_in(canvas, *everybody)
    run(NOON)
    step = step_named(canvas, "which?")
    waiting = set(Journey.objects.filter(waits_for="delay_group").values_list("profile_id", flat=True))
    assert 12 <= len(waiting) <= 36
    for visit in StepVisit.objects.filter(step=step, path=2).select_related("journey__profile"):
        happens(visit.journey.profile, "order", NOON + HOUR)
    run(NOON + 2 * DAY - HOUR)
    assert set(Journey.objects.filter(waits_for="delay_group").values_list("profile_id", flat=True)) == waiting
    assert experiments.decide_due(NOON + 2 * DAY) == 1
    run(NOON + 2 * DAY)
    held = [each for each in everybody if each.pk in waiting]
    assert {tuple(trace(canvas, each)) for each in held} == {("which?", "b")}
    conserve(canvas)


def test_without_a_winner_the_delay_group_goes_by_the_shares():
    everybody = ProfileFactory.create_batch(40)
    canvas = go_live(held_back(unclear="mix"))
    let_in(canvas, *everybody)
    run(NOON)
    experiments.decide_due(NOON + 2 * DAY)
    run(NOON + 2 * DAY)
    assert {tuple(trace(canvas, each)) for each in everybody} == {("which?", "a"), ("which?", "b")}
    conserve(canvas)


def test_a_delay_group_that_nobody_decides_for_is_never_stuck():
    everybody = ProfileFactory.create_batch(10)
    canvas = go_live(held_back())
    let_in(canvas, *everybody)
    for hours in range(0, 24 * 4, 1):
        run(NOON + HOUR * hours)
    assert not Journey.objects.filter(ended_at=None).exists()


@pytest.mark.parametrize(
    ("settings", "values", "words"),
    [
        ({"winner_count": 0}, {}, "waits for a winner"),
        ({"shares": {"1": 50, "2": 50}}, {}, "add up to 110"),
        ({}, {"entry": "api"}, "everybody to come at once"),
        ({}, {"recurrence": "daily"}, "everybody to come at once"),
    ],
)
def test_a_delay_group_that_makes_no_sense_stands_in_the_way(settings, values, words):
    canvas = experiment(**({"shares": {"1": 45, "2": 45}, "held": 10} | settings))
    Canvas.objects.filter(pk=canvas.pk).update(**values)
    ProfileFactory()
    found = [finding.text for finding in launch.problems(Canvas.objects.get(pk=canvas.pk), NOON)]
    assert any(words in text for text in found), found


def test_a_conversion_after_the_window_or_before_the_step_is_not_the_paths():
    ada = ProfileFactory()
    canvas = go_live(experiment())
    let_in(canvas, ada)
    run(NOON)
    node = launch.graph.load(publishing.shown(canvas)).nodes[step_named(canvas, "which?")]
    one = journey(ada)
    row = {"journey_id": one.pk, "number": 0, "canvas": canvas, "variant": one.variant_id}
    for at, hits in [(NOON - HOUR, 0), (NOON + DAY, 1), (NOON + DAY + HOUR, 0)]:
        JourneyConversion.objects.all().delete()
        JourneyConversion.objects.create(**row, occurred_at=at)
        assert list(experiments.figures(canvas.pk, node).values()) == [(1, hits)]


def test_publishing_an_edit_ends_a_running_experiment_but_a_new_name_does_not():
    ada = ProfileFactory()
    canvas = go_live(experiment())
    let_in(canvas, ada)
    run(NOON)
    editing.change(publishing.draft_of(canvas).revisions.get(name="a"), name="A")
    assert impact.of(canvas, publishing.draft_of(canvas)).experiments == []
    launch.republish(canvas, NOON + HOUR)
    assert not ExperimentResult.objects.exists()
    editing.change(publishing.draft_of(canvas).revisions.get(name="A"), is_disabled=True)
    assert [node.name for node in impact.of(canvas, publishing.draft_of(canvas)).experiments] == ["which?"]
    launch.republish(canvas, NOON + 2 * HOUR)
    assert ExperimentResult.objects.get().was_edited
    assert experiments.decide_due(NOON + 9 * DAY) == 0
    before = counts.reasons(canvas.pk, counts.StepMetric.PATH)
    let_in(canvas, *ProfileFactory.create_batch(40), now=NOON + 3 * HOUR, source="run:2")
    run(NOON + 3 * HOUR)
    after = counts.reasons(canvas.pk, counts.StepMetric.PATH)
    taken = {key: number - before.get(key, 0) for key, number in after.items()}
    assert sum(taken.values()) == 40  # nobody is held back, and nobody sent along one path alone
    assert sum(number > 0 for number in taken.values()) > 1


def test_a_winner_needs_a_conversion_event_and_paths_that_stay():
    ProfileFactory()
    canvas = experiment(always_random=True)
    canvas.conversions = []
    canvas.save()
    texts = "\n".join(finding.text for finding in launch.problems(canvas, NOON))
    assert "Add a conversion event" in texts
    assert "don't draw anew" in texts


def test_the_steps_page_shows_how_the_paths_compare(client):
    client.force_login(AdminFactory())
    ada = ProfileFactory()
    canvas = go_live(experiment())
    let_in(canvas, ada)
    run(NOON)
    happens(ada, "order", NOON + HOUR)
    page = reverse("admin:canvas_canvas_step", args=[canvas.pk, step_named(canvas, "which?")])
    rows = client.get(page).context["experiment"]["rows"]
    assert sorted((rate.of, rate.count) for _name, rate in rows) == [(0, 0), (1, 1)]
    experiments.decide_due(NOON + 2 * DAY)
    assert "It was not clearly better." in client.get(page).text
