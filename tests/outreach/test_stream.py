"""Events out: noted with what happened, told at least once with ids, exported by day."""

import io
import json
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from audience.ingest.items import By, Identifier
from campaigns import calls
from canvas.names import content_key, step_key
from config.demo.receiver import Reply, always
from outreach import shipping, stream_lines
from outreach.models import ConversionEvent, Dispatch, OutgoingEvent, Shipment
from outreach.recipients import Recipient
from tests.campaigns.conftest import world  # noqa: F401 - a fixture
from tests.canvas import world as canvases
from tests.conftest import NOON
from tests.factories import CampaignFactory, ContentFactory, MessageFactory, ProfileFactory
from webhooks.models import Message
from workspace.models import Workspace

pytestmark = pytest.mark.django_db


@pytest.fixture
def target(settings, tmp_path):
    settings.EVENTS_OUT_FILE = str(tmp_path / "events.jsonl")
    return tmp_path / "events.jsonl"


def told(target) -> list[dict]:
    return [json.loads(line) for line in target.read_text().splitlines()]


def test_nothing_is_noted_where_nobody_listens(world):  # noqa: F811
    ProfileFactory(external_id="ada")
    campaign = world.launch(CampaignFactory(delivery="api"))
    calls.send(campaign, [Recipient(Identifier(By.EXTERNAL_ID, "ada"))], world.now)
    world.run()
    assert len(world.arrived) == 1
    assert not OutgoingEvent.objects.exists()


def a_busy_day(world):  # noqa: F811
    ada = ProfileFactory(external_id="ada")
    ProfileFactory(external_id="bob")
    campaign = CampaignFactory(name="Spring", delivery="api")
    ConversionEvent.objects.create(
        outreach=campaign, trigger={"kind": "event", "name": "bought"}, window_seconds=86_400
    )
    world.launch(campaign)
    world.answer = lambda message: 200 if message.profile_id == ada.pk else 404
    calls.send(campaign, [Recipient(Identifier(By.EXTERNAL_ID, name)) for name in ("ada", "bob")], world.now)
    world.run()
    world.wait()
    world.happens(ada, "bought")
    world.run()
    return campaign


def test_sends_failures_and_conversions_become_lines_of_a_file(world, target):  # noqa: F811
    campaign = a_busy_day(world)
    assert shipping.ship(world.now) == 3
    assert shipping.ship(world.now) == 0
    rows = told(target)
    assert [(row["type"], row["external_id"]) for row in sorted(rows, key=lambda row: row["type"])] == [
        ("conversion", "ada"),
        ("webhook.failed", "bob"),
        ("webhook.sent", "ada"),
    ]
    assert {row["outreach_id"] for row in rows} == {str(campaign.key)}
    assert {row["variation_id"] for row in rows} == {str(campaign.variants.get().key)}
    assert len({row["id"] for row in rows}) == 3
    by_type = {row["type"]: row for row in rows}
    sent, failed = by_type["webhook.sent"], by_type["webhook.failed"]
    dispatch = Dispatch.objects.get()
    for row in (sent, failed):
        assert (row["outreach_name"], row["dispatch_id"]) == ("Spring", str(dispatch.key))
        assert (row["workspace_id"], row["variation_name"]) == (str(Workspace.current().key), "Variant 1")
        assert row["message_variation_id"] == row["variation_id"]
    assert (sent["status"], failed["status"], failed["reason"]) == (200, 404, "http_404")
    assert "dispatch_id" not in by_type["conversion"]


def test_what_a_template_says_about_a_message_is_told_though_it_was_retried(pump, sink, target):
    sink.script = lambda request, nth: Reply(503) if nth == 1 else Reply()
    url = sink.url + "/{% message_extras :key source :value spring %}"
    MessageFactory(content=ContentFactory(url=url), profile=ProfileFactory(time_zone="Asia/Seoul"))
    for _ in range(2):
        Message.objects.update(due_at=timezone.now())
        pump.run()
    shipping.ship(timezone.now())
    (row,) = told(target)
    assert (row["type"], row["message_extras"]) == ("webhook.sent", {"source": "spring"})
    assert row["time_zone"] == "Asia/Seoul"


@pytest.mark.parametrize("status", [200, 404])
def test_what_no_database_can_hold_does_not_keep_a_message_from_being_recorded(pump, sink, target, status):
    sink.script = always(Reply(status))
    value = "{{ 'a%00b' | url_decode }}"
    MessageFactory(content=ContentFactory(url=sink.url + "/{% message_extras :key k :value " + value + " %}"))
    pump.run()
    shipping.ship(timezone.now())
    (row,) = told(target)
    assert row["status"] == status
    assert row["message_extras"] == {"k": "a\ufffdb"}


