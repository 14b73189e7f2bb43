"""Filters on what people did in Canvases."""

import pytest

from audience import filters
from audience import portable as audience_portable
from audience.models import Profile
from canvas.filters import STEPS
from outreach.models import Variant
from tests.canvas.world import DAY, HOUR, build, delay, event, go_live, happens, let_in, message, run, step_named
from tests.conftest import NOON
from tests.factories import ProfileFactory
from webhooks.models import Receipt
from workspace.files import Found, Named

pytestmark = pytest.mark.django_db(transaction=True)
ORDER = {"name": "Order", "triggers": [event("order")], "seconds": 7 * 86_400}


def found(tree, now=NOON + 2 * DAY) -> set[str]:
    assert filters.validate(tree) == []
    return set(Profile.objects.filter(filters.compile_tree(tree, now)).values_list("external_id", flat=True))


@pytest.fixture
def canvas():
    """Ada got both messages, bob one of them yet, cleo none of them, dan is in the control group, eve outside."""
    ada, bob, cleo, _eve = (ProfileFactory(external_id=name) for name in ("ada", "bob", "cleo", "eve"))
    made = go_live(build([message("m1"), delay("wait"), message("m2")], name="Welcome", conversions=[ORDER]))
    let_in(made, ada)
    run(NOON)
    run(NOON + DAY)
    let_in(made, bob, now=NOON + DAY)
    run(NOON + DAY)
    let_in(made, cleo, now=NOON + DAY)
    run(NOON + DAY, answer=404)
    control = Variant.objects.create(outreach=made, name="Control", is_control=True, share=100)
    made.variants.filter(is_control=False).update(share=0)
    dan = ProfileFactory(external_id="dan")
    let_in(made, dan, now=NOON + DAY)
    happens(ada, "order", NOON + DAY + HOUR)
    happens(dan, "order", NOON + DAY + HOUR)
    assert made.journeys.get(profile=dan).variant == control
    for profile, at in ((ada, NOON), (bob, NOON + DAY)):  # recording goes by the database's own clock
        Receipt.objects.filter(profile=profile).update(received_at=at)
    return made


def test_who_received_which_step_and_when(canvas):
    m1, m2 = step_named(canvas, "m1"), step_named(canvas, "m2")
    tree = {"filter": "received_step", "op": "received", "ids": [m1]}
    assert found(tree) == {"ada", "bob"}
    assert found(tree | {"ids": [m2]}) == {"ada"}
    assert found(tree | {"op": "not_received"}) == {"cleo", "dan", "eve"}
    assert filters.sentence(tree) == "has received Welcome – m1"
    last = {"filter": "last_received_step", "ids": [m1], "op": "more_than_days_ago", "days": 1.5}
    assert found(last) == {"ada"}
    assert found(last | {"op": "less_than_days_ago"}) == {"bob"}
    assert filters.sentence(last) == "last received the step Welcome – m1 more than 1.5 days ago"


def test_who_entered_in_which_variant(canvas):
    control, variant = canvas.variants.get(is_control=True), canvas.variants.get(is_control=False)
    tree = {"filter": "entered_variant", "op": "entered", "ids": [variant.pk]}
    assert found(tree) == {"ada", "bob", "cleo"}
    assert found(tree | {"op": "not_entered"}) == {"dan", "eve"}
    assert found(tree | {"ids": [control.pk]}) == {"dan"}


def test_who_converted_without_the_control_group(canvas):
    tree = {"filter": "converted_canvas", "op": "in", "ids": [canvas.pk]}
    assert found(tree) == {"ada"}
    assert found(tree | {"op": "not_in"}) == {"bob", "cleo", "dan", "eve"}


def test_who_is_in_the_control_group_of_those_who_entered(canvas):
    tree = {"filter": "in_canvas_control", "op": "in", "ids": [canvas.pk]}
    assert found(tree) == {"dan"}
    assert found(tree | {"op": "not_in"}) == {"ada", "bob", "cleo"}  # eve never entered
    assert found({"not": tree}) == {"ada", "bob", "cleo", "eve"}


def test_a_step_goes_into_a_file_by_its_name_and_comes_back(canvas):
    m1 = step_named(canvas, "m1")
    tree = {"filter": "received_step", "op": "received", "ids": [m1]}
    said = audience_portable.tree(tree, Named(), "filters")
    assert said["ids"] == ["Welcome – m1"]
    assert audience_portable.tree(said, Found(), "filters") == tree
    assert (m1, "Welcome – m1") in [*STEPS.choices()]
