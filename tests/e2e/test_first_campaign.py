"""From an empty database to a delivered webhook, through the admin only."""

import re

import pytest
from playwright.sync_api import expect

from tests.conftest import wait_until
from tests.e2e.conftest import shoot
from webhooks.models import Content, MessageActivityLog

pytestmark = [pytest.mark.browser, pytest.mark.processes]


def test_a_first_campaign_from_nothing_to_delivered(page, sink, workers):
    add_a_profile(page, "customer-1", "Ada")
    page.goto("/admin/campaigns/campaign/add/")
    page.fill("[name=name]", "Welcome")
    page.check("[name=to_everyone]")
    page.click("button[name=_save]")
    expect(page.locator("body")).to_contain_text("Compose its webhook, then launch it.")
    shoot(page, "campaign-draft")

    page.click("a.hl-link:has-text('Compose the webhook')")
    page.fill("[name=url]", "https://example.com:8080/hook")
    page.fill("[name=pairs-0-key]", "name")
    page.fill("[name=pairs-0-value]", "Hello {{${first_name} | default: 'there'}}")
    page.click("button[name=_continue]")
    expect(page.locator("body")).to_contain_text("URL uses port 8080; webhooks may use 80, 443")
    shoot(page, "composer-error")
    page.fill("[name=url]", f"{sink.url}/hook/{{{{${{user_id}}}}}}")
    page.click("button:has-text('Preview')")
    expect(page.locator("#hl-preview")).to_contain_text('"name": "Hello Ada"')
    shoot(page, "composer-preview")
    page.click("button:has-text('Send test')")
    dialog = page.locator("#hl-test-dialog")
    expect(dialog).to_contain_text("200 OK")
    shoot(page, "test-send")
    dialog.locator("button", has_text="Close").click()
    assert MessageActivityLog.objects.get().text == "[TEST SEND] 200 OK"
    page.click("button[name=_save]")
    expect(page.locator("body")).to_contain_text("The webhook was saved.")
    assert Content.objects.get().url.startswith(sink.url)

    sink.received.clear()
    workers.start()
    page.click("a:has-text('Review and launch')")
    expect(page.locator("[data-audience]")).to_have_text(re.compile("1 profile"))
    shoot(page, "launch")
    page.dblclick("button:has-text('Send now')")
    wait_until(lambda: sink.received, "nothing arrived")
    expect(page.locator("[data-count=received]")).to_have_text("1", timeout=15_000)
    shoot(page, "campaign-sent")
    (request,) = sink.received
    assert (request.target, request.json()) == ("/hook/customer-1", {"name": "Hello Ada"})


def add_a_profile(page, external_id: str, first_name: str) -> None:
    page.goto("/admin/audience/profile/add/")
    page.fill("[name=external_id]", external_id)
    page.fill("[name=first_name]", first_name)
    page.click("button[name=_save]")
    expect(page.locator("body")).to_contain_text(external_id)
