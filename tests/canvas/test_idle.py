"""Canvases with nothing left to do stop by themselves, but never while anybody is inside."""

import pytest
from django.urls import reverse

from canvas import idle
from canvas.models import Canvas
from outreach import plan
from outreach.models import Occurrence, Status
from tests.canvas.world import DAY, build, delay, event, go_live, let_in, message, run
from tests.conftest import NOON
from tests.factories import ProfileFactory
from webhooks.models import Receipt

pytestmark = pytest.mark.django_db(transaction=True)
GOAL = {"name": "ordered", "triggers": [event("ordered")], "seconds": 20 * 86_400}


def live(**values) -> Canvas:
    ProfileFactory()
    canvas = go_live(build([message("hello"), delay("wait"), message("bye")], **values))
    plan.plan_due(NOON)
    Occurrence.objects.filter(finished_at__isnull=False).update(finished_at=NOON)
    Canvas.objects.filter(pk=canvas.pk).update(updated_at=NOON)
    return Canvas.objects.get(pk=canvas.pk)


def test_a_week_after_the_only_run_and_not_while_somebody_is_inside():
    canvas = live()
    run(NOON)
    assert idle.stop_due(NOON + 30 * DAY) == 0
    run(NOON + DAY)
    assert idle.stop_due(NOON + 6 * DAY) == 0
    assert idle.stop_due(NOON + 7 * DAY) == 1
    assert Canvas.objects.get(pk=canvas.pk).status == Status.STOPPED


def test_not_before_its_last_journey_can_convert():
    canvas = live(conversions=[GOAL])
    run(NOON)
    run(NOON + DAY)
    assert idle.of(canvas, NOON + 8 * DAY).stops_at >= NOON + 21 * DAY


def test_one_that_waits_for_events_is_idle_after_eleven_months_and_stopped_after_a_year():
    canvas = live(entry="api")
    let_in(canvas, ProfileFactory(), now=NOON)
    run(NOON)
    run(NOON + DAY)
    Receipt.objects.update(received_at=NOON + DAY)
    assert idle.of(canvas, NOON + 300 * DAY) is None
    found = idle.of(canvas, NOON + 400 * DAY)
    assert found.stops_at - found.since == 30 * DAY
    assert idle.stop_due(NOON + 400 * DAY) == 1


def test_a_recurring_one_goes_on():
    canvas = live(recurrence="daily", start_at=NOON)
    run(NOON)
    run(NOON + DAY)
    assert idle.of(canvas, NOON + 60 * DAY) is None


def test_its_pages_say_so(admin_client):
    canvas = live()
    run(NOON)
    run(NOON + DAY)
    page = admin_client.get(reverse("admin:canvas_canvas_flow", args=[canvas.pk])).content.decode()
    assert "Nothing is left to do since" in page
