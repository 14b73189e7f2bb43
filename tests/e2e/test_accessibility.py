"""WCAG 2.2 AA on the main pages, by axe-core, in both colour schemes."""

import json
from collections.abc import Callable
from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone

from canvas import presets
from outreach import counters
from outreach.models import DailyCount, HourlyCount, Status
from tests.e2e.conftest import shoot
from tests.factories import (
    AdminFactory,
    CampaignFactory,
    MessageFactory,
    ProfileFactory,
    SegmentFactory,
    TemplateFactory,
    content_of,
)
from webhooks.models import LogKind, MessageActivityLog

pytestmark = [pytest.mark.browser]
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


@pytest.fixture
def there() -> dict[str, int]:
    """Something of everything, so that no page is empty."""
    profiles = ProfileFactory.create_batch(3)
    campaign = CampaignFactory(name="Spring offer", status=Status.ACTIVE, launched_at=timezone.now())
    draft = CampaignFactory(name="Draft", start_at=timezone.now() + timedelta(hours=3))
    CampaignFactory(name="Soon", status=Status.ACTIVE, start_at=timezone.now() + timedelta(minutes=30))
    MessageFactory(sender=campaign.sender, profile=profiles[0])
    for metric, count in (("planned", 30), ("received", 20), ("errors", 4), ("failed", 2)):
        DailyCount.objects.create(outreach=campaign, day=counters.today(timezone.now()), metric=metric, count=count)
    HourlyCount.objects.create(
        outreach=campaign, hour=timezone.now().replace(minute=0, second=0, microsecond=0), metric="errors", count=4
    )
    row = MessageActivityLog.objects.create(
        kind=LogKind.WEBHOOK_ERROR,
        host="down.example.com",
        text="503 Service Unavailable",
        status=503,
        sender=campaign.sender,
        profile=profiles[0],
        request={"method": "POST", "url": "https://down.example.com", "headers": [["a", "b"]], "body": "{}"},
        response={"headers": [], "body": "busy", "is_cut": False},
    )
    TemplateFactory()
    canvas = presets.make(str(presets.choices()[1][0]), "Welcome", AdminFactory())
    return {
        "campaign": campaign.pk,
        "draft": draft.pk,
        "content": content_of(draft).pk,
        "segment": SegmentFactory().pk,
        "profile": profiles[0].pk,
        "log": row.pk,
        "canvas": canvas.pk,
        "step": canvas.steps.first().pk,
    }


PAGES: dict[str, Callable[[dict[str, int]], str]] = {
    "home": lambda _: "/admin/",
    "calendar": lambda _: "/admin/calendar/",
    "campaigns": lambda _: "/admin/campaigns/campaign/",
    "new-campaign": lambda _: "/admin/campaigns/campaign/add/",
    "compose": lambda at: f"/admin/campaigns/campaign/{at['draft']}/change/",
    "delivery": lambda at: f"/admin/campaigns/campaign/{at['draft']}/change/?tab=delivery",
    "audience": lambda at: f"/admin/campaigns/campaign/{at['draft']}/change/?tab=audience",
    "conversions": lambda at: f"/admin/campaigns/campaign/{at['draft']}/change/?tab=conversions",
    "review": lambda at: f"/admin/campaigns/campaign/{at['draft']}/launch/",
    "results": lambda at: f"/admin/campaigns/campaign/{at['campaign']}/results/",
    "composer": lambda at: f"/admin/webhooks/content/{at['content']}/change/",
    "canvases": lambda _: "/admin/canvas/canvas/",
    "canvas": lambda at: f"/admin/canvas/canvas/{at['canvas']}/flow/",
    "livetest": lambda at: f"/admin/canvas/canvas/{at['canvas']}/live-test/",
    "step": lambda at: f"/admin/canvas/canvas/{at['canvas']}/steps/{at['step']}/",
    "profiles": lambda _: "/admin/audience/profile/",
    "profile": lambda at: f"/admin/audience/profile/{at['profile']}/change/",
    "segment": lambda at: f"/admin/audience/segment/{at['segment']}/change/",
    "import": lambda _: "/admin/audience/import/add/",
    "templates": lambda _: "/admin/webhooks/template/",
    "gallery": lambda _: "/admin/gallery/",
    "log": lambda _: "/admin/webhooks/messageactivitylog/",
    "log-entry": lambda at: f"/admin/webhooks/messageactivitylog/{at['log']}/change/",
    "report": lambda _: "/admin/campaigns/campaign/report/",
    "settings": lambda _: "/admin/workspace/workspace/1/change/",
}


EVERYTHING = {"type": "tag", "values": TAGS}
COLOURS = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}  # what a scheme can change


def violations(page, rules=EVERYTHING) -> list[str]:
    """Each rule that is broken, with the first few places."""
    found = Axe().run(page, options={"runOnly": rules}).response["violations"]
    return [
        f"{rule['id']} ({len(rule['nodes'])}): {[node['html'][:160] for node in rule['nodes'][:3]]}" for rule in found
    ]


def test_the_main_pages_can_be_used_by_everybody(page, there):
    page.emulate_media(reduced_motion="reduce")
    broken = {}
    for name, where in PAGES.items():
        page.emulate_media(color_scheme="light")
        page.goto(where(there))
        page.wait_for_load_state("networkidle")
        for scheme, rules in (("light", EVERYTHING), ("dark", COLOURS)):
            page.emulate_media(color_scheme=scheme)
            page.evaluate("name => document.documentElement.classList.toggle('dark', name === 'dark')", scheme)
            if found := violations(page, rules):
                broken[f"{name}, {scheme}"] = found
            shoot(page, f"{scheme}-{name}")
    assert not broken, json.dumps(broken, indent=1)


def test_signing_in_can_be_done_by_everybody(browser, live_server):
    context = browser.new_context(base_url=live_server.url)
    page = context.new_page()
    page.goto("/admin/login/")
    assert violations(page) == []
    context.close()
