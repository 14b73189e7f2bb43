"""Content Blocks, subscription groups and catalogs."""

import pytest

from audience.models import SubscriptionGroup, SubscriptionState
from tests.api.conftest import NOBODY
from tests.canvas import world as canvases
from tests.factories import CampaignFactory, ProfileFactory, TagFactory, content_of
from webhooks.models import Catalog, CatalogItem, ContentBlock

pytestmark = pytest.mark.django_db

# --- Content Blocks


def test_a_block_is_made_told_changed_and_listed(api):
    TagFactory(name="shop")
    made = api.post("/content_blocks/create", {"name": "footer", "content": "Bye {{${first_name}}}", "tags": ["shop"]})
    assert made["liquid_tag"] == "{{content_blocks.${footer}}}"
    key = made["content_block_id"]
    info = api.get("/content_blocks/info", {"content_block_id": key})
    assert (info["content"], info["description"], info["tags"]) == ("Bye {{${first_name}}}", "", ["shop"])
    assert "inclusion_data" not in info
    changed = {"content_block_id": key, "name": "footer", "description": "words", "tags": []}
    assert api.post("/content_blocks/update", changed)["updated_at"]
    (row,) = api.get("/content_blocks/list")["content_blocks"]
    assert (row["name"], row["tags"], row["content_type"], row["inclusion_count"]) == ("footer", [], "text", 0)
    assert api.get("/content_blocks/list", {"offset": 0, "limit": 1})["count"] == 1
    assert api.get("/content_blocks/list", {"modified_after": "2999-01-01"})["count"] == 0


def test_a_block_says_where_it_is_used(api):
    block = ContentBlock.objects.create(name="footer", content="Bye")
    campaign = CampaignFactory()
    canvas = canvases.build([canvases.message()])
    step_content = canvas.versions.get().revisions.get().contents.get()
    for content in (content_of(campaign), step_content):
        content.pairs = [{"key": "a", "value": "{{content_blocks.${footer}}}", "type": "text", "omit_blank": False}]
        content.save()
    query = {"content_block_id": str(block.key), "include_inclusion_data": "true"}
    info = api.get("/content_blocks/info", query)
    assert info["inclusion_count"] == 2
    assert [{*use} for use in info["inclusion_data"]] == [
        {"campaign_id", "message_variation_id"},
        {"canvas_step_id", "message_variation_id"},
    ]
    assert info["inclusion_data"][0]["campaign_id"] == str(campaign.key)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"name": ""}, "Content Block name cannot be blank"),
        ({"name": "a b"}, "Content Block name can only contain alphanumeric characters"),
        ({"name": "x" * 100}, "Content Block name must be shorter than 100 characters"),
        ({"name": "taken"}, "Content Block with this name already exists"),
        ({"content": ""}, "Content cannot be blank"),
        ({"content": 7}, "Content must be a string"),
        ({"content": "x" * 51_300}, "Content must be smaller than 50kb"),
        ({"content": "{% if %}"}, "Content contains malformed liquid"),
        ({"content": "{{content_blocks.${new}}}"}, "Content Block cannot be referenced within itself"),
        ({"state": "archived"}, "Content Block state must be either active or draft"),
        ({"description": "x" * 250}, "Content Block description must be shorter than 250 characters"),
        ({"tags": "x"}, "Tags must be an array"),
        ({"tags": [7]}, "All tags must be strings"),
        ({"tags": ["nonsense"]}, "Some tags could not be found"),
    ],
)
def test_blocks_that_cannot_be_stored_are_400_with_the_known_texts(api, values, message):
    ContentBlock.objects.create(name="taken", content="x")
    answer = api.post("/content_blocks/create", {"name": "new", "content": "x", **values}, 400)
    assert answer["message"] == message
    assert ContentBlock.objects.count() == 1


def test_active_blocks_keep_their_name_and_state_and_drafts_may_change_both(api):
    active = ContentBlock.objects.create(name="active", content="x")
    draft = ContentBlock.objects.create(name="draft", content="x", state="draft")

    def update(block, status=201, **values):
        return api.post("/content_blocks/update", {"content_block_id": str(block.key), **values}, status)["message"]

    assert "name cannot be updated" in update(active, 400, name="other")
    assert "can not be updated to Draft" in update(active, 400, state="draft")
    assert update(draft, name="other", state="active") == "success"
    for value in ("", 7, "x", NOBODY):
        assert "Content Block ID" in api.post("/content_blocks/update", {"content_block_id": value}, 400)["message"]
    early = api.get("/content_blocks/list", {"modified_after": "2026-02-01", "modified_before": "2026-01-01"}, 400)
    assert early["message"].startswith("Modified after time")


# --- subscription groups


@pytest.fixture
def group():
    return SubscriptionGroup.objects.create(name="News", channel="webhook")