def test_many_lines_cost_a_few_queries(world, target, django_assert_max_num_queries):  # noqa: F811
    a_busy_day(world)
    with django_assert_max_num_queries(8):
        assert len([*stream_lines.lines(OutgoingEvent.objects.order_by("pk"))]) == 3


def test_an_abort_is_told_with_its_words(pump, sink, target):
    url = sink.url + "/{% abort_message('" + "no plan " * 30 + "') %}"
    MessageFactory(content=ContentFactory(url=url))
    pump.run()
    shipping.ship(timezone.now())
    (row,) = told(target)
    assert (row["type"], row["abort_type"]) == ("webhook.aborted", "liquid_abort")
    assert row["abort_log"].startswith("no plan no plan")
    assert len(row["abort_log"]) == 128


def test_what_was_told_but_not_noted_as_told_comes_again_with_the_same_id(world, target):  # noqa: F811
    a_busy_day(world)
    shipping.ship(world.now)
    OutgoingEvent.objects.update(told_at=None)  # as if the process had died before it noted them
    shipping.ship(world.now)
    rows = told(target)
    assert (len(rows), len({row["id"] for row in rows})) == (6, 3)


def test_an_address_gets_them_and_a_failure_keeps_them(world, settings, sink):  # noqa: F811
    settings.EVENTS_OUT_URL, settings.EVENTS_OUT_TOKEN = sink.url, "secret"
    a_busy_day(world)
    sink.script = always(Reply(500))
    assert shipping.ship(world.now) == 0
    assert "answers 500" in Shipment.objects.get().error
    sink.script = always(Reply(200))
    assert shipping.ship(world.now) == 3
    request = sink.received[-1]
    assert request.headers["authorization"] == "Bearer secret"
    assert request.headers["content-type"] == "application/x-ndjson"
    assert len([json.loads(line) for line in request.body.decode().splitlines()]) == 3
    assert Shipment.objects.get().error == ""


def test_only_one_tells_at_a_time(world, target):  # noqa: F811
    a_busy_day(world)
    Shipment.objects.create(pk=1, leased_until=world.now + timedelta(minutes=1))
    assert shipping.ship(world.now) == 0
    assert shipping.ship(world.now + timedelta(minutes=2)) == 3


def test_canvas_entries_and_exits_are_noted(settings):
    settings.EVENTS_OUT_DAYS = 7
    ada = ProfileFactory(external_id="ada")
    canvas = canvases.go_live(canvases.build([canvases.message()]))
    canvases.let_in(canvas, ada)
    canvases.run(NOON)
    kinds = [*OutgoingEvent.objects.order_by("pk").values_list("kind", flat=True)]
    assert kinds == ["canvas.entry", "webhook.sent", "canvas.exit"]
    assert {*OutgoingEvent.objects.values_list("sender_id", "profile_id")} == {(canvas.sender_id, ada.pk)}
    rows = [json.loads(line) for line in stream_lines.lines(OutgoingEvent.objects.order_by("pk"))]
    (step,) = canvas.steps.all()
    assert {(row["outreach_name"], row["external_id"]) for row in rows} == {(canvas.name, "ada")}
    assert (rows[1]["step_id"], rows[1]["step_name"]) == (str(step_key(canvas, step.pk)), step.revisions.first().name)
    assert rows[1]["message_variation_id"] == str(content_key(canvas, step.pk, 0))


def test_a_day_is_exported_and_old_days_go(world, settings, tmp_path):  # noqa: F811
    settings.EVENTS_OUT_DAYS = 2
    a_busy_day(world)
    out = tmp_path / "day.jsonl"
    call_command("export_events", "2026-05-06", output=str(out))
    assert len(out.read_text().splitlines()) == 3
    call_command("export_events", "2026-05-07", output=str(out))
    assert out.read_text() == ""
    assert shipping.prune(world.now + timedelta(days=1)) == 0
    assert shipping.prune(world.now + timedelta(days=3)) == 3
    with pytest.raises(CommandError, match="is not a day"):
        call_command("export_events", "yesterday", stdout=io.StringIO())
    settings.EVENTS_OUT_DAYS = 0
    with pytest.raises(CommandError, match="EVENTS_OUT_DAYS"):
        call_command("export_events", stdout=io.StringIO())
