"""Finding one's way: the first steps, the palette, what moves by itself, figures to take along, another language."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from outreach import counters
from outreach.models import DailyCount, HourlyCount, Metric, Status
from tests.e2e.conftest import shoot
from tests.factories import CampaignFactory, ProfileFactory
from webhooks.models import Lane, LogKind, MessageActivityLog

pytestmark = [pytest.mark.browser]


def count(campaign, metric: str, number: int) -> None:
    day = counters.today(timezone.now())
    DailyCount.objects.update_or_create(outreach=campaign, day=day, metric=metric, defaults={"count": number})


def test_the_home_page_leads_to_a_first_campaign(page):
    page.goto("/admin/")
    expect(page.locator("[aria-current=step]")).to_contain_text("Bring profiles")
    shoot(page, "home-first-steps")
    ProfileFactory()
    page.reload()
    page.locator("[aria-current=step] a").click()
    page.fill("[name=name]", "Welcome")
    page.check("[name=to_everyone]")
    page.click("button[name=_save]")
    page.goto("/admin/")
    page.locator("[aria-current=step]").get_by_text("Compose its webhook").click()
    expect(page.locator("[name=url]")).to_have_count(1)


def test_anything_is_found_with_the_keyboard_alone(page):
    campaign = CampaignFactory(name="Spring offer")
    page.goto("/admin/")
    page.keyboard.press("Control+k")
    expect(page.locator("#search-input-command")).to_be_focused()
    page.keyboard.type("spring")
    expect(page.locator("#command-results-list")).to_contain_text("Spring offer")
    shoot(page, "palette")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/admin/campaigns/campaign/{campaign.pk}/change/")


def test_an_hour_of_the_chart_leads_to_its_errors(page):
    campaign, now = CampaignFactory(name="Spring offer"), timezone.now()
    for ago in range(12):
        for metric, number in ((Metric.RECEIVED, 900 + 50 * ago), (Metric.ERRORS, 40 * (ago % 3))):
            hour = now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=ago)
            HourlyCount.objects.create(outreach=campaign, hour=hour, metric=metric, count=number)
    MessageActivityLog.objects.create(kind=LogKind.WEBHOOK_ERROR, text="an hour's error", at=now - timedelta(hours=1))
    MessageActivityLog.objects.create(kind=LogKind.WEBHOOK_ERROR, text="an older error", at=now - timedelta(hours=3))
    page.goto("/admin/")
    shoot(page, "home-hours")
    page.locator(".hl-hour").nth(-2).click()
    expect(page.locator("#result_list")).to_contain_text("an hour's error")
    expect(page.locator("#result_list")).not_to_contain_text("an older error")


def test_a_running_send_is_watched_without_reloading(page):
    campaign = CampaignFactory(name="Spring offer", status=Status.ACTIVE, launched_at=timezone.now())
    Lane.objects.create(sender=campaign.sender, host="example.com")
    count(campaign, Metric.PLANNED, 1_000)
    count(campaign, Metric.RECEIVED, 100)
    page.goto("/admin/")
    sending = page.locator("[data-sending]")
    expect(sending).to_contain_text("10 %")
    link = sending.get_by_role("link", name="Spring offer").bounding_box()
    count(campaign, Metric.RECEIVED, 400)
    expect(sending).to_contain_text("40 %")
    expect(sending).to_contain_text("a minute")
    expect(sending).to_contain_text("left")
    assert sending.get_by_role("link", name="Spring offer").bounding_box() == link
    shoot(page, "home-sending")
    page.goto(f"/admin/campaigns/campaign/{campaign.pk}/change/")
    expect(page.locator("#hl-counts")).to_contain_text("400 of 1,000 messages")
    count(campaign, Metric.RECEIVED, 1_000)
    expect(page.locator("#hl-counts")).to_contain_text("1,000 of 1,000 messages")
    expect(page.locator("#hl-counts")).not_to_have_attribute("hx-trigger", "every 2s")


def test_new_log_entries_are_announced_and_the_list_stays(page):
    def entry() -> None:
        MessageActivityLog.objects.create(kind=LogKind.WEBHOOK_ERROR, text="503 Service Unavailable")

    entry()
    page.goto("/admin/webhooks/messageactivitylog/")
    expect(page.locator("#result_list tbody tr")).to_have_count(1)
    entry()
    expect(page.locator("#hl-newer")).to_contain_text("1 new entry", timeout=9_000)
    expect(page.locator("#result_list tbody tr")).to_have_count(1)
    page.locator("#hl-newer a").click()
    expect(page.locator("#result_list tbody tr")).to_have_count(2)
    shoot(page, "log")


def test_the_calendar_shows_what_starts_when(page):
    CampaignFactory(name="Soon", status=Status.ACTIVE, start_at=timezone.now() + timedelta(minutes=20))
    page.goto("/admin/")
    page.get_by_role("link", name="Calendar", exact=True).click()
    expect(page.locator("[data-calendar]")).to_contain_text("Soon")
    shoot(page, "calendar")


def test_figures_are_taken_along_as_csv(page):
    campaign = CampaignFactory(name="=Spring", status=Status.ACTIVE, launched_at=timezone.now())
    count(campaign, Metric.RECEIVED, 12_345)
    page.goto("/admin/campaigns/campaign/report/")
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV: Comparison").click()
    text = download.value.path().read_text(encoding="utf-8-sig")
    assert text.splitlines()[0].startswith('"Campaign","planned","received"')
    assert '"\'=Spring"' in text
    assert ',"12345",' in text  # grouped on the page, a number in the file


def test_many_campaigns_are_stopped_at_once(page):
    campaigns = [CampaignFactory(status=Status.ACTIVE, launched_at=timezone.now()) for _ in range(3)]
    page.goto("/admin/campaigns/campaign/")
    page.check("#action-toggle")
    page.select_option("select[name=action]", "stop_many")
    page.locator("#changelist-actions-wrapper button[type=submit]").first.click()
    expect(page.locator("[data-able]")).to_have_text("3 are changed")
    shoot(page, "bulk-stop")
    page.get_by_role("button", name="Stop").click()
    expect(page.locator("#result_list")).to_contain_text("stopped")
    for campaign in campaigns:
        campaign.refresh_from_db()
        assert campaign.status == Status.STOPPED


def test_the_pages_are_in_the_language_that_was_chosen(page):
    page.goto("/admin/")
    page.evaluate("document.cookie = 'django_language=ko; path=/'")
    page.goto("/admin/campaigns/campaign/")
    expect(page.locator("html")).to_have_attribute("lang", "ko")
    expect(page.get_by_role("link", name="메시지 활동 로그")).to_be_visible()
    expect(page.locator("body")).to_contain_text("아직 아무것도 없습니다")
    shoot(page, "korean-campaigns")
