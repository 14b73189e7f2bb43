"""What people may do with journeys, on the page and in the engine."""

import pytest
from django.contrib.auth.models import Permission, User
from django.db.models import Q
from django.urls import reverse

from canvas import operators
from canvas.models import Canvas, Journey, Kind, StepVisit
from tests.canvas.test_reference import conserve
from tests.canvas.world import (
    DAY,
    HOUR,
    S,
    action_paths,
    build,
    delay,
    event,
    forget_graphs,
    go_live,
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
SOUND = {"variables": [{"name": "a", "type": "number", "template": "1"}]}


@pytest.fixture
def admin(client):
    client.force_login(AdminFactory())
    return client


def page(canvas: Canvas, name: str = "journeys", *args: object) -> str:
    return reverse(f"admin:canvas_canvas_{name}", args=[canvas.pk, *args])


def broken(*profiles) -> Canvas:
    """A Canvas in which these have failed at a step that can't be rendered."""
    canvas = go_live(build([delay("wait"), S(Kind.CONTEXT, "work out", SOUND), message("hello")]))
    let_in(canvas, *profiles)
    run(NOON)
    settle(canvas, {"variables": [{"name": "a", "type": "number"}]})
    for hours in range(24, 36):
        run(NOON + hours * HOUR)
    assert {j.state for j in Journey.objects.all()} == {"failed"}
    conserve(canvas)
    return canvas


def settle(canvas: Canvas, settings: dict[str, object]) -> None:
    canvas.versions.get().revisions.filter(name="work out").update(settings=settings)
    forget_graphs()


def test_what_cannot_be_rendered_fails_after_its_tries_and_holds_up_nobody_else():
    ada, bob = ProfileFactory.create_batch(2)
    canvas = broken(ada)
    settle(canvas, SOUND)
    let_in(canvas, bob, now=NOON + 2 * DAY)
    run(NOON + 2 * DAY)
    run(NOON + 3 * DAY)
    assert journey(bob).state == "completed"
    assert journey(ada).state == "failed"
    assert "KeyError" in journey(ada).error


def test_a_failed_journey_is_tried_again():
    ada = ProfileFactory()
    canvas = broken(ada)
    settle(canvas, SOUND)
    assert operators.act(canvas, "retry", Q(), NOON + 2 * DAY) == 1
    conserve(canvas)
    run(NOON + 2 * DAY)
    assert trace(canvas, ada) == ["wait", "work out", "hello"]
    assert journey(ada).context == {"a": 1}
    conserve(canvas)


def test_a_failed_journey_skips_its_step():
    ada = ProfileFactory()
    canvas = broken(ada)
    settle(canvas, SOUND)
    operators.act(canvas, "skip", Q(), NOON + 2 * DAY)
    run(NOON + 2 * DAY)
    assert trace(canvas, ada) == ["wait", "work out", "hello"]
    assert journey(ada).context is None
    assert StepVisit.objects.get(step=step_named(canvas, "work out")).note == "skipped by hand"
    conserve(canvas)


def test_any_journey_can_be_ended():
    ada, bob = ProfileFactory.create_batch(2)
    canvas = broken(ada)
    let_in(canvas, bob, now=NOON + 2 * DAY)
    run(NOON + 2 * DAY)
    assert operators.act(canvas, "end", Q(), NOON + 2 * DAY) == 2
    run(NOON + 2 * DAY)
    assert {(j.state, j.exit_reason) for j in Journey.objects.all()} == {("exited", "manual")}
    conserve(canvas)


def test_who_waits_goes_on_now():
    ada, bob = ProfileFactory.create_batch(2)
    buys = action_paths("buys?", ([event("order")], [message("thanks")]), rest=[message("nudge")])
    canvas = go_live(build([delay("wait", count=30), buys]))
    let_in(canvas, ada, bob)
    run(NOON)
    operators.act(canvas, "go-on", Q(profile=ada), NOON + HOUR)
    run(NOON + HOUR)
    assert (trace(canvas, ada), trace(canvas, bob)) == (["wait", "buys?"], ["wait"])
    operators.act(canvas, "go-on", Q(profile=ada), NOON + 2 * HOUR)
    run(NOON + 2 * HOUR)
    assert trace(canvas, ada) == ["wait", "buys?", "nudge"]
    conserve(canvas)


def test_the_page_asks_first_with_the_number_and_notes_who_did_it(admin):
    ada, bob = ProfileFactory.create_batch(2)
    canvas = go_live(build([delay("wait", count=700), message("hello")]))
    let_in(canvas, ada, bob)
    run(NOON)
    text = admin.get(page(canvas) + f"?step={step_named(canvas, 'wait')}&state=waiting").text
    assert ada.external_id in text
    asked = admin.post(page(canvas), {"action": "end", "state": "waiting"})
    assert "2 journeys" in asked.text
    assert not Journey.objects.exclude(latched="").exists()
    admin.post(page(canvas), {"action": "end", "journey": journey(ada).pk, "sure": "1"})
    assert (journey(ada).latched, journey(bob).latched) == ("manual", "")
    assert "End the journey: 1" in admin.get(page(canvas, "versions")).text


def test_the_story_of_a_journey_says_what_happened_and_why(admin):
    ada = ProfileFactory(external_id="ada<b>")
    canvas = go_live(
        build([message("hello"), delay("wait"), message("again")], version={"exit_events": [event("order")]})
    )
    let_in(canvas, ada, order="A1<i>")
    run(NOON)
    text = admin.get(page(canvas, "journey", journey(ada).pk)).text
    assert "ada&lt;b&gt;" in text
    assert "A1&lt;i&gt;" in text
    assert "received" in text
    assert "goes on at 2026-05-07 12:00:00" in text
    operators.act(canvas, "end", Q(), NOON + HOUR)
    run(NOON + HOUR)
    assert "ended by hand" in admin.get(page(canvas, "journey", journey(ada).pk)).text


def test_journeys_are_for_those_who_may_see_people(client):
    canvas = go_live(build([message("hello")], entry="action", triggers=[event("x")]))
    viewer = User.objects.create_user("vera", is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_canvas"))
    client.force_login(viewer)
    assert client.get(page(canvas)).status_code == 403
    viewer.user_permissions.add(Permission.objects.get(codename="view_profile"))
    assert "No journeys." in client.get(page(canvas)).text
    assert client.post(page(canvas), {"action": "end", "sure": "1"}).status_code == 403
