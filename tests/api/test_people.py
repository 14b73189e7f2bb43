"""Exports, aliases, identify, merge, delete, external IDs."""

from datetime import timedelta

import pytest
from django.utils import timezone

from audience.models import Alias, CustomEvent, EventSummary, FormerId, Profile, SubscriptionGroup, SubscriptionState
from tests.factories import CampaignFactory, CustomEventFactory, MessageFactory, ProfileFactory, PurchaseFactory
from webhooks.models import Message, Receipt

pytestmark = pytest.mark.django_db


def alias(name="a-1", label="crm"):
    return {"alias_name": name, "alias_label": label}


# --- export


def test_an_export_says_what_is_known_and_what_was_asked_for(api):
    api.post("/users/track", {
        "attributes": [{
            "external_id": "ada", "first_name": "Ada", "dob": "1990-02-01", "phone": "+82 10 1234 5678",
            "current_location": {"longitude": 1.5, "latitude": 2}, "plan": "pro",
        }],
        "events": [{"external_id": "ada", "name": "visited", "time": "2026-03-01"}],
        "purchases": [{"external_id": "ada", "product_id": "x", "currency": "USD", "price": 2, "quantity": 3,
                       "time": timezone.now().isoformat()}],
    })  # fmt: skip
    answer = api.post("/users/export/ids", {"external_ids": ["ada", "nobody"], "user_aliases": []})
    (ada,) = answer["users"]
    assert answer["invalid_user_ids"] == ["nobody"]
    assert {name: ada[name] for name in ("external_id", "first_name", "dob", "phone", "last_coordinates")} == {
        "external_id": "ada",
        "first_name": "Ada",
        "dob": "1990-02-01",
        "phone": "+821012345678",
        "last_coordinates": [1.5, 2],
    }
    assert ada["custom_attributes"] == {"plan": "pro"}
    assert ada["purchases"][0]["count"] == 3
    assert ada["total_revenue"] == 6.0
    assert "last_name" not in ada
    fields = {"external_ids": ["ada"], "fields_to_export": ["braze_id", "custom_attributes", "nonsense"]}
    assert {*api.post("/users/export/ids", fields)["users"][0]} == {"braze_id", "custom_attributes"}


def test_an_export_knows_the_campaigns_somebody_received(api):
    ada, campaign = ProfileFactory(external_id="ada"), CampaignFactory(name="Spring")
    now = timezone.now()
    Receipt.objects.create(sender=campaign.sender, profile=ada, cause=1, reserved_at=now, received_at=now)
    (received,) = api.post("/users/export/ids", {"external_ids": ["ada"]})["users"][0]["campaigns_received"]
    assert received["name"] == "Spring"
    assert received["api_campaign_id"] == str(campaign.key)
    assert received["converted"] is False


def test_every_profile_with_an_address_is_exported_once(api):
    for name in ("a", "b"):
        ProfileFactory(external_id=name, email="Same@example.com")
    answer = api.post("/users/export/ids", {"email_address": "same@EXAMPLE.com", "external_ids": ["a"]})
    assert [user["external_id"] for user in answer["users"]] == ["a", "b"]
    assert api.post("/users/export/ids", {"email_address": "no@example.com"})["users"] == []


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "required"),
        ({"external_ids": []}, "required"),
        ({"email_address": "a@b.c", "phone": "1"}, "only one of"),
        ({"external_ids": ["x"] * 51}, "The max number of ids per request was exceeded"),
        ({"external_ids": ["x"] * 50, "user_aliases": [alias()]}, "The max number of ids per request was exceeded"),
        ({"user_aliases": [{"alias_name": "x"}]}, "alias_label"),
        ({"user_aliases": [7]}, "user_alias"),
        ({"external_ids": "x"}, "external_ids"),
        ({"external_ids": [None]}, "external_ids"),
    ],
)
def test_unusable_exports_are_400(api, body, message):
    assert message in api.post("/users/export/ids", body, 400)["message"]


def test_fifty_people_are_exported_with_the_same_number_of_queries(api, django_assert_max_num_queries):
    for n in range(50):
        CustomEventFactory(profile=ProfileFactory(external_id=f"u{n}"))
    with django_assert_max_num_queries(24):
        assert len(api.post("/users/export/ids", {"external_ids": [f"u{n}" for n in range(50)]})["users"]) == 50


# --- aliases