def test_people_are_put_in_and_out_by_id_or_address(api, group):
    ProfileFactory(external_id="ada", email="Ada@example.com")
    ProfileFactory(external_id="bob", phone="+821012345678")
    ours = {"subscription_group_id": str(group.key)}
    api.post("/subscription/status/set", {**ours, "external_id": ["ada", "nobody"], "subscription_state": "subscribed"})
    api.post("/subscription/status/set", {**ours, "phone": "+82 10 1234 5678", "subscription_state": "unsubscribed"})
    query = {**ours, "external_id[]": ["ada", "bob", "nobody"]}
    assert api.get("/subscription/status/get", query)["status"] == {
        "ada": "Subscribed",
        "bob": "Unsubscribed",
        "nobody": "Unknown",
    }
    by_email = api.get("/subscription/status/get", {**ours, "email": "ada@EXAMPLE.com"})
    assert by_email["status"] == {"ada@EXAMPLE.com": "Subscribed"}
    newer = {"subscription_groups": [{**ours, "subscription_state": "unsubscribed", "external_ids": ["ada"]}]}
    api.post("/v2/subscription/status/set", newer)
    answer = api.get("/subscription/user/status", {"external_id[0]": "ada"})
    assert answer["total_count"] == 1
    assert answer["users"][0]["subscription_groups"] == [
        {"id": str(group.key), "name": "News", "channel": "webhook", "status": "Unsubscribed"}
    ]
    doubled = api.client.get("http://testserver//subscription/user/status?external_id=ada", headers=api.headers())
    assert doubled.json()["total_count"] == 1


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"subscription_group_id": NOBODY}, "Invalid subscription group ID"),
        ({"subscription_group_id": 7}, "Invalid subscription group ID"),
        ({"subscription_state": "maybe"}, "subscription_state"),
        ({"external_id": None}, "required"),
        ({"external_id": ["x"] * 51}, "The max number of ids"),
        ({"external_id": None, "email": "a@b.c", "phone": "1"}, "only one of"),
    ],
)
def test_unusable_settings_are_400_and_change_nothing(api, group, values, message):
    ProfileFactory(external_id="ada")
    body = {"subscription_group_id": str(group.key), "subscription_state": "subscribed", "external_id": "ada"}
    assert message in api.post("/subscription/status/set", {**body, **values}, 400)["message"]
    entries = [body, {**body, **values}]
    if "phone" not in values:
        assert message in api.post("/v2/subscription/status/set", {"subscription_groups": entries}, 400)["message"]
    assert not SubscriptionState.objects.exists()


# --- catalogs

FIELDS = [{"name": "id", "type": "string"}, {"name": "price", "type": "number"}, {"name": "tags", "type": "array"}]


@pytest.fixture
def catalog(api):
    api.post("/catalogs", {"catalogs": [{"name": "shoes", "description": "all", "fields": FIELDS}]})
    return Catalog.objects.get()


def test_a_catalog_is_made_listed_and_deleted(api, catalog):
    (row,) = api.get("/catalogs")["catalogs"]
    assert (row["name"], row["description"], row["num_items"], row["source"]) == ("shoes", "all", 0, "API")
    assert [{*field} for field in row["fields"]] == [{"name", "type", "token"}] * 3
    api.post("/catalogs/shoes", None, 200, "DELETE")
    assert api.post("/catalogs/shoes", None, 404, "DELETE")["errors"][0]["id"] == "catalog-not-found"


def test_items_are_added_changed_replaced_and_deleted_in_bulk(api, catalog):
    def items(method, *rows, status=202):
        return api.post("/catalogs/shoes/items", {"items": [*rows]}, status, method)

    items("POST", {"id": "a", "price": 1, "tags": ["x"]}, {"id": "b", "price": 2})
    assert items("POST", {"id": "a"}, {"id": "c"}, status=400)["errors"][0]["id"] == "ids-not-unique"
    items("PATCH", {"id": "a", "price": 3})
    assert items("PATCH", {"id": "a"}, {"id": "zz"}, status=404)["errors"][0]["id"] == "item-not-found"
    items("PUT", {"id": "b", "tags": []}, {"id": "d"})
    assert api.get("/catalogs/shoes/items")["items"] == [
        {"id": "a", "price": 3, "tags": ["x"]},
        {"id": "b", "tags": []},
        {"id": "d"},
    ]
    items("DELETE", {"id": "a"}, {"id": "nobody"})
    assert CatalogItem.objects.count() == 2


def test_one_item_is_made_read_changed_replaced_and_deleted(api, catalog):
    path = "/catalogs/shoes/items/a"
    api.post(path, {"items": [{"price": 1, "tags": ["x"]}]})
    assert api.post(path, {"items": [{}]}, 400)["errors"][0]["id"] == "ids-not-unique"
    api.post(path, {"items": [{"price": 2}]}, 200, "PATCH")
    assert api.get(path)["items"] == [{"id": "a", "price": 2, "tags": ["x"]}]
    api.post(path, {"items": [{"price": 4}]}, 200, "PUT")
    assert api.get(path)["items"] == [{"id": "a", "price": 4}]
    api.post(path, None, 200, "DELETE")
    for method in ("GET", "DELETE", "PATCH"):
        body = {"items": [{}]} if method == "PATCH" else None
        assert api.post(path, body, 404, method)["errors"][0]["id"] == "item-not-found"


