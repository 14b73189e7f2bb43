"""A campaign leaves as a file and arrives as a draft, with what it lacks listed."""

import json

import pytest
from playwright.sync_api import expect

from audience.models import Segment
from campaigns.models import Campaign
from tests.e2e.conftest import shoot
from tests.factories import CampaignFactory, SegmentFactory

pytestmark = [pytest.mark.browser]


def test_a_campaign_leaves_as_a_file_and_arrives_as_a_draft(page, tmp_path):
    campaign = CampaignFactory(name="Spring offer", to_everyone=False, description="10 % off for our best customers")
    campaign.segments.add(SegmentFactory(name="VIP"))
    page.goto(f"/admin/campaigns/campaign/{campaign.pk}/change/")
    with page.expect_download() as waiting:
        page.click("a:has-text('Export as a file')")
    shoot(page, "file-export")
    file = tmp_path / waiting.value.suggested_filename
    waiting.value.save_as(file)
    assert (file.name, json.loads(file.read_bytes())["name"]) == ("campaign-spring-offer.json", "Spring offer")
    Segment.objects.all().delete()

    page.goto("/admin/campaigns/campaign/")
    shoot(page, "file-list")
    page.click("a:has-text('Import a file')")
    shoot(page, "file-choose")
    (tmp_path / "broken.json").write_text('{"hookline": 1, "kind": "campaign", "name": "x", "settings": {"every": 0}}')
    page.set_input_files("input[type=file]", tmp_path / "broken.json")
    page.click("button:has-text('Look through it')")
    expect(page.locator("[role=alert]")).to_contain_text("settings.every: It must be 1 at least.")
    shoot(page, "file-broken")
    page.set_input_files("input[type=file]", file)
    page.keyboard.press("Tab")
    page.click("button:has-text('Look through it')")
    expect(page.locator("[data-made]")).to_contain_text("Scheduled · 1 variant · 1 webhook")
    expect(page.locator("[data-lacking]")).to_have_text("segment “VIP”: not here")
    shoot(page, "file-look")
    assert Campaign.objects.count() == 1

    page.click("button:has-text('Make it')")
    expect(page.locator(".hl-state")).to_have_text("draft")
    expect(page.locator("body")).to_contain_text("1 was made from the file.")
    shoot(page, "file-made")
    made = Campaign.objects.latest("pk")
    assert (made.pk != campaign.pk, made.name, made.status) == (True, "Spring offer", "draft")
    page.click("nav.hl-tabs a:has-text('Audience')")
    expect(page.locator("body")).to_contain_text("segment membership")
    shoot(page, "file-audience")
