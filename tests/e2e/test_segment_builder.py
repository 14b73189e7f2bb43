"""A segment built with the keyboard and the mouse."""

import re

import pytest
from playwright.sync_api import expect

from audience.models import Attribute, EventName, Profile, Segment
from tests.e2e.conftest import shoot
from tests.factories import ProfileFactory

pytestmark = pytest.mark.browser


@pytest.fixture
def people(transactional_db) -> None:
    Attribute.objects.create(name="plan", type="text")
    Attribute.objects.create(name="age", type="number")
    EventName.objects.create(kind="event", name="checked_out")
    for n in range(12):
        ProfileFactory(
            external_id=f"customer-{n}",
            last_name="Lovelace",
            country="KR" if n % 2 else "US",
            custom_attributes={"plan": "pro" if n < 8 else "free", "age": 20 + n},
        )


def test_a_segment_is_built_estimated_and_saved(page, people):
    page.goto("/admin/audience/segment/add/")
    page.fill("[name=name]", "Grown-up pros")
    page.get_by_role("button", name="Add filter").click()
    name = page.locator("[name='filters[0]name']")
    expect(page.locator("[name='filters[0]filter']")).to_be_focused()
    name.fill("plan")
    name.press("Tab")
    page.locator("[name='filters[0]values']").fill("pro")
    estimate = page.locator(".hl-estimate")
    expect(estimate).to_contain_text("plan is pro")
    expect(estimate.locator("[data-estimate]")).to_have_text("8 profiles")
    expect(estimate.locator(".hl-samples li")).to_have_count(5)

    page.get_by_role("button", name="Add filter").click()
    page.locator("[name='filters[1]name']").fill("age")
    page.locator("[name='filters[1]name']").press("Tab")
    expect(page.locator("[name='filters[1]type']")).to_have_value("number")  # as it is known
    page.locator("[name='filters[1]op']").select_option("more")
    page.locator("[name='filters[1]value']").fill("23")
    expect(estimate.locator("[data-estimate]")).to_have_text("4 profiles")

    page.get_by_role("button", name="Add exclusion").click()
    page.locator("[name='filters[2.0]filter']").select_option("country")
    page.locator("select[name='filters[2.0]values']").select_option(["KR"])
    expect(estimate).to_contain_text("not (country is South Korea)")
    expect(estimate.locator("[data-estimate]")).to_have_text("2 profiles")
    shoot(page, "segment-builder")

    page.get_by_role("button", name="Duplicate the filter").first.click()
    expect(page.locator(".hl-filter")).to_have_count(4)
    page.get_by_role("button", name="Remove the filter").nth(1).click()
    expect(page.locator(".hl-filter")).to_have_count(3)
    page.locator("summary", has_text="As JSON").click()
    expect(page.locator("textarea[name=filters]")).to_contain_text('"country"')
    page.click("button[name=_save]")
    expect(page.locator("body")).to_contain_text("was added successfully")
    assert Segment.objects.get().filters == {
        "all": [
            {"filter": "custom_attribute", "name": "plan", "type": "text", "op": "any_of", "values": ["pro"]},
            {"filter": "custom_attribute", "name": "age", "type": "number", "op": "more", "value": 23},
            {"not": {"any": [{"filter": "country", "op": "any_of", "values": ["KR"]}]}},
        ]
    }


def test_it_can_be_done_with_the_keyboard_alone(page, people):
    page.goto("/admin/audience/segment/add/")
    page.fill("[name=name]", "By keyboard")
    page.get_by_role("button", name="Add filter").focus()
    page.keyboard.press("Enter")
    expect(page.locator("[name='filters[0]filter']")).to_be_focused()
    page.keyboard.type("age")  # the list jumps to what is typed
    expect(page.locator("[name='filters[0]op']")).to_have_value("exactly")
    expect(page.locator("[name='filters[0]filter']")).to_be_focused()
    for _ in range(2):
        page.keyboard.press("Tab")
    page.keyboard.type("7")
    page.keyboard.press("Control+Enter")
    expect(page.locator("[name='filters[0]value']")).to_have_value("7")


def test_a_broken_filter_is_named_where_it_is(page, people):
    page.goto("/admin/audience/segment/add/")
    page.fill("[name=name]", "Broken")
    page.get_by_role("button", name="Add group").click()
    page.locator("[name='filters[0.0]name']").fill("plan")
    page.click("button[name=_save]")
    expect(page.locator(".hl-filter .hl-problem")).to_have_text("Fill in “values”.")
    expect(page.locator("[name='filters[0.0]name']")).to_have_value("plan")
    shoot(page, "segment-builder-problem")
    page.locator("[name='filters[0.0]values']").fill("pro\nfree")
    page.click("button[name=_save]")
    expect(page.locator("body")).to_contain_text("was added successfully")
    assert Profile.objects.count() == 12


def test_events_with_property_conditions_and_json(page, people):
    page.goto("/admin/audience/segment/add/")
    page.get_by_role("button", name="Add filter").click()
    page.locator("[name='filters[0]filter']").select_option("custom_event_recent")
    page.locator("[name='filters[0]name']").fill("checked_out")
    page.get_by_role("button", name="Add condition").click()
    page.locator("[name='filters[0]conditions.0.name']").fill("total")
    page.locator("[name='filters[0]conditions.0.type']").select_option("number")
    page.locator("[name='filters[0]conditions.0.op']").select_option("more")
    page.locator("[name='filters[0]conditions.0.value']").fill("10")
    page.locator("[name='filters[0]value']").fill("0")
    page.locator("[name='filters[0]within']").fill("7")
    expect(page.locator(".hl-estimate")).to_contain_text(
        "checked_out more than 0 times in the last 7 days where total is more than 10"
    )
    shoot(page, "segment-builder-event")
    with page.expect_response("**/segment/filters/"):
        page.locator("summary", has_text="As JSON").click()
    area = page.locator("textarea[name=filters]")
    expect(area).not_to_have_class(re.compile("htmx-"))  # the answer takes the area's place
    expect(area).to_have_value(re.compile('"within": 7.*"name": "total"', re.DOTALL))
    area.fill('{"filter": "everyone"}')
    page.get_by_role("button", name="Use this JSON").click()
    expect(page.locator("[data-estimate]")).to_have_text("12 profiles")
    expect(page.locator("[name='filters[0]filter']")).to_have_value("everyone")
