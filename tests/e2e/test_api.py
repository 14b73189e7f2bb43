"""Keys made in a browser, tried with the line that is shown, and the page of all calls."""

import json
import re
import urllib.error
import urllib.request

import pytest
from playwright.sync_api import expect

from outreach.models import ScheduledCall
from tests.e2e.conftest import shoot
from tests.factories import CampaignFactory

pytestmark = [pytest.mark.browser]


def test_a_key_is_made_tried_rotated_and_revoked(page, settings, live_server):
    settings.SITE_URL = live_server.url
    page.goto("/admin/api/apikey/")
    expect(page.locator("body")).to_contain_text("Other systems call with these keys.")
    page.goto("/admin/api/apikey/add/")
    page.fill("[name=name]", "Shop")
    for name in ("users.track", "campaigns.list"):
        page.check(f"[name=permissions][value='{name}']")
    page.fill("[name=networks]", "127.0.0.1")
    shoot(page, "api-key-add")
    page.click("button[name=_save]")
    text = page.locator("#api-key").inner_text()
    line = page.locator("#api-curl").inner_text()
    shoot(page, "api-key-shown")
    assert re.fullmatch("[0-9a-f]{48}", text)
    request = urllib.request.Request(line.split()[-1], headers={"Authorization": f"Bearer {text}"})
    assert json.load(urllib.request.urlopen(request))["message"] == "success"
    page.reload()
    expect(page.locator("body")).to_contain_text("This key was shown already.")

    page.goto("/admin/api/apikey/")
    shoot(page, "api-keys")
    page.get_by_role("link", name="Shop").click()
    shoot(page, "api-key")
    page.get_by_role("link", name="Rotate").click()
    page.get_by_role("button", name="Rotate").click()
    assert page.locator("#api-key").inner_text() != text
    page.get_by_role("link", name="Done").click()
    page.get_by_role("link", name="Shop").click()
    page.get_by_role("link", name="Revoke").click()
    shoot(page, "api-key-revoke")
    page.get_by_role("button", name="Revoke").click()
    with pytest.raises(urllib.error.HTTPError, match="401"):
        urllib.request.urlopen(request)


def test_all_calls_and_the_addresses_have_a_page(page, settings):
    settings.WEBHOOK_SOURCE_ADDRESSES = ["203.0.113.7", "2001:db8::7"]
    page.goto("/api/docs")
    expect(page.locator("#operations-Users-api_endpoints_users_users_track")).to_be_visible()
    shoot(page, "api-docs")
    page.goto("/admin/api/apikey/addresses/")
    expect(page.locator("body")).to_contain_text("203.0.113.7")
    shoot(page, "api-addresses")


def test_a_send_for_later_is_cancelled(page):
    request = {"recipients": [], "broadcast": True, "properties": {"shop": "Berlin"}}
    campaign = CampaignFactory(name="Spring", delivery="api")
    call = ScheduledCall.objects.create(kind="campaign", outreach=campaign, request=request, due_at="2030-01-01T09:00Z")
    page.goto("/admin/outreach/scheduledcall/")
    expect(page.locator("body")).to_contain_text("everybody it is for")
    shoot(page, "scheduled-calls")
    page.goto(f"/admin/outreach/scheduledcall/{call.pk}/change/")
    expect(page.locator("body")).to_contain_text("Berlin")
    shoot(page, "scheduled-call")
