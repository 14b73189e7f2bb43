"""Filters on what people received."""

from datetime import timedelta

import pytest
from django.utils import timezone

from audience import filters
from audience.models import Profile
from outreach.filters import VARIANTS
from outreach.models import ControlEntry, Conversion
from tests.campaigns.world import event
from tests.factories import CampaignFactory, ProfileFactory, TagFactory
from webhooks.models import Receipt

pytestmark = pytest.mark.django_db


@pytest.fixture
def people():
    """One who received and converted, one who received long ago, one held back, one about whom a place is reserved."""
    campaign = CampaignFactory(name="Spring")
    goal = campaign.conversion_events.create(trigger=event("ordered"))
    new, old, held, reserved = (ProfileFactory(external_id=name) for name in ("new", "old", "held", "reserved"))
    now = timezone.now()
    for profile, at in ((new, now - timedelta(hours=1)), (old, now - timedelta(days=40))):
        Receipt.objects.create(sender=campaign.sender, profile=profile, cause=1, reserved_at=at, received_at=at)
    Receipt.objects.create(sender=campaign.sender, profile=reserved, cause=1, reserved_at=now)
    ControlEntry.objects.create(outreach=campaign, profile=held, cause=1, entered_at=now)
    for profile, is_control in ((new, False), (held, True)):
        Conversion.objects.create(
            event=goal,
            outreach=campaign,
            profile=profile,
            cause=1,
            exposed_at=now,
            converted_at=now,
            is_control=is_control,
        )
    return campaign


def found(tree) -> set[str]:
    assert filters.validate(tree) == []
    rows = Profile.objects.filter(filters.compile_tree(tree, timezone.now()))
    return set(rows.values_list("external_id", flat=True))


EVERYBODY = {"new", "old", "held", "reserved"}


@pytest.mark.parametrize(
    ("leaf", "expected"),
    [
        ({"filter": "received_outreach", "op": "received"}, {"new", "old"}),
        ({"filter": "received_outreach", "op": "not_received"}, {"held", "reserved"}),
        ({"filter": "converted", "op": "in"}, {"new"}),
        ({"filter": "converted", "op": "not_in"}, EVERYBODY - {"new"}),
        ({"filter": "in_control", "op": "in"}, {"held"}),
        ({"filter": "in_control", "op": "not_in"}, EVERYBODY - {"held"}),
    ],
)
def test_what_they_have_to_do_with_a_campaign(people, leaf, expected):
    tree = leaf | {"ids": [people.pk]}
    assert found(tree) == expected
    assert "Spring" in filters.sentence(tree)


@pytest.mark.parametrize(
    ("leaf", "expected"),
    [
        ({"op": "less_than_days_ago", "days": 1}, {"new"}),
        ({"op": "more_than_days_ago", "days": 30}, {"old"}),
    ],
)
def test_when_they_last_received_anything(people, leaf, expected):
    assert found({"filter": "last_received"} | leaf) == expected


def test_a_tag_counts_as_the_campaign_carries_it_now_with_those_below(people):
    parent, child = TagFactory(name="season"), TagFactory(name="season/spring")
    tree = {"filter": "received_tag", "op": "received", "ids": [parent.pk]}
    assert found(tree) == set()
    people.tags.add(child)
    assert found(tree) == {"new", "old"}
    assert found(tree | {"op": "not_received"}) == {"held", "reserved"}
    assert "season" in filters.sentence(tree)


def test_when_they_last_received_one_campaign_whatever_came_later(people):
    other = CampaignFactory(name="Other")
    old = Profile.objects.get(external_id="old")
    now = timezone.now()
    Receipt.objects.create(sender=other.sender, profile=old, cause=2, reserved_at=now, received_at=now)
    long_ago = {"filter": "last_received_outreach", "ids": [people.pk], "op": "more_than_days_ago", "days": 30}
    assert found(long_ago) == {"old"}
    assert found(long_ago | {"ids": [people.pk, other.pk]}) == set()
    assert found(long_ago | {"op": "less_than_days_ago"}) == {"new"}
    assert filters.sentence(long_ago) == "last received Spring more than 30 days ago"


def test_who_received_a_variant(people):
    one, two = people.variants.get(), people.variants.create(name="B", share=0)
    Receipt.objects.filter(profile__external_id="new").update(variant=two.pk)
    Receipt.objects.filter(profile__external_id="old").update(variant=one.pk)
    tree = {"filter": "received_variant", "op": "received", "ids": [two.pk]}
    assert found(tree) == {"new"}
    assert found(tree | {"op": "not_received"}) == EVERYBODY - {"new"}
    assert "B" in filters.sentence(tree)
    assert (two.pk, "Spring – B") in [*VARIANTS.choices()]


def test_who_never_received_anything(people):
    assert found({"filter": "received_anything", "op": "never"}) == {"held", "reserved"}
    assert found({"filter": "received_anything", "op": "ever"}) == {"new", "old"}


def test_when_they_last_received_something_tagged(people):
    parent, child = TagFactory(name="season"), TagFactory(name="season/spring")
    people.tags.add(child)
    tree = {"filter": "last_received_tag", "ids": [parent.pk], "op": "more_than_days_ago", "days": 30}
    assert found(tree) == {"old"}
    people.tags.clear()
    assert found(tree) == set()


def test_when_they_were_last_in_a_control_group(people):
    tree = {"filter": "last_in_control", "op": "less_than_days_ago", "days": 1}
    assert found(tree) == {"held"}
    ControlEntry.objects.update(entered_at=timezone.now() - timedelta(days=2))
    assert found(tree) == set()


@pytest.mark.parametrize(
    ("name", "op"),
    [
        ("received_outreach", {"op": "received"}),
        ("last_received_outreach", {"op": "less_than_days_ago", "days": 1}),
        ("received_variant", {"op": "received"}),
        ("received_tag", {"op": "received"}),
        ("last_received_tag", {"op": "less_than_days_ago", "days": 1}),
        ("converted", {"op": "in"}),
        ("in_control", {"op": "in"}),
        ("received_step", {"op": "received"}),
        ("last_received_step", {"op": "less_than_days_ago", "days": 1}),
        ("entered_variant", {"op": "entered"}),
        ("converted_canvas", {"op": "in"}),
        ("in_canvas_control", {"op": "in"}),
    ],
)
def test_what_is_gone_is_named(people, name, op):
    (problem,) = filters.validate({"filter": name, "ids": [9_999], **op})
    assert "9999 no longer exists" in problem.sentence
    assert filters.validate({"filter": name, "ids": ["x"], **op}) != []