def test_aliases_are_added_or_make_a_profile_of_their_own(api):
    ada = ProfileFactory(external_id="ada")
    items = [alias() | {"external_id": "ada"}, alias("b-1"), alias("c") | {"external_id": "nobody"}, {"alias_name": 7}]
    answer = api.post("/users/alias/new", {"user_aliases": items})
    assert answer["aliases_processed"] == 3
    assert answer["errors"] == [{"type": "'alias_label' is required", "input_array": "user_aliases", "index": 3}]
    assert Alias.objects.get(name="a-1").profile == ada
    assert Alias.objects.get(name="b-1").profile.external_id is None
    assert not Alias.objects.filter(name="c").exists()
    again = [alias("b-1") | {"external_id": "ada"}, alias("a-2") | {"external_id": "ada"}]
    assert api.post("/users/alias/new", {"user_aliases": again})["aliases_processed"] == 2
    assert Alias.objects.count() == 2
    assert api.post("/users/alias/new", {"user_aliases": []}, 400)
    assert api.post("/users/alias/new", {"user_aliases": [{}]}, 400)["errors"]


def test_aliases_are_renamed_unless_the_name_is_taken(api):
    for name in ("old", "taken"):
        Alias.objects.create(profile=ProfileFactory(), label="crm", name=name)
    for new in ("taken", "new"):
        update = {"alias_label": "crm", "old_alias_name": "old", "new_alias_name": new}
        assert api.post("/users/alias/update", {"alias_updates": [update]})["aliases_processed"] == 1
    assert {*Alias.objects.values_list("name", flat=True)} == {"taken", "new"}


# --- identify and merge


def identify(api, external_id="ada", **more):
    return api.post(
        "/users/identify", {"aliases_to_identify": [{"external_id": external_id, "user_alias": alias()}], **more}
    )


def test_an_anonymous_profile_gets_the_external_id(api):
    api.post("/users/alias/new", {"user_aliases": [alias()]})
    assert identify(api) == {"message": "success", "aliases_processed": 1}
    assert Profile.objects.get().external_id == "ada"


def test_identifying_an_alias_that_does_not_exist_is_a_success(api):
    assert identify(api)["aliases_processed"] == 1
    assert not Profile.objects.exists()


def test_an_anonymous_profile_is_merged_into_the_known_one(api):
    now = timezone.now()
    ada = ProfileFactory(external_id="ada", first_name="", custom_attributes={"plan": "pro"})
    other = ProfileFactory(
        external_id=None, first_name="Ada", email="a@example.com", custom_attributes={"plan": "x", "n": 1}
    )
    Alias.objects.create(profile=other, label="crm", name="a-1")
    for profile in (ada, other):
        CustomEventFactory(profile=profile)
        EventSummary.objects.create(profile=profile, kind="event", name="visited", count=2, first_at=now, last_at=now)
    message = MessageFactory(profile=other)
    group = SubscriptionGroup.objects.create(name="News")
    SubscriptionState.objects.create(profile=other, group=group, state="subscribed")
    Receipt.objects.create(sender=message.sender, profile=other, cause=7, reserved_at=now, received_at=now)
    identify(api)
    (kept,) = Profile.objects.all()
    assert (kept.pk, kept.first_name, kept.email) == (ada.pk, "Ada", "a@example.com")
    assert kept.custom_attributes == {"plan": "pro", "n": 1}
    assert EventSummary.objects.get().count == 4
    assert {CustomEvent.objects.filter(profile=ada).count(), Message.objects.get().profile_id} == {2, ada.pk}
    assert (Receipt.objects.get().profile_id, SubscriptionState.objects.get().profile_id) == (ada.pk, ada.pk)
    assert Alias.objects.get().profile == ada


def test_nothing_is_merged_where_the_label_is_taken_or_the_other_has_an_external_id(api):
    ada = ProfileFactory(external_id="ada")
    Alias.objects.create(profile=ada, label="crm", name="own")
    other = ProfileFactory(external_id=None)
    Alias.objects.create(profile=other, label="crm", name="a-1")
    identify(api)
    Profile.objects.filter(pk=other.pk).update(external_id="bob")
    identify(api)
    assert Profile.objects.count() == 2


def test_merge_behavior_none_only_hands_aliases_over(api):
    ada, other = ProfileFactory(external_id="ada"), ProfileFactory(external_id=None)
    Alias.objects.create(profile=other, label="crm", name="a-1")
    identify(api, merge_behavior="none")
    assert Profile.objects.count() == 2
    assert Alias.objects.get().profile == ada


def test_addresses_need_a_prioritization(api):
    anonymous = ProfileFactory(external_id=None, email="a@example.com")
    ProfileFactory(external_id="bob", email="a@example.com")
    item = {"external_id": "ada", "email": "A@example.com"}
    assert "'prioritization' is required" in str(api.post("/users/identify", {"emails_to_identify": [item]}, 400))
    both = item | {"prioritization": ["identified", "unidentified"]}
    assert "not valid" in str(api.post("/users/identify", {"emails_to_identify": [both]}, 400))
    api.post("/users/identify", {"emails_to_identify": [item | {"prioritization": ["unidentified"]}]})
    anonymous.refresh_from_db()
    assert anonymous.external_id == "ada"