def test_further_items_stand_in_a_relative_link(api, catalog):
    CatalogItem.objects.bulk_create(CatalogItem(catalog=catalog, item_id=f"i{n:03}") for n in range(101))
    pages = []
    path = "/catalogs/shoes/items"
    while path:
        pages.append(len(api.get(path)["items"]))
        links = {
            part.partition('rel="')[2][:4]: part[part.index("<") + 1 : part.index(">")]
            for part in api.last.get("Link", "").split(",")
            if part
        }
        path = links.get("next")
    assert pages == [50, 50, 1]
    assert links["prev"].startswith("/catalogs/shoes/items?cursor=")
    assert api.get("/catalogs/shoes/items?cursor=x!", status=400)["errors"][0]["id"] == "invalid-cursor"


@pytest.mark.parametrize(
    ("catalogs", "fault"),
    [
        (None, "catalog-array-invalid"),
        ([], "catalog-array-invalid"),
        ([7], "catalog-array-invalid"),
        ([{}, {}], "too-many-catalog-atoms"),
        ([{"name": "a b", "fields": FIELDS}], "invalid-catalog-name"),
        ([{"name": "x" * 251, "fields": FIELDS}], "catalog-name-too-large"),
        ([{"name": "shoes", "fields": FIELDS}], "catalog-name-already-exists"),
        ([{"name": "n", "fields": FIELDS, "description": "x" * 251}], "description-too-long"),
        ([{"name": "n", "fields": 7}], "invalid-fields"),
        ([{"name": "n", "fields": [{"name": "a b"}]}], "invalid-field-names"),
        ([{"name": "n", "fields": FIELDS + FIELDS}], "field-names-not-unique"),
        ([{"name": "n", "fields": [{"name": "id", "type": "x"}]}], "invalid-field-types"),
        ([{"name": "n", "fields": FIELDS[1:]}], "id-not-first-column"),
        ([{"name": "n", "fields": FIELDS * 200}], "too-many-fields"),
    ],
)
def test_catalogs_that_cannot_be_made_are_400_with_the_faults_name(api, catalog, catalogs, fault):
    answer = api.post("/catalogs", {"catalogs": catalogs}, 400)
    assert (answer["message"], answer["errors"][0]["id"]) == ("Invalid Request", fault)
    assert {*answer["errors"][0]} == {"id", "message", "parameters", "parameter_values"}


@pytest.mark.parametrize(
    ("items", "fault"),
    [
        (None, "item-array-invalid"),
        ([7], "item-array-invalid"),
        ([{}], "items-missing-ids"),
        ([{"id": 7}], "ids-not-strings"),
        ([{"id": "a"}, {"id": "a"}], "ids-not-unique"),
        ([{"id": "x" * 251}], "ids-too-large"),
        ([{"id": "a b"}], "invalid-ids"),
        ([{"id": str(n)} for n in range(51)], "request-includes-too-many-items"),
        ([{"id": "a", "price": "much"}], "unable-to-coerce-value"),
        ([{"id": "a", "colour": "red"}], "invalid-fields"),
        ([{"id": "a", "tags": ["x" * 6_000]}], "items-too-large"),
        ([{"id": "a", "tags": [{"$x": 1}]}], "invalid-keys-in-value-object"),
    ],
)
def test_items_that_cannot_be_stored_are_400_and_none_is(api, catalog, items, fault):
    body = {"items": [{"id": "fine"}, *items] if isinstance(items, list) and len(items) < 50 else items}
    assert api.post("/catalogs/shoes/items", body, 400)["errors"][0]["id"] == fault
    assert not CatalogItem.objects.exists()


# --- email subscription


def test_the_email_subscription_of_everybody_with_the_address_is_set_and_told(api):
    for name in ("a", "b"):
        ProfileFactory(external_id=name, email="Same@example.com")
    api.post("/email/status", {"email": "same@example.com", "subscription_state": "unsubscribed"})
    api.post("/email/status", {"email": ["nobody@example.com"], "subscription_state": "opted_in"})
    found = api.get("/email/unsubscribes", {"email": "SAME@example.com"})["emails"]
    assert [row["email"] for row in found] == ["Same@example.com"] * 2
    assert api.get("/email/unsubscribes", {"start_date": "2020-01-01", "end_date": "2999-01-01", "limit": 1})["emails"]
    assert api.get("/email/unsubscribes", {"start_date": "2020-01-01", "end_date": "2020-01-02"})["emails"] == []
    for query in ({}, {"start_date": "2020-01-01"}, {"start_date": "0001-01-01", "end_date": "9999-12-31"}):
        api.get("/email/unsubscribes", query, 400)
    for body in ({}, {"email": "a@b.c"}, {"email": ["a"] * 51, "subscription_state": "subscribed"}):
        api.post("/email/status", body, 400)
