"""`POST /users/track`."""

import time

import pytest

from audience.models import CustomEvent, Profile, Purchase

pytestmark = pytest.mark.django_db
WHEN = "2026-03-01T09:30:00Z"


def event(n: int, **values):
    return {"external_id": f"user-{n}", "name": "visited", "time": WHEN, "properties": {"n": n}, **values}


def purchase(n: int, **values):
    return {
        "external_id": f"user-{n}", "product_id": "shoes", "currency": "usd", "price": 9.5, "time": WHEN, **values
    }  # fmt: skip


def test_three_lists_of_75_are_stored_at_once_in_under_a_second(api):
    people = [{"external_id": f"user-{n}", "first_name": f"N{n}", "tags": ["a", "b"]} for n in range(75)]
    began = time.process_time()
    answer = api.post(
        "/users/track",
        {"attributes": people, "events": [event(n) for n in range(75)], "purchases": [purchase(n) for n in range(75)]},
    )
    assert time.process_time() - began < 1
    assert answer == {
        "message": "success",
        "attributes_processed": 75,
        "events_processed": 75,
        "purchases_processed": 75,
    }
    assert (Profile.objects.count(), CustomEvent.objects.count(), Purchase.objects.count()) == (75, 75, 75)


def test_a_bad_object_beside_a_good_one_is_named_and_the_good_one_stored(api):
    answer = api.post("/users/track", {"attributes": [], "events": [event(1), {"external_id": "x", "time": WHEN}, 7]})
    assert answer["events_processed"] == 1
    assert "attributes_processed" not in answer
    assert answer["errors"] == [
        {"type": "'name' is required", "input_array": "events", "index": 1},
        {"type": "'events' must hold objects", "input_array": "events", "index": 2},
    ]
    assert CustomEvent.objects.count() == 1


def test_nothing_valid_is_400_with_the_reasons(api):
    answer = api.post("/users/track", {"events": [{"name": "x", "time": WHEN}], "purchases": None}, 400)
    assert answer["message"].startswith("Valid data must be provided")
    assert answer["errors"][0]["type"] == "'external_id', 'braze_id', 'user_alias', 'email' or 'phone' is required"
    assert api.post("/users/track", {}, 400)["message"].startswith("Valid data")


def test_76_events_are_refused_and_nothing_is_written(api):
    body = {"attributes": [{"external_id": "a", "x": 1}], "events": [event(n) for n in range(76)]}
    assert api.post("/users/track", body, 400)["message"] == "Max Input Length Exceeded"
    assert not Profile.objects.exists()


def test_numbers_as_ids_are_taken_as_text(api):
    api.post("/users/track", {"attributes": [{"external_id": 42, "x": 1}], "purchases": [purchase(1, product_id=7)]})
    assert Profile.objects.filter(external_id="42").exists()
    assert Purchase.objects.get().product_id == "7"


@pytest.mark.parametrize("depth", [40, 100, 300])
def test_properties_100_deep_are_an_error_of_that_object_alone(api, depth):
    deep: object = 1
    for _ in range(depth):
        deep = {"x": deep}
    answer = api.post("/users/track", {"events": [event(1), event(2, properties={"deep": deep})]})
    assert (answer["events_processed"], answer["errors"][0]["index"]) == (1, 1)
    assert CustomEvent.objects.count() == 1


def test_an_attribute_that_cannot_be_stored_is_named_and_the_others_are_set(api):
    answer = api.post("/users/track", {"attributes": [{"external_id": "a", "pet": {"age": None}, "city": "Seoul"}]})
    assert answer["attributes_processed"] == 1
    assert answer["errors"] == [{"type": "'pet' is not valid", "input_array": "attributes", "index": 0}]
    assert Profile.objects.get().custom_attributes == {"city": "Seoul"}


@pytest.mark.parametrize("value", [True, -1.5, "x", [], {}, [1], {"external_id": {}}, None])
def test_odd_values_are_named_never_a_fault(api, value):
    odd = {"external_id": value, "name": value, "time": value, "product_id": value, "price": value, "currency": value}
    for name in ("events", "purchases"):
        answer = api.post("/users/track", {name: [value, odd, {"user_alias": value, "properties": value}]}, 400)
        assert [error["index"] for error in answer["errors"]] == [0, 1, 2]
    assert not CustomEvent.objects.exists()


def test_the_bulk_header_and_unknown_fields_are_ignored(api):
    assert api.post("/users/track", {"app": "x", "events": [event(1)]}, **{"X-Braze-Bulk": "true"})
