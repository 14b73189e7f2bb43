"""Lists, details and series of campaigns, Canvases, segments, events and attributes."""

from datetime import date, datetime, timedelta
from uuid import uuid4

import pytest
import time_machine
from django.utils import timezone

from audience.ingest.items import By, Identifier
from audience.models import Attribute, EventName, Profile, Segment, SegmentSize
from campaigns import calls, launch
from canvas.models import JourneyConversion, Kind, StepRevision
from canvas.names import content_key, step_key
from outreach import lifecycle
from outreach.models import ConversionEvent, Dispatch, Occurrence, Variant
from outreach.recipients import Recipient
from tests.campaigns.conftest import world  # noqa: F401 - a fixture
from tests.canvas import world as canvases
from tests.conftest import NOON
from tests.factories import (
    CampaignFactory,
    CustomEventFactory,
    ProfileFactory,
    PurchaseFactory,
    SegmentFactory,
    TagFactory,
    content_of,
)

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


# --- with nothing in the database


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/campaigns/list", "campaigns"),
        ("/canvas/list", "canvases"),
        ("/segments/list", "segments"),
        ("/events/list", "events"),
        ("/events", "events"),
        ("/custom_attributes", "attributes"),
        ("/messages/scheduled_broadcasts?end_time=2999-01-01", "scheduled_broadcasts"),
    ],
)
def test_an_empty_database_gives_empty_lists(api, path, name):
    assert api.get(path) == {"message": "success", name: []}


@pytest.mark.parametrize("query", ["page=-1", "page=x", "include_archived=perhaps", "sort_direction=up"])
def test_unusable_parameters_are_400_and_named(api, query):
    answer = api.get(f"/campaigns/list?{query}", status=400)
    assert query.partition("=")[0] in answer["message"]


@pytest.mark.parametrize(
    "query",
    [
        "page=999999999999999999999",
        "page=",
        "?",
        "last_edit.time[gt]=2026-03-01T23:59:59 00:00",
        "last_edit.time%5Bgt%5D=2026-03-01T00:00:00%2B00:00",
        "include_archived=TRUE&nonsense=1",
    ],
)
def test_parameters_are_read_the_ways_clients_write_them(api, query):
    assert api.get(f"/campaigns/list?{query}")["campaigns"] == []


def test_a_body_on_a_get_is_ignored(api):
    response = api.client.generic("GET", "/campaigns/list", b"null", "application/json", headers=api.headers())
    assert response.json()["campaigns"] == []


# --- campaigns


def test_campaigns_are_listed_oldest_first_without_archived_ones(api):
    first, second, archived = CampaignFactory(name="A"), CampaignFactory(name="B", delivery="api"), CampaignFactory()
    first.tags.add(TagFactory(name="b"), TagFactory(name="a"))
    lifecycle.archive(archived, timezone.now())
    rows = api.get("/campaigns/list")["campaigns"]
    assert [(row["name"], row["is_api_campaign"], row["tags"]) for row in rows] == [
        ("A", False, ["a", "b"]),
        ("B", True, []),
    ]
    assert rows[0]["id"] == str(first.key)
    assert datetime.fromisoformat(rows[0]["last_edited"]).tzinfo
    assert [r["name"] for r in api.get("/campaigns/list", {"sort_direction": "desc"})["campaigns"]] == ["B", "A"]
    assert len(api.get("/campaigns/list", {"include_archived": 1})["campaigns"]) == 3
    assert api.get("/campaigns/list", {"page": 1})["campaigns"] == []
    later = (second.updated_at + timedelta(seconds=1)).isoformat()
    assert api.get("/campaigns/list", {"last_edit.time[gt]": later})["campaigns"] == []


def test_details_hide_credentials(api):
    campaign = CampaignFactory(name="A", description="words", delivery="api")
    content = content_of(campaign)
    content.headers = [
        {"name": "X-One", "value": "1", "is_secret": False},
        {"name": "Authorization", "value": "sealed", "is_secret": True},
        {"name": "X-Two", "value": "{{credentials.${shop}}}", "is_secret": False},
    ]
    content.save()
    control = Variant.objects.create(outreach=campaign, name="Control", is_control=True, share=10)
    ConversionEvent.objects.create(outreach=campaign, trigger={"kind": "event", "name": "bought"}, window_seconds=60)
    answer = api.get("/campaigns/details", {"campaign_id": str(campaign.key)})
    assert (answer["draft"], answer["enabled"], answer["schedule_type"]) == (True, False, "api_triggered")
    assert answer["conversion_behaviors"] == [
        {"type": "Performs Custom Event", "window": 60, "custom_event_name": "bought"}
    ]
    variant = campaign.variants.get(is_control=False)
    message = answer["messages"][str(variant.key)]
    assert message["headers"] == {"X-One": "1", "Authorization": "***", "X-Two": "***"}
    assert (message["type"], message["body"]) == ("json", '{"name": "{{${first_name}}}"}')
    assert answer["messages"][str(control.key)]["type"] == "control"
    assert (answer["first_sent"], answer["teams"]) == (None, [])


