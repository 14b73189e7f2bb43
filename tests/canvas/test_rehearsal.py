"""Dry runs: the engine's own way, and nothing of it remains."""

import time
from datetime import timedelta

import pytest
from django.urls import reverse

from audience.models import CustomEvent, PendingEvent, Profile
from canvas import publishing
from canvas.errors import NotAllowed
from canvas.models import Canvas, Journey, Path, StepVisit
from canvas.rehearsal.audience import forecast
from canvas.rehearsal.one import Coming, Wanted, rehearse
from outreach.models import DailyCount, Enrolment, Outreach, Variant
from tests.canvas.world import (
    DAY,
    HOUR,
    S,
    action_paths,
    build,
    delay,
    event,
    go_live,
    has,
    let_in,
    message,
    run,
    split,
    step_named,
    trace,
)
from tests.conftest import NOON
from tests.factories import AdminFactory, ProfileFactory
from webhooks.models import Content, Message, MessageActivityLog, Sender

pytestmark = pytest.mark.django_db(transaction=True)
EVERYTHING = (Canvas, Journey, StepVisit, Message, Sender, Content, Profile, CustomEvent, PendingEvent, DailyCount)
EVERYTHING = (*EVERYTHING, Enrolment, Outreach, Variant, MessageActivityLog)


def rows() -> dict[str, int]:
    return {table.__name__: table.objects.count() for table in EVERYTHING}


def steps(way) -> list[str]:
    return [stop.node.name for stop in way.stops]


def journey_through_everything() -> Canvas:
    change = {"attribute": "plan", "action": "set", "value": "pro"}
    update = S("update", "note it", {"mode": "form", "changes": [change]})
    buys = action_paths("buys?", ([event("order")], [message("thanks")]))
    return build([message("hello"), delay("wait", count=3), update, split("pro?", has("plan", "pro"), [buys])])


def test_nobody_else_is_asked_by_a_dry_run(sink):
    ada = ProfileFactory(first_name="Ada")
    canvas = build([message("hello"), delay("wait"), message("again")])
    asks = f"{{% connected_content {sink.url}/stock :save stock %}}"
    Content.objects.update(url=f"{asks}{sink.url}/x/{{{{stock.left | default: 'none'}}}}")
    way = rehearse(publishing.shown(canvas), Wanted(NOON, ada))
    assert steps(way) == ["hello", "wait", "again"]
    assert [sent.request["url"] for stop in way.stops for sent in stop.sent] == [f"{sink.url}/x/none"] * 2
    assert sink.received == []


def test_a_draft_is_walked_with_times_and_requests_and_nothing_remains():
    ada = ProfileFactory(first_name="Ada", custom_attributes={"plan": "free"})
    canvas = journey_through_everything()
    before = rows()
    comes = [Coming(NOON + 3 * DAY + HOUR, "order", properties={"total": 7})]
    way = rehearse(publishing.shown(canvas), Wanted(NOON, ada, events=comes))
    assert steps(way) == ["hello", "wait", "note it", "pro?", "buys?", "thanks"]
    times = {stop.node.name: stop.arrived for stop in way.stops}
    assert times["wait"] == NOON
    assert times["buys?"] == NOON + 3 * DAY
    assert times["thanks"] == NOON + 3 * DAY + HOUR
    (sent,) = way.stops[0].sent
    assert sent.request["url"] == "https://example.com/hook"
    assert '"name":"Ada"' in sent.request["body"]
    assert way.ending == "It completes."
    assert rows() == before
    ada.refresh_from_db()
    assert ada.custom_attributes == {"plan": "free"}


