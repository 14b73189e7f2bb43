"""Intelligent selection between the variants of a Canvas: the same rules as campaigns', over journeys."""

from datetime import timedelta

import pytest
from django.urls import reverse

from canvas import arms, launch
from canvas.models import Canvas, Journey
from outreach import experiments, results
from outreach.models import Enrolment, Optimisation, Recalculation, Variant
from tests.canvas.world import DAY, HOUR, build, delay, event, go_live, happens, let_in, message, variants
from tests.conftest import NOON
from tests.factories import ProfileFactory

pytestmark = pytest.mark.django_db(transaction=True)

GOAL = {"name": "ordered", "triggers": [event("ordered")], "seconds": 86_400}


def two_arms(**values) -> Canvas:
    canvas = build([message("a"), delay("wait")], entry="api", reentry="after", conversions=[GOAL], **values)
    draft = canvas.versions.get()
    arms.add(draft, "B")
    start = draft.paths.get(variant__name="Variant 1")
    draft.paths.filter(variant__name="B").update(target=start.target)
    shares = {variant.pk: (variant.name, 50) for variant in variants(canvas)}
    arms.set_shares(canvas, shares, selects=True)
    return Canvas.objects.get(pk=canvas.pk)


def entered(canvas: Canvas, count: int, now=NOON, source="run:1"):
    people = ProfileFactory.create_batch(count)
    let_in(canvas, *people, now=now, source=source)
    return people


def test_figures_are_journeys_that_have_had_a_chance_to_convert():
    canvas = go_live(two_arms())
    people = entered(canvas, 40)
    entered(canvas, 10, NOON + 7 * HOUR, "run:2")
    for person in people[:12]:
        happens(person, "ordered", NOON + HOUR)
    every = variants(canvas)
    assert sum(figure.reached for figure in results.figures_of(canvas, every)) == 50
    ripe = results.figures_of(canvas, every, ripe_by=NOON + 10 * HOUR)
    assert (sum(f.reached for f in ripe), sum(f.converted for f in ripe)) == (40, 12)


def test_shares_move_to_the_better_variant_and_entries_follow():
    canvas = go_live(two_arms())
    people = entered(canvas, 240)
    better = Variant.objects.get(outreach=canvas, name="B")
    chosen = set(Journey.objects.filter(variant_id=better.pk).values_list("profile_id", flat=True))
    for number, person in enumerate(people):
        if (person.pk in chosen and number % 2) or number % 15 == 0:
            happens(person, "ordered", NOON + HOUR)
    assert experiments.recalculate_due(NOON + DAY) == 1
    better.refresh_from_db()
    assert better.weight > 900
    assert Recalculation.objects.get().outreach_id == canvas.pk
    later = entered(canvas, 60, NOON + DAY + HOUR, "run:2")
    mine = Journey.objects.filter(profile__in=later, variant_id=better.pk).count()
    assert mine > 45
    assert experiments.recalculate_due(NOON + DAY + HOUR) == 0  # twice a day, not more


def test_without_selection_an_entry_keeps_its_variant():
    canvas = two_arms()
    arms.set_shares(canvas, {v.pk: (v.name, v.share) for v in variants(canvas)})
    go_live(canvas)
    people = entered(canvas, 30)
    before = dict(Enrolment.objects.values_list("profile_id", "variant_id"))
    let_in(canvas, *people, now=NOON + timedelta(days=30), source="run:9")
    assert dict(Enrolment.objects.values_list("profile_id", "variant_id")) == before


def test_it_is_switched_on_with_the_variants(client, django_user_model):
    client.force_login(django_user_model.objects.create_superuser("root"))
    canvas = build([message("a")], conversions=[GOAL])
    variant = canvas.variants.get()
    page = reverse("admin:canvas_canvas_variants", args=[canvas.pk])
    client.post(page, {"do": "save", f"name-{variant.pk}": "A", f"share-{variant.pk}": 100, "selects": "on"})
    canvas.refresh_from_db()
    assert canvas.optimisation == Optimisation.SELECTION
    ProfileFactory()
    assert any("two variants" in finding.text for finding in launch.problems(canvas, NOON))


def test_it_needs_something_to_decide_by():
    canvas = two_arms()
    canvas.conversions = []
    canvas.save()
    assert any("Add a conversion event" in finding.text for finding in launch.problems(canvas, NOON))