def test_a_series_has_a_row_a_day_with_zeros_where_nothing_was(api, world):  # noqa: F811
    ada, bob = ProfileFactory(external_id="ada"), ProfileFactory(external_id="bob")
    campaign = CampaignFactory(delivery="api")
    ConversionEvent.objects.create(outreach=campaign, trigger={"kind": "purchase"}, window_seconds=5 * 86_400)
    world.launch(campaign)
    world.answer = lambda message: 200 if message.profile_id == ada.pk else 404
    people = [Recipient(Identifier(By.EXTERNAL_ID, name)) for name in ("ada", "bob")]
    calls.send(campaign, people, world.now, send_id="spring")
    world.run()
    world.go(NOON + DAY)
    world.buys(ada, "shoes", price=12.5)
    world.run()
    query = {"campaign_id": str(campaign.key), "length": 3}
    rows = api.get("/campaigns/data_series", query)["data"]
    names = ("time", "unique_recipients", "conversions", "conversions_by_send_time", "revenue")
    assert [tuple(row[name] for name in names) for row in rows] == [
        ("2026-05-05", 0, 0, 0, 0.0),
        ("2026-05-06", 1, 0, 1, 0.0),
        ("2026-05-07", 0, 1, 0, 12.5),
    ]
    webhook = rows[1]["messages"]["webhook"][0]
    assert (webhook["sent"], webhook["errors"]) == (1, 1)
    sends = api.get("/sends/data_series", {**query, "send_id": "spring"})["data"]
    assert (sends[1]["unique_recipients"], sends[1]["messages"]["webhook"][0]["sent"]) == (1, 1)
    assert api.get("/sends/data_series", {**query, "send_id": "x"})["data"][1]["unique_recipients"] == 0
    assert bob.pk
    bare = api.get("/campaigns/data_series", {**query, "length": 1, "ending_at": "2026-05-06"})["data"]
    assert [row["time"] for row in bare] == ["2026-05-06"]


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"length": 0},
        {"length": 101},
        {"length": "x"},
        {"length": 5, "ending_at": "soon"},
        {"length": 5, "ending_at": "0001-01-01"},
    ],
)
def test_a_series_needs_a_length_of_1_to_100_and_a_time(api, query):
    campaign = CampaignFactory()
    api.get("/campaigns/data_series", {"campaign_id": str(campaign.key), **query}, 400)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/campaigns/details?campaign_id={}", "campaign_id must be a string of the campaign api identifier"),
        ("/campaigns/data_series?length=1&campaign_id={}", "campaign_id must be a string of the campaign api"),
        ("/canvas/details?canvas_id={}", "canvas_id must be a string of the Canvas api identifier"),
        ("/canvas/data_series?length=1&canvas_id={}", "canvas_id must be a string of the Canvas api identifier"),
        ("/segments/details?segment_id={}", "segment_id must be a string of the segment api identifier"),
        ("/segments/data_series?length=1&segment_id={}", "segment_id must be a string of the segment api"),
    ],
)
def test_unknown_identifiers_are_400(api, path, message):
    for value in ("", "x", uuid4()):
        assert api.get(path.format(value), status=400)["message"].startswith(message)


def test_what_is_scheduled_is_told_soonest_first_without_api_calls(api):
    campaign, canvas, called = CampaignFactory(name="A"), CampaignFactory(name="B"), CampaignFactory(name="C")
    now = timezone.now()
    for outreach in (campaign, canvas, called):
        type(outreach).objects.filter(pk=outreach.pk).update(status="active")
    Occurrence.objects.create(outreach=campaign, planned_at=now + DAY)
    Occurrence.objects.create(outreach=campaign, planned_at=now + 2 * DAY)
    Occurrence.objects.create(
        outreach=canvas, planned_at=now + timedelta(hours=1), local_day=date(2026, 5, 7), local_time="13:00:00"
    )
    call = Dispatch.objects.create(outreach=called, kind="api", source="x")
    Occurrence.objects.create(outreach=called, planned_at=now + DAY, dispatch=call)
    until = {"end_time": (now + 3 * DAY).isoformat()}
    rows = api.get("/messages/scheduled_broadcasts", until)["scheduled_broadcasts"]
    assert [(row["name"], row["type"], row["schedule_type"]) for row in rows] == [
        ("B", "Campaign", "local_time_zones"),
        ("A", "Campaign", "UTC"),
    ]
    assert rows[0]["next_send_time"] == "2026-05-07T13:00:00"
    assert len(api.post("/messages/scheduled_broadcasts", until)["scheduled_broadcasts"]) == 2
    api.get("/messages/scheduled_broadcasts", status=400)