def test_templates_see_the_simulated_time_and_the_entry_properties():
    ada = ProfileFactory()
    canvas = build([delay("wait", count=30), message("hello")])
    content = Content.objects.get()
    content.pairs = [
        {"key": "day", "value": "{{ 'now' | date: '%Y-%m-%d' }}", "type": "text", "omit_blank": False},
        {"key": "order", "value": "{{context.${order}}}", "type": "text", "omit_blank": False},
    ]
    content.save()
    way = rehearse(publishing.shown(canvas), Wanted(NOON, ada, properties={"order": "A1"}))
    (sent,) = way.stops[1].sent
    assert sent.request["body"] == f'{{"day":"{NOON + 30 * DAY:%Y-%m-%d}","order":"A1"}}'


def test_a_made_up_profile_is_enough():
    canvas = build([split("pro?", has("plan", "pro"), [message("yes")], [message("no")])])
    way = rehearse(publishing.shown(canvas), Wanted(NOON, made_up={"first_name": "Eve", "plan": "pro"}))
    assert steps(way) == ["pro?", "yes"]
    assert '"name":"Eve"' in way.stops[1].sent[0].request["body"]
    assert not Profile.objects.exists()


def test_what_is_live_is_left_alone_and_takes_the_same_way():
    ada = ProfileFactory()
    canvas = go_live(build([message("hello"), delay("wait"), message("again")]))
    let_in(canvas, ada)
    run(NOON)
    before, counted = rows(), list(DailyCount.objects.values_list("metric", "step", "count"))
    way = rehearse(publishing.shown(canvas), Wanted(NOON, ada))
    assert rows() == before
    assert list(DailyCount.objects.values_list("metric", "step", "count")) == counted
    run(NOON + DAY)
    assert trace(canvas, ada) == steps(way)


def test_an_exit_event_ends_the_run_and_says_why():
    ada = ProfileFactory()
    canvas = build([delay("wait", count=3), message("hello")], version={"exit_events": [event("order")]})
    way = rehearse(publishing.shown(canvas), Wanted(NOON, ada, events=[Coming(NOON + DAY, "order")]))
    assert (way.ending, way.ended_at) == ("It leaves early: an exit event happened.", NOON + DAY)
    assert way.events == [(NOON + DAY, "order")]


def test_an_event_in_the_second_of_the_deadline_counts():
    ada = ProfileFactory()
    canvas = build([action_paths("buys?", ([event("order")], [message("thanks")]), rest=[message("nudge")])])
    way = rehearse(publishing.shown(canvas), Wanted(NOON, ada, events=[Coming(NOON + DAY, "order")]))
    assert steps(way) == ["buys?", "thanks"]
    way = rehearse(
        publishing.shown(canvas), Wanted(NOON, ada, events=[Coming(NOON + DAY + timedelta(seconds=1), "order")])
    )
    assert steps(way) == ["buys?", "nudge"]


def test_what_is_not_set_up_is_passed_by_with_a_notice():
    ada = ProfileFactory()
    canvas = build([split("what?", {}, [message("yes")], [message("no")])])
    way = rehearse(publishing.shown(canvas), Wanted(NOON, ada))
    assert steps(way) == ["what?", "no"]
    assert way.stops[0].note


def test_a_circle_is_refused_with_a_sentence():
    canvas = build([message("a"), message("b")])
    Path.objects.filter(step=step_named(canvas, "b")).update(target=step_named(canvas, "a"))
    with pytest.raises(NotAllowed, match="circle"):
        rehearse(publishing.shown(canvas), Wanted(NOON, ProfileFactory()))


def test_a_chosen_variant_and_path_are_taken():
    ada = ProfileFactory()
    ways = S(
        "experiment",
        "which?",
        {"shares": {"1": 50, "2": 50}, "window_days": 7},
        ((1, [message("a")]), (2, [message("b")])),
    )
    canvas = build([ways])
    for path, name in ((1, "a"), (2, "b")):
        chosen = {step_named(canvas, "which?"): path}
        assert steps(rehearse(publishing.shown(canvas), Wanted(NOON, ada, paths=chosen))) == ["which?", name]


