"""When an endpoint failed: seen at home, looked into in the log, mended, sent again."""

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from config.demo.receiver import Reply, always
from outreach import plan
from tests.e2e.conftest import shoot
from tests.factories import CampaignFactory, ProfileFactory, content_of

pytestmark = [pytest.mark.browser]


def test_failures_are_found_understood_and_sent_again(page, sink, pump):
    ProfileFactory.create_batch(3)
    campaign = CampaignFactory(name="Spring offer", url=f"{sink.url}/hook")
    page.goto(f"/admin/campaigns/campaign/{campaign.pk}/launch/")
    page.click("button:has-text('Send now')")
    sink.script = always(Reply(404))
    plan.plan_due(timezone.now())
    pump.run()

    page.goto("/admin/")
    expect(page.locator("[data-concerns]")).to_contain_text("“Spring offer”: 3 messages failed for good today.")
    expect(page.locator("[data-hosts]")).to_contain_text("127.0.0.1")
    shoot(page, "triage-home")
    page.click("[data-concerns] a")
    expect(page.locator("#result_list")).to_contain_text("404 Not Found")
    expect(page.locator("#result_list")).to_contain_text("no further try")
    page.fill("[name=name]", "Spring 404s")
    page.get_by_role("button", name="Save this view").click()
    expect(page.get_by_role("link", name="Spring 404s")).to_have_attribute("aria-current", "page")
    shoot(page, "triage-log")
    with page.expect_download() as download:
        page.get_by_role("button", name="As CSV").click()
    assert download.value.path().read_text().count("404 Not Found") == 3
    page.locator("#result_list tbody th a, #result_list tbody td a").first.click()
    expect(page.locator(".hl-exchange")).to_contain_text("/hook")
    shoot(page, "triage-entry")

    content = content_of(campaign)
    content.url, content.version = f"{sink.url}/mended", content.version + 1
    content.save()
    sink.script = always(Reply(200))
    sink.received.clear()
    page.goto("/admin/webhooks/messageactivitylog/")
    page.check("#action-toggle")
    page.select_option("select[name=action]", "send_again")
    page.locator("button[name=index], #changelist-actions-wrapper button[type=submit]").first.click()
    expect(page.locator("body")).to_contain_text("3 messages have failed for good")
    shoot(page, "triage-send-again")
    page.get_by_role("button", name="Send again").click()
    expect(page.locator("body")).to_contain_text("3 messages are sent again.")
    pump.run()
    assert {request.target for request in sink.received} == {"/mended"}
    page.goto(f"/admin/campaigns/campaign/{campaign.pk}/change/")
    expect(page.locator("[data-count=received]")).to_have_text("3")
    expect(page.locator("[data-count=failed]")).to_have_text("0")