# --- Canvases


@pytest.fixture
def canvas():
    steps = [
        canvases.message("hello"),
        canvases.split("vip?", canvases.has("plan", "pro"), [canvases.message("thanks")]),
    ]
    return canvases.go_live(canvases.build(steps, entry="api", name="Welcome"))


def test_a_canvas_is_told_step_by_step(api, canvas):
    answer = api.get("/canvas/details", {"canvas_id": str(canvas.key)})
    assert (answer["enabled"], answer["has_post_launch_draft"], answer["channels"]) == (True, False, ["webhook"])
    hello, split, thanks = answer["steps"]
    assert [step["name"] for step in answer["steps"]] == ["hello", "vip?", "thanks"]
    assert answer["variants"][0]["first_step_id"] == hello["id"]
    assert hello["next_step_ids"] == [split["id"]]
    assert hello["next_paths"] == [{"name": None, "next_step_id": split["id"]}]
    assert split["next_paths"] == [{"name": "Yes", "next_step_id": thanks["id"]}]
    assert (split["messages"], split["channels"]) == ({}, [])
    assert [message["channel"] for message in thanks["messages"].values()] == ["webhook"]
    assert [row["name"] for row in api.get("/canvas/list")["canvases"]] == ["Welcome"]


def test_a_draft_canvas_is_told_as_it_is_being_edited(api):
    canvas = canvases.build([canvases.message("hello")], name="Draft")
    answer = api.get("/canvas/details", {"canvas_id": str(canvas.key), "post_launch_draft_version": "true"})
    assert (answer["draft"], [step["name"] for step in answer["steps"]]) == (True, ["hello"])


def test_a_canvas_series_and_summary_break_down_on_request(api, canvas, monkeypatch):
    monkeypatch.setattr("webhooks.record.database_now", lambda: NOON)
    ada = ProfileFactory()
    with time_machine.travel(NOON, tick=False):
        canvases.let_in(canvas, ada)
        canvases.run(NOON)
        canvases.buys(ada, "shoes", NOON + timedelta(minutes=1), 12.5)
        journey = canvases.journey(ada)
        hello = canvases.step_named(canvas, "hello")
        JourneyConversion.objects.create(
            journey=journey, number=0, canvas=canvas, variant=journey.variant_id, step=hello, occurred_at=NOON
        )
        query = {"canvas_id": str(canvas.key), "length": 2}
        bare = api.get("/canvas/data_series", query)["data"]
        full = {"include_variant_breakdown": "true", "include_step_breakdown": 1}
        summary = api.get("/canvas/data_summary", {**query, **full})["data"]
    assert [{*row} for row in bare["stats"]] == [{"time", "total_stats"}] * 2
    assert bare["stats"][1]["total_stats"] == {
        "revenue": 12.5,
        "conversions": 1,
        "conversions_by_entry_time": 1,
        "entries": 1,
    }
    assert summary["variant_stats"][str(canvas.variants.get().key)]["entries"] == 1
    step = summary["step_stats"][str(step_key(canvas, hello))]
    assert (step["name"], step["conversions"], step["revenue"]) == ("hello", 1, 12.5)
    assert step["messages"]["webhook"] == [
        {"variation_api_id": str(content_key(canvas, hello, 0)), "sent": 1, "errors": 0}
    ]
    assert StepRevision.objects.filter(step__kind=Kind.MESSAGE).count() == 2


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"length": 15},
        {"length": 0},
        {"starting_at": "2026-01-01", "ending_at": "2026-01-16"},
        {"starting_at": "2026-01-02", "ending_at": "2026-01-01"},
    ],
)
def test_a_canvas_series_spans_at_most_14_days(api, canvas, query):
    api.get("/canvas/data_series", {"canvas_id": str(canvas.key), **query}, 400)


def test_a_start_counts_where_both_are_given(api, canvas):
    query = {"canvas_id": str(canvas.key), "starting_at": "2026-01-01", "ending_at": "2026-01-03", "length": 9}
    stats = api.get("/canvas/data_series", query)["data"]["stats"]
    assert [row["time"] for row in stats] == ["2026-01-01", "2026-01-02", "2026-01-03"]


# --- segments, events, attributes


def test_segments_are_listed_and_told_in_words(api):
    segment = SegmentFactory(
        name="Korea", description="note", filters={"filter": "country", "op": "any_of", "values": ["KR"]}
    )
    SegmentFactory(is_archived=True)
    (row,) = api.get("/segments/list", {"last_edit.time[gt]": "2999-01-01"})["segments"]
    assert row == {"id": str(segment.key), "name": "Korea", "analytics_tracking_enabled": True, "tags": []}
    answer = api.get("/segments/details", {"segment_id": row["id"]})
    assert "South Korea" in answer["description"]
    assert answer["text_description"] == "note"
    empty = SegmentFactory(filters={})
    assert api.get("/segments/details", {"segment_id": str(empty.key)})["description"] == ""