def test_two_known_profiles_become_one(api):
    ada, bob = ProfileFactory(external_id="ada"), ProfileFactory(external_id="bob", last_name="Bee")
    pair = {"identifier_to_merge": {"external_id": "bob"}, "identifier_to_keep": {"external_id": "ada"}}
    assert api.post("/users/merge", {"merge_updates": [pair]}, 202) == {"message": "success"}
    assert not Profile.objects.filter(pk=bob.pk).exists()
    ada.refresh_from_db()
    assert ada.last_name == "Bee"


@pytest.mark.parametrize(
    ("updates", "message"),
    [
        (None, "must be an array of objects"),
        ({}, "must be an array of objects"),
        ([7], "must be an array of objects"),
        ([{}] * 51, "more than 50"),
        ([{"identifier_to_merge": {}}], "must only have"),
        ([{"identifier_to_merge": {"external_id": {}}, "identifier_to_keep": {}}], "identifiers must be objects"),
        ([{"identifier_to_merge": 7, "identifier_to_keep": {"email": "a@b.c"}}], "identifiers must be objects"),
    ],
)
def test_merges_that_cannot_be_read_are_400(api, updates, message):
    assert message in api.post("/users/merge", {"merge_updates": updates}, 400)["message"]


# --- deletion


def test_a_deleted_person_is_gone_with_all_that_is_personal(api):
    ada = ProfileFactory(external_id="ada")
    CustomEventFactory(profile=ada)
    PurchaseFactory(profile=ada)
    message = MessageFactory(profile=ada, context={"api_trigger_properties": {"secret": 1}})
    answer = api.post("/users/delete", {"external_ids": ["ada", "nobody"]})
    assert answer == {"message": "success", "deleted": 2}
    assert not Profile.objects.exists()
    assert not CustomEvent.objects.exists()
    message.refresh_from_db()
    assert message.context is None


def test_people_are_deleted_by_address_as_prioritized(api):
    old = ProfileFactory(email="a@example.com")
    new = ProfileFactory(email="a@example.com")
    Profile.objects.filter(pk=old.pk).update(updated_at=timezone.now() - timedelta(days=1))
    api.post("/users/delete", {"email_addresses": ["a@example.com"]})
    assert [*Profile.objects.values_list("pk", flat=True)] == [old.pk]
    least = [{"email": "a@example.com", "prioritization": ["least_recently_updated"]}]
    assert api.post("/users/delete", {"email_addresses": least}, 400)["errors"][0]["input_array"] == "email_addresses"
    assert new.pk


@pytest.mark.parametrize(
    "body", [{}, {"external_ids": []}, {"external_ids": ["a"], "braze_ids": ["b"]}, {"external_ids": ["a"] * 51}]
)
def test_a_deletion_names_one_kind_of_up_to_50(api, body):
    ProfileFactory(external_id="a")
    api.post("/users/delete", body, 400)
    assert Profile.objects.exists()


# --- external IDs


def test_a_renamed_profile_is_found_by_both_ids_and_deleted_by_either(api):
    ProfileFactory(external_id="ada")
    renames = [
        {"current_external_id": "ada", "new_external_id": "ada-2"},
        {"current_external_id": "ada", "new_external_id": "ada-3"},
        {"current_external_id": "ada-2", "new_external_id": "ada"},
        {"current_external_id": "ada-2"},
    ]
    answer = api.post("/users/external_ids/rename", {"external_id_renames": renames})
    assert answer["external_ids"] == [renames[0]]
    assert [index for index, _text in answer["rename_errors"]] == [1, 2, 3]
    assert [user["external_id"] for user in api.post("/users/export/ids", {"external_ids": ["ada"]})["users"]] == [
        "ada-2"
    ]
    api.post("/users/track", {"attributes": [{"external_id": "ada", "x": 1}]})
    assert Profile.objects.get().custom_attributes == {"x": 1}
    api.post("/users/delete", {"external_ids": ["ada"]})
    assert not Profile.objects.exists()


def test_a_former_id_is_removed_and_a_primary_one_is_not(api):
    ada = ProfileFactory(external_id="ada")
    FormerId.objects.create(profile=ada, external_id="old")
    answer = api.post("/users/external_ids/remove", {"external_ids": ["old", "ada", "nobody"]})
    assert answer["removed_ids"] == ["old"]
    assert [index for index, _text in answer["removal_errors"]] == [1, 2]
    assert not FormerId.objects.exists()
