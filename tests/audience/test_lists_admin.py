"""Attributes, subscription groups, suppression lists and the global control group in the admin."""

import random

import pytest
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from audience import control, filters
from audience.ingest import track
from audience.models import BUCKETS, Attribute, GlobalControl, Profile, SuppressionList
from tests.conftest import NOON
from tests.factories import AdminFactory, ProfileFactory, SegmentFactory, TagFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(client):
    client.force_login(AdminFactory())
    return client


def url(name: str, *args: object) -> str:
    return reverse(f"admin:audience_{name}", args=args)


@given(percentage=st.integers(1, 15), seed=st.integers())
def test_a_control_group_has_its_share_of_the_buckets_and_none_in_common_with_the_other(percentage, seed):
    drawn = control.draw(percentage, random.Random(seed))
    mine, others = ({b for first, last in ranges for b in range(first, last + 1)} for ranges in drawn)
    assert len(mine) == len(others) == percentage * BUCKETS // 100
    assert not mine & others
    assert mine | others <= set(range(BUCKETS))


def test_a_global_control_group_is_drawn_used_and_ended(admin):
    tag = TagFactory()
    admin.post(url("globalcontrol_add"), {"percentage": 10, "exclusion_tags": [tag.pk]})
    group = GlobalControl.objects.get()
    assert group.exclusion_tags.get() == tag
    first = group.ranges[0][0]
    ProfileFactory(external_id="in", random_bucket=first)
    chosen = filters.compile_tree({"filter": "global_control", "op": "in"}, NOON)
    assert [*Profile.objects.filter(chosen).values_list("external_id", flat=True)] == ["in"]
    assert (
        "There is a global control group. End it first." in admin.post(url("globalcontrol_add"), {"percentage": 5}).text
    )
    assert "1 profile can be messaged again" in admin.get(url("globalcontrol_end", group.pk)).text
    admin.post(url("globalcontrol_end", group.pk))
    admin.post(url("globalcontrol_add"), {"percentage": 5})
    assert GlobalControl.objects.filter(ended_at=None).get().percentage == 5
    assert "Ended" in admin.get(url("globalcontrol_change", group.pk)).text


def suppress(admin, name: str, tree: str, status: str = "active"):
    return admin.post(url("suppressionlist_add"), {"name": name, "filters": tree, "status": status}).text


def test_at_most_five_suppression_lists_are_active(admin):
    tree = '{"filter": "country", "op": "any_of", "values": ["KR"]}'
    for number in range(5):
        suppress(admin, f"list {number}", tree)
    assert "5 lists are active already." in suppress(admin, "one more", tree)
    suppress(admin, "one more", tree, "inactive")
    assert SuppressionList.objects.count() == 6


def test_a_suppression_list_is_made_of_filters_alone(admin):
    segment = SegmentFactory()
    tree = f'{{"filter": "segment", "op": "in", "segments": [{segment.pk}]}}'
    assert "can&#x27;t include segments" in suppress(admin, "x", tree)
    assert "Add at least one filter." in suppress(admin, "x", "{}")
    assert not SuppressionList.objects.exists()


def test_whoever_changes_the_type_of_an_attribute_fixes_it(admin):
    track(attributes=[{"external_id": "a", "zip": 1234}], now=NOON)
    attribute = Attribute.objects.get()
    assert not attribute.is_type_fixed
    admin.post(url("attribute_change", attribute.pk), {"type": "text"})
    attribute.refresh_from_db()
    assert (attribute.type, attribute.is_type_fixed) == ("text", True)
    assert track(attributes=[{"external_id": "b", "zip": "01234"}], now=NOON).errors == []


def test_what_is_blocked_is_refused_and_not_offered(admin):
    track(attributes=[{"external_id": "a", "plan": "pro"}], now=NOON)
    attribute = Attribute.objects.get()
    admin.post(url("attribute_change", attribute.pk), {"type": "text", "is_blocked": "on"})
    batch = track(attributes=[{"external_id": "a", "plan": "free"}], now=NOON)
    assert [error.type for error in batch.errors] == ["'plan' is blocked"]
    assert 'value="plan"' not in admin.get(url("segment_add")).text


@pytest.mark.parametrize(
    "name",
    ["attribute", "eventname", "currencyrate", "subscriptiongroup", "suppressionlist", "globalcontrol", "import"],
)
def test_every_list_opens_empty(admin, name):
    assert admin.get(url(f"{name}_changelist")).status_code == 200
    assert admin.get(url(f"{name}_add")).status_code == 200
