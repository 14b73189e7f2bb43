"""Large Canvases and many journeys: pages open at once, and look-ups read what they need."""

import itertools
import time

import pytest
from django.db import connection
from django.urls import reverse

from canvas import engine, layout, publishing, watchdog
from canvas import graph as graphs
from canvas.models import Canvas, Journey
from tests.canvas.world import DAY, HOUR, audience_paths, build, delay, go_live, has, let_in, message, run
from tests.conftest import NOON
from tests.factories import AdminFactory, ProfileFactory

pytestmark = pytest.mark.django_db(transaction=True)


def large(blocks: int = 40) -> Canvas:
    """Four steps a block, each behind the last path of the one before."""
    way = [message("end")]
    for n in range(blocks):
        groups = audience_paths(f"which{n}", (has("plan", "x"), [message(f"x{n}")]), rest=way)
        way = [message(f"m{n}"), delay(f"d{n}"), groups]
    return build(way)


def test_a_map_of_many_steps_opens_within_a_second(client, django_assert_max_num_queries):
    client.force_login(AdminFactory())
    canvas = large()
    count = len(graphs.read(publishing.shown(canvas)).nodes)
    assert count == 161
    page = reverse("admin:canvas_canvas_flow", args=[canvas.pk])
    client.get(page)
    began = time.process_time()
    with django_assert_max_num_queries(70):
        answer = client.get(page)
    assert time.process_time() - began < 2
    assert len(answer.context["drawing"].cards) == count


def test_no_two_cards_of_a_map_lie_over_each_other():
    canvas = large()
    graph = graphs.read(publishing.shown(canvas))
    plan = layout.of(graph, [variant.pk for variant in canvas.variants.all()])
    places = sorted((box.row, box.column) for box in plan.boxes.values())
    for (row, column), (other_row, other_column) in itertools.pairwise(places):
        assert row != other_row or other_column - column >= 1


@pytest.fixture
def many(transactional_db) -> Canvas:
    """Ten thousand journeys that wait for a month, and one that is late."""
    late = ProfileFactory()
    canvas = go_live(build([delay("wait", count=30), message("hello")]))
    let_in(canvas, late)
    run(NOON)
    one = Journey.objects.get()
    fields = {f.attname: getattr(one, f.attname) for f in Journey._meta.concrete_fields if f.name != "id"}
    Journey.objects.bulk_create(
        [Journey(**(fields | {"profile_id": 10_000_000 + n, "source": str(n)})) for n in range(10_000)], batch_size=500
    )
    Journey.objects.filter(pk=one.pk).update(wake_at=NOON + HOUR)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return canvas


def plan_of(work) -> str:
    """How the database reads, for the last statement that the work makes."""
    asked: list[tuple[str, object]] = []

    def note(execute, sql, params, is_many, context):
        asked.append((sql, params))
        return execute(sql, params, is_many, context)

    with connection.execute_wrapper(note):
        work()
    sql, params = asked[-1]
    explain = "EXPLAIN QUERY PLAN " if connection.vendor == "sqlite" else "EXPLAIN "
    with connection.cursor() as cursor:
        cursor.execute(explain + sql, params)
        return "\n".join(str(row) for row in cursor.fetchall())


def test_what_is_due_and_what_is_late_is_found_by_the_index(many):
    for work in (lambda: engine.due_steps(NOON + DAY), lambda: watchdog.overdue(NOON + DAY)):
        found = plan_of(work)
        assert "journey_due" in found
        assert "Seq Scan on canvas_journey" not in found
        assert "SCAN canvas_journey\n" not in found
    assert watchdog.overdue(NOON + DAY) == {many.pk: 1}
