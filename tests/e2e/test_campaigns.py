"""Whole jobs of a marketer: an A/B test with a control group, an action-based campaign, a team's rights, a report."""

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.utils import timezone
from playwright.sync_api import expect

from audience import dispatch
from audience.ingest.track import track
from campaigns.models import Campaign
from config import roles
from outreach import plan
from outreach.models import Conversion, DailyCount, Status, Variant
from tests.e2e.conftest import shoot
from tests.factories import CampaignFactory, ProfileFactory, SegmentFactory, TagFactory, TeamFactory, content_of
from webhooks.models import Content

pytestmark = [pytest.mark.browser]


def now() -> str:
    return timezone.now().isoformat()


def open_tab(page, campaign: Campaign, name: str) -> None:
    page.goto(f"/admin/campaigns/campaign/{campaign.pk}/change/")
    page.click(f"nav.hl-tabs a:has-text('{name}')")


def test_an_a_b_test_with_a_control_group(page, sink, pump):
    people = ProfileFactory.create_batch(240)
    page.goto("/admin/campaigns/campaign/add/")
    page.fill("[name=name]", "Spring offer")
    page.check("[name=to_everyone]")
    page.click("button[name=_save]")
    campaign = Campaign.objects.get()
    content = content_of(campaign)
    content.url, content.pairs = (
        f"{sink.url}/a",
        [{"key": "n", "value": "{{${user_id}}}", "type": "text", "omit_blank": False}],
    )
    content.save()
    page.fill("form[action*='variants/add'] [name=name]", "Free shipping")
    page.select_option("form[action*='variants/add'] [name=source]", label="Variant 1")
    page.click("button:has-text('Add variant')")
    page.fill("form[action*='variants/add'] [name=name]", "Control")
    page.check("form[action*='variants/add'] [name=is_control]")
    page.click("button:has-text('Add variant')")
    shoot(page, "campaign-compose-variants")
    assert sorted(campaign.variants.values_list("share", flat=True)) == [33, 33, 34]

    open_tab(page, campaign, "Conversions")
    page.select_option("[name=conversion_events-0-what-0-kind]", "event")
    page.fill("[name=conversion_events-0-what-0-name]", "ordered")
    shoot(page, "campaign-conversions")
    page.click("button[name=_save]")
    expect(page.locator("body")).to_contain_text("was saved")
    assert campaign.conversion_events.get().trigger == {"kind": "event", "name": "ordered", "join": "all"}

    page.click("a:has-text('Review and launch')")
    expect(page.locator("[data-audience]")).to_have_text("240 profiles")
    expect(page.locator("body")).to_contain_text("in the control group")
    shoot(page, "campaign-review")
    page.click("button:has-text('Send now')")
    expect(page.locator(".hl-state")).to_have_text("active")

    plan.plan_due(timezone.now())
    pump.run()
    held = set(campaign.control_entries.values_list("profile_id", flat=True))
    assert len(sink.received) == 240 - len(held)
    better = set(campaign.enrolments.filter(variant__name="Free shipping").values_list("profile_id", flat=True))
    for number, profile in enumerate(people):
        if (profile.pk in better and number % 2) or number % 12 == 0:
            track(events=[{"braze_id": str(profile.braze_id), "name": "ordered", "time": now()}], now=timezone.now())
    dispatch.run(timezone.now, lambda: False)
    assert Conversion.objects.filter(is_control=True).exists()
    open_tab(page, campaign, "Results")
    row = page.locator(f"[data-variant='{Variant.objects.get(name='Free shipping').pk}']")
    expect(row).to_contain_text("over control")
    expect(page.locator("[data-reasons]")).to_contain_text("in the control group")
    shoot(page, "campaign-results")
    profile = next(p for p in people if p.pk in held)
    page.click("a:has-text('Why?')")
    page.fill("[name=profile]", profile.external_id)
    page.click("button:has-text('Look up')")
    expect(page.locator("[data-verdict]")).to_contain_text("in the control group")
    shoot(page, "campaign-why")


