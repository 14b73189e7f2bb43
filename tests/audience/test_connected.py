"""Connected audiences: the filters that come with an API call."""

from datetime import timedelta

import pytest

from audience import connected, segments
from audience.connected import BadAudience
from audience.ingest import track
from audience.models import Profile
from tests.conftest import NOON

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def people():
    """Ada has every attribute, Bob other values, Cy none."""
    ada = {"plan": "pro", "visits": 3, "vip": True, "tags": ["a", "b"], "seen": "2026-05-01T12:00:00Z", "zero": 0}
    bob = {"plan": "free", "visits": -1, "vip": False, "tags": ["c"], "seen": "2026-06-01T12:00:00Z", "zero": 1}
    track(
        attributes=[
            {"external_id": "ada", **ada},
            {"external_id": "bob", "email_subscribe": "unsubscribed", **bob},
            {"external_id": "cy", "push_subscribe": "opted_in"},
        ],
        events=[{"external_id": "ada", "name": "visited", "time": (NOON - timedelta(hours=1)).isoformat()}],
        now=NOON,
    )


def selected(audience) -> str:
    """Who is selected, as initials."""
    tree = connected.tree(audience, NOON)
    assert segments.problems((), tree, NOON) == []
    names = segments.members((), tree, NOON).order_by("external_id").values_list("external_id", flat=True)
    return "".join(name[0] for name in names)


def attribute(name, comparison, *value):
    filter = {"custom_attribute_name": name, "comparison": comparison}
    return {"custom_attribute": filter | ({"value": value[0]} if value else {})}


@pytest.mark.parametrize(
    ("filter", "who"),
    [
        (attribute("plan", "equals", "pro"), "a"),
        (attribute("plan", "not_equal", "pro"), "bc"),
        (attribute("plan", "matches_regex", "^p.o$"), "a"),
        (attribute("plan", "does_not_match_regex", "^p"), "bc"),
        (attribute("plan", "exists"), "ab"),
        (attribute("plan", "does_not_exist"), "c"),
        (attribute("plan", "equals", 3), ""),
        (attribute("tags", "includes_value", "a"), "a"),
        (attribute("tags", "does_not_include_value", "a"), "bc"),
        (attribute("visits", "equals", 3), "a"),
        (attribute("visits", "does_not_equal", 3), "bc"),
        (attribute("visits", "greater_than", -1), "a"),
        (attribute("visits", "greater_than_or_equal_to", -1), "ab"),
        (attribute("visits", "less_than", 3), "b"),
        (attribute("visits", "less_than_or_equal_to", 3), "ab"),
        (attribute("zero", "equals", 0), "a"),
        (attribute("zero", "less_than", 1), "a"),
        (attribute("vip", "equals", True), "a"),
        (attribute("vip", "does_not_equal", True), "bc"),
        (attribute("seen", "before", "2026-05-01T12:00:01Z"), "a"),
        (attribute("seen", "before", "2026-05-01T12:00:00Z"), ""),
        (attribute("seen", "before", "2027-01-01"), "ab"),
        (attribute("seen", "after", "2026-05-01T12:00:00Z"), "b"),
        (attribute("seen", "after", "2026-05-01T11:59:59Z"), "ab"),
        (attribute("seen", "after", "2026-07-01"), ""),
        (attribute("seen", "less_than_x_days_ago", 6), "a"),
        (attribute("seen", "greater_than_x_days_ago", 6), ""),
        (attribute("seen", "less_than_x_days_in_the_future", 30), "b"),
        (attribute("seen", "greater_than_x_days_in_the_future", 30), ""),
        ({"email_subscription_status": {"comparison": "is", "value": "unsubscribed"}}, "b"),
        ({"email_subscription_status": {"comparison": "is_not", "value": "unsubscribed"}}, "ac"),
        ({"push_subscription_status": {"comparison": "is", "value": "opted_in"}}, "c"),
        ({"last_used_app": {"comparison": "after", "value": "2026-05-06T10:59:59Z"}}, "a"),
        ({"last_used_app": {"comparison": "before", "value": "2026-05-06T11:00:00Z"}}, ""),
        ({"AND": [attribute("plan", "exists"), {"OR": [attribute("visits", "equals", 3)]}]}, "a"),
    ],
)
def test_each_filter_selects_whom_it_says(filter, who):
    assert selected(filter) == who


@pytest.mark.parametrize(
    "audience",
    [
        None,
        7,
        [],
        {},
        {"AND": 7},
        {"AND": [7]},
        {"custom_attribute": 7},
        attribute("", "exists"),
        attribute("x" * 256, "exists"),
        attribute("plan", "nonsense", 1),
        attribute("plan", "equals"),
        attribute("plan", "equals", []),
        attribute("plan", "greater_than", "3"),
        attribute("plan", "greater_than", True),
        attribute("plan", ["equals"], 1),
        attribute("seen", "after", "soon"),
        attribute("seen", "after", 7),
        attribute("seen", "before", "0001-01-01"),
        {"email_subscription_status": {"comparison": "is", "value": "perhaps"}},
        {"last_used_app": {"comparison": "equals", "value": "2026-01-01"}},
    ],
)
def test_what_is_no_audience_is_refused(audience):
    with pytest.raises(BadAudience):
        connected.tree(audience, NOON)
    assert Profile.objects.count() == 3