def test_a_month_of_steps_is_walked_in_less_than_two_seconds():
    ada = ProfileFactory()
    canvas = build([each for n in range(15) for each in (message(f"m{n}"), delay(f"d{n}", count=2))])
    began = time.process_time()  # of computing: others may use the machine too
    way = rehearse(publishing.shown(canvas), Wanted(NOON, ada))
    assert time.process_time() - began < 2
    assert way.stops[-1].arrived == NOON + 28 * DAY


def test_a_forecast_says_how_many_of_the_audience_would_go_which_way():
    for n in range(30):
        ProfileFactory(custom_attributes={"plan": "pro" if n % 3 else "free"})
    canvas = build([delay("wait"), split("pro?", has("plan", "pro"), [message("yes")], [message("no")])])
    before = rows()
    found = forecast(publishing.shown(canvas), NOON)
    assert (found.audience, found.sample, found.factor) == (30, 30, 1.0)
    split_step = step_named(canvas, "pro?")
    assert found.by_path == {(split_step, "1"): 20, (split_step, "2"): 10}
    assert found.by_step[step_named(canvas, "yes")]["completed"] == 20
    assert found.by_step[0]["entered"] == 30
    assert rows() == before


def test_a_forecast_of_a_sample_is_scaled_up():
    ProfileFactory.create_batch(12)
    found = forecast(publishing.shown(build([message("hello")])), NOON, most=4)
    assert (found.sample, found.by_step[0]["completed"], found.factor) == (4, 4, 3.0)


# --- the page


@pytest.fixture
def admin(client):
    client.force_login(AdminFactory())
    return client


def page(canvas: Canvas) -> str:
    return reverse("admin:canvas_canvas_try", args=[canvas.pk])


def typed(**changes: object) -> dict[str, object]:
    return {
        "do": "run",
        "as_kind": "custom",
        "as_custom": '{"first_name": "Eve"}',
        "start": "2026-05-06T12:00",
    } | changes


def test_the_page_shows_the_way_and_escapes_what_it_shows(admin):
    canvas = journey_through_everything()
    assert admin.get(page(canvas)).status_code == 200
    meanwhile = {"events-0-name": "order", "events-0-kind": "event", "events-0-after": 73, "events-0-unit": "hours"}
    answer = admin.post(page(canvas), typed(as_custom='{"first_name": "<b>"}', **meanwhile))
    assert steps(answer.context["way"]) == ["hello", "wait", "note it", "pro?", "buys?", "thanks"]
    assert "2026-05-09 13:00:00" in answer.text
    assert "&quot;name&quot;:&quot;&lt;b&gt;&quot;" in answer.text


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"as_custom": "[1]"}, "Write a JSON object"),
        ({"as_custom": "{"}, "This is not JSON"),
        ({"as_custom": '{"email": 7}'}, "The made-up profile can&#x27;t be used"),
        ({"as_kind": "existing", "as_id": "nobody"}, "No profile has this external ID or email."),
        ({"as_kind": "random"}, "There are no profiles yet."),
        ({"events-0-name": "x", "events-0-after": "soon", "events-0-unit": "days"}, "is a number"),
        ({"events-0-name": "x", "events-0-properties": "{"}, "This is not JSON"),
    ],
)
def test_what_cannot_be_tried_is_said_where_it_is(admin, changes, sentence):
    answer = admin.post(page(build([message("hello")])), typed(**changes))
    assert sentence in answer.text


def test_the_forecast_is_drawn(admin):
    ProfileFactory.create_batch(3, custom_attributes={"plan": "pro"})
    canvas = build([split("pro?", has("plan", "pro"), [message("yes")], [message("no")])])
    answer = admin.post(page(canvas), {"do": "forecast"})
    assert "3 profiles in the audience" in answer.text
    assert {card.node.name: card.numbers["entered"] for card in answer.context["drawing"].cards} == {
        "pro?": 3,
        "yes": 3,
        "no": 0,
    }