def test_sizes_fill_missed_days_with_the_last_known_one_and_count_today(api):
    segment = SegmentFactory()
    ProfileFactory.create_batch(3)
    SegmentSize.objects.create(segment=segment, day=date(2026, 5, 3), size=2)
    Segment.objects.update(tracks_size=True)
    with time_machine.travel(NOON, tick=False):
        rows = api.get("/segments/data_series", {"segment_id": str(segment.key), "length": 5})["data"]
    assert [row["size"] for row in rows] == [0, 2, 2, 2, 3]
    assert rows[-1]["time"] == "2026-05-06"


def test_events_are_counted_by_day_and_by_hour(api):
    ada = ProfileFactory(country="KR")
    for hours in (0, 1, 30):
        CustomEventFactory(profile=ada, name="visited", occurred_at=NOON - timedelta(hours=hours))
    CustomEventFactory(name="visited", occurred_at=NOON)
    segment = SegmentFactory(filters={"filter": "country", "op": "any_of", "values": ["KR"]})
    with time_machine.travel(NOON, tick=False):
        query = {"event": "visited", "length": 2}
        assert [row["count"] for row in api.get("/events/data_series", query)["data"]] == [1, 3]
        narrowed = api.get("/events/data_series", {**query, "segment_id": str(segment.key)})["data"]
        by_hour = api.get("/events/data_series", {**query, "unit": "hour"})["data"]
        unknown = api.get("/events/data_series", {**query, "event": "nonsense"})["data"]
    assert [row["count"] for row in narrowed] == [1, 2]
    assert by_hour[-1] == {"time": "2026-05-06T12:00:00+00:00", "count": 2}
    assert [row["count"] for row in unknown] == [0, 0]


def test_names_are_listed_alphabetically_by_page(api):
    EventName.objects.bulk_create(EventName(kind="event", name=f"e{n:03}") for n in range(251))
    EventName.objects.create(kind="product", name="shoes")
    assert len(api.get("/events/list")["events"]) == 250
    assert api.get("/events/list", {"page": 1})["events"] == ["e250"]


def test_further_pages_stand_in_an_absolute_link(api):
    Attribute.objects.bulk_create(Attribute(name=f"a{n:02}", type="text") for n in range(60))
    Attribute.objects.filter(name="a00").update(type="list", is_type_fixed=True, is_blocked=True, description="x")
    first = api.get("/custom_attributes")["attributes"]
    assert first[0] == {
        "array_length": 500, "data_type": "Array", "description": "x", "name": "a00", "status": "Blocklisted",
        "tag_names": [],
    }  # fmt: skip
    assert (first[1]["data_type"], first[1]["description"]) == ("String (Automatically Detected)", None)
    link = api.last["Link"]
    assert link.startswith("<http://testserver/custom_attributes?cursor=")
    assert link.endswith('>; rel="next"')
    second = api.get(link[len("<http://testserver") : link.index(">")])["attributes"]
    assert [row["name"] for row in second] == [f"a{n}" for n in range(50, 60)]
    assert "Link" not in api.last
    assert api.get("/custom_attributes?cursor=%ff%fe", status=400)
    EventName.objects.create(kind="event", name="visited")
    assert api.get("/events")["events"][0]["status"] == "Active"


def test_launched_campaigns_are_enabled(api):
    ProfileFactory()
    campaign = CampaignFactory()
    launch.start(campaign, timezone.now())
    answer = api.get("/campaigns/details", {"campaign_id": str(campaign.key)})
    assert (answer["enabled"], answer["draft"]) == (True, False)
    assert Profile.objects.exists()


def test_purchases_are_listed_and_counted(api):
    ada = ProfileFactory()
    EventName.objects.create(kind="product", name="shoes")
    for hours, product in ((0, "shoes"), (0, "hat"), (30, "shoes")):
        PurchaseFactory(
            profile=ada, product_id=product, price=2.5, quantity=2, occurred_at=NOON - timedelta(hours=hours)
        )
    assert api.get("/purchases/product_list")["products"] == ["shoes"]
    with time_machine.travel(NOON, tick=False):
        pieces = api.get("/purchases/quantity_series", {"length": 2, "product": "shoes"})["data"]
        money = api.get("/purchases/revenue_series", {"length": 2})["data"]
        by_hour = api.get("/purchases/revenue_series", {"length": 1, "unit": "hour"})["data"]
    assert [row["purchase_quantity"] for row in pieces] == [2, 2]
    assert [row["revenue"] for row in money] == [5.0, 10.0]
    assert by_hour == [{"time": "2026-05-06T12:00:00+00:00", "revenue": 10.0}]