def test_an_action_based_campaign_is_set_up_launched_and_set_off(page, sink, pump):
    ada = ProfileFactory(external_id="ada")
    campaign = CampaignFactory(name="Left cart", url=f"{sink.url}/cart")
    open_tab(page, campaign, "Delivery")
    page.select_option("[name=delivery]", "action")
    page.select_option("[name=triggers-0-kind]", "event")
    page.fill("[name=triggers-0-name]", "left_cart")
    page.locator(".field-triggers summary, [data-triggers=triggers] summary").first.click()
    page.fill("[name=triggers-0-conditions-0-name]", "total")
    page.select_option("[name=triggers-0-conditions-0-test]", "number:more")
    page.fill("[name=triggers-0-conditions-0-value]", "50")
    page.select_option("[name=delay_mode]", "after")
    page.fill("[name=delay_count]", "2")
    page.select_option("[name=delay_unit]", "seconds")
    expect(page.locator("[name=exceptions-0-kind]")).to_be_visible()
    page.select_option("[name=exceptions-0-kind]", "purchase")
    expect(page.locator("[name=recurrence]")).to_be_hidden()
    shoot(page, "campaign-action-delivery")
    page.click("button[name=_save]")
    expect(page.locator("body")).to_contain_text("was saved")
    shoot(page, "campaign-action-saved")
    campaign.refresh_from_db()
    assert campaign.delay == {"mode": "after", "count": 2, "unit": "seconds"}
    assert campaign.triggers[0]["conditions"][0]["value"] == 50

    page.click("a:has-text('Review and launch')")
    expect(page.locator("body")).to_contain_text("When a profile performs “left_cart”")
    shoot(page, "campaign-action-review")
    page.click("button:has-text('Launch')")
    expect(page.locator(".hl-state")).to_have_text("active")
    for total in (20, 70):
        properties = {"name": "left_cart", "time": now(), "properties": {"total": total}}
        track(events=[{"external_id": ada.external_id, **properties}], now=timezone.now())
    dispatch.run(timezone.now, lambda: False)
    page.wait_for_timeout(2_200)
    pump.run()
    assert len(sink.received) == 1
    page.goto(f"/admin/campaigns/campaign/{campaign.pk}/changes/")
    expect(page.locator("[data-entry]").first).to_contain_text("launched")
    shoot(page, "campaign-changes")


def test_a_team_member_sees_and_may_do_only_what_is_theirs(page):
    mine, theirs = TeamFactory(name="Shoes"), TeamFactory(name="Hats")
    user = User.objects.create(username="noor", is_staff=True)
    user.set_password("secret")
    user.save()
    roles.make(Group, Permission)
    user.groups.add(Group.objects.get(name="Editor"))
    mine.memberships.create(user=user)
    own, other = CampaignFactory(name="Shoe sale"), CampaignFactory(name="Hat sale")
    own.teams.add(mine)
    other.teams.add(theirs)
    SegmentFactory(name="Everyone")
    page.context.clear_cookies()
    page.goto("/admin/")
    page.fill("[name=username]", "noor")
    page.fill("[name=password]", "secret")
    page.click("button[type=submit]")
    page.goto("/admin/campaigns/campaign/")
    expect(page.locator("#result_list")).to_contain_text("Shoe sale")
    expect(page.locator("#result_list")).not_to_contain_text("Hat sale")
    shoot(page, "campaign-team-list")
    page.goto(f"/admin/campaigns/campaign/{own.pk}/change/")
    expect(page.locator("button[name=_save]")).to_be_visible()
    expect(page.locator("a:has-text('Review and launch')")).to_have_count(0)
    page.click("nav.hl-tabs a:has-text('Review')")
    expect(page.locator("button:has-text('Send now')")).to_have_count(0)
    shoot(page, "campaign-team-review")
    own.refresh_from_db()
    assert own.status == Status.DRAFT


def test_a_report_compares_campaigns_of_a_tag(page):
    season, spring = TagFactory(name="season"), TagFactory(name="season/spring")
    assert season
    today = timezone.now().date()
    for name, received, converted in (("Ten per cent", 1_200, 96), ("Free shipping", 1_150, 140), ("Unrelated", 10, 1)):
        campaign = CampaignFactory(name=name)
        if received > 10:
            campaign.tags.add(spring)
        for metric, count in (
            ("planned", received + 30),
            ("received", received),
            ("failed", 30),
            ("converted", converted),
        ):
            DailyCount.objects.create(outreach=campaign, day=today, metric=metric, count=count)
    page.goto("/admin/campaigns/campaign/report/")
    page.select_option("[name=tags]", label="season")
    page.click("button:has-text('Compare')")
    table = page.locator("[data-report]")
    expect(table).to_contain_text("Free shipping")
    expect(table).not_to_contain_text("Unrelated")
    expect(table).to_contain_text("12.2 %")
    shoot(page, "campaign-report")
    with page.expect_download() as download:
        page.click("button:has-text('As CSV')")
    assert "Free shipping" in download.value.path().read_text()
    assert Content.objects.count() == 3
