"""What happens on a bad day: a session that ends, two tabs, the back button, two clicks, odd names, no JavaScript."""

import re

import pytest
from playwright.sync_api import expect

from campaigns.models import Campaign
from outreach.models import Occurrence, Status
from tests.e2e.conftest import shoot
from tests.factories import AdminFactory, CampaignFactory, ProfileFactory, content_of
from workspace.access.models import Session

pytestmark = [pytest.mark.browser]
LONG = "A very long name of a campaign that goes on and on " * 5
NAMES = [LONG[:255], "مبيعات الربيع — חדש", "🌷🔥 Spring 👩‍👩‍👧‍👦", "<b>bold</b> & 'quoted' \"twice\""]


def sign_in(page) -> None:
    page.fill("[name=username]", "mina")
    page.fill("[name=password]", "secret")
    press(page, "button[type=submit]")


def press(page, selector: str) -> None:
    """Like a click, but by keyboard: without scripts the browser reports no frames to wait for."""
    page.locator(selector).first.press("Enter")


def test_a_session_that_ends_while_composing_costs_no_text(page):
    content = content_of(CampaignFactory())
    page.goto(f"/admin/webhooks/content/{content.pk}/change/")
    editor = page.locator("[name='pairs-0-value'] + .hl-editor")
    editor.click()
    page.keyboard.press("Control+End")
    page.keyboard.type(" an hour of work")
    Session.objects.all().delete()
    page.click("#hl-preview-title ~ .hl-people button:has-text('Preview')")
    expect(page.locator("[data-signed-out]")).to_contain_text("You were signed out")
    shoot(page, "signed-out")
    page.click("button[name=_save]")
    expect(page.locator("[name=username]")).to_be_visible()
    sign_in(page)
    expect(page.locator("body")).to_contain_text("What you had typed is still here")
    shoot(page, "kept-form")
    page.get_by_role("button", name="Send it now").click()
    expect(page.locator("body")).to_contain_text("The webhook was saved.")
    content.refresh_from_db()
    assert content.pairs[0]["value"] == "{{${first_name}}} an hour of work"


def test_two_tabs_do_not_write_over_each_other(page):
    content = content_of(CampaignFactory())
    url = f"/admin/webhooks/content/{content.pk}/change/"
    other = page.context.new_page()
    for tab in (page, other):
        tab.goto(url)
    page.fill("[name=url]", "https://example.com/first")
    page.click("button[name=_save]")
    expect(page.locator("body")).to_contain_text("The webhook was saved.")
    other.fill("[name=url]", "https://example.com/second")
    other.click("button[name=_save]")
    expect(other.locator("body")).to_contain_text("This webhook was saved meanwhile")
    expect(other.locator("[name=url]")).to_have_value("https://example.com/second")
    shoot(other, "two-tabs")
    content.refresh_from_db()
    assert content.url == "https://example.com/first"


def test_the_back_button_and_a_second_click_launch_only_once(page):
    ProfileFactory()
    campaign = CampaignFactory()
    page.goto(f"/admin/campaigns/campaign/{campaign.pk}/launch/")
    page.dblclick("button:has-text('Send now')")
    expect(page.locator(".hl-state")).to_have_text("active")
    page.go_back()
    button = page.locator("button:has-text('Send now')")
    if button.count():
        button.click()
    page.goto(f"/admin/campaigns/campaign/{campaign.pk}/change/")
    expect(page.locator(".hl-state")).to_have_text("active")
    assert Occurrence.objects.filter(outreach=campaign).count() == 1


def test_odd_names_fit_everywhere(page):
    for name in NAMES:
        CampaignFactory(name=name)
    page.goto("/admin/campaigns/campaign/")
    for name in NAMES:
        expect(page.locator("#result_list")).to_contain_text(re.sub(r"\s+", " ", name).strip())
    shoot(page, "odd-names-list")
    for campaign in Campaign.objects.all():
        page.goto(f"/admin/campaigns/campaign/{campaign.pk}/change/")
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide == 0, campaign.name
    page.goto("/admin/")
    shoot(page, "odd-names-home")


def test_a_campaign_is_made_and_sent_without_javascript(browser, live_server, transactional_db):
    AdminFactory(username="mina")
    ProfileFactory(external_id="ada", first_name="Ada")
    context = browser.new_context(base_url=live_server.url, java_script_enabled=False)
    page = context.new_page()
    page.goto("/admin/")
    sign_in(page)
    expect(page.locator("h2", has_text="Your first campaign")).to_be_visible()
    page.goto("/admin/campaigns/campaign/add/")
    page.fill("[name=name]", "Plain")
    page.locator("[name=to_everyone]").press("Space")
    press(page, "button[name=_save]")
    press(page, "a.hl-link:has-text('Compose the webhook')")
    page.fill("[name=url]", "https://example.com/hook")
    page.fill("[name=pairs-0-key]", "name")
    page.fill("[name=pairs-0-value]", "{{${first_name}}}")
    shoot(page, "no-script-composer")
    with context.expect_page() as opened:
        press(page, "button:has-text('Preview')")
    expect(opened.value.locator("body")).to_contain_text('"name": "Ada"')
    press(page, "button[name=_save]")
    press(page, "a:has-text('Review and launch')")
    press(page, "button:has-text('Send now')")
    expect(page.locator(".hl-state")).to_have_text("active")
    shoot(page, "no-script-launched")
    assert Campaign.objects.get().status == Status.ACTIVE
    context.close()
