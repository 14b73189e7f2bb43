"""Bringing people in, and looking at one of them."""

import pytest
from playwright.sync_api import expect

from audience.models import Import, Profile, Segment
from tests.e2e.conftest import shoot

pytestmark = [pytest.mark.browser, pytest.mark.processes]


@pytest.fixture(autouse=True)
def media(settings):
    """Where the workers look, too."""
    settings.MEDIA_ROOT = settings.DATA_DIR / "media"


def test_people_come_from_a_file_and_one_is_looked_at_and_erased(page, workers, tmp_path):
    path = tmp_path / "people.csv"
    rows = "".join(f"customer-{n},Ada{n},KR,{'pro' if n % 2 else 'free'},{n},0{n:04}\n" for n in range(2_000))
    path.write_text("external_id,first_name,country,plan,points,zip\n" + rows + ",Nobody,KR,pro,1,2\n")
    page.goto("/admin/audience/import/add/")
    page.set_input_files("[name=file]", path)
    page.check("[name=makes_segment]")
    page.click("button[name=_save]")
    expect(page.locator(".hl-columns")).to_contain_text("00001")
    page.get_by_label("Type of points").select_option("number")
    shoot(page, "import-columns")
    workers.start("default")
    page.get_by_role("button", name="Only check every row").click()
    expect(page.locator("[data-count=created]")).to_have_text("2000", timeout=60_000)
    assert not Profile.objects.exists()
    page.get_by_role("link", name="Import it").click()
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.locator("[data-percent]")).to_have_text("100 %", timeout=60_000)
    expect(page.locator("[data-count=skipped]")).to_have_text("1")
    shoot(page, "import-done")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the report").click()
    assert "has no external_id" in download.value.path().read_text()
    assert Import.objects.get().created_count == Profile.objects.count() == 2_000

    page.goto(f"/admin/audience/segment/{Segment.objects.get().pk}/change/")
    expect(page.locator("[data-estimate]")).to_have_text("2000 profiles")
    page.get_by_role("button", name="Count exactly").click()
    expect(page.locator("[data-exact]")).to_have_text("2000 profiles", timeout=15_000)
    page.get_by_placeholder("External ID, email, phone or alias").fill("customer-7")
    page.get_by_role("button", name="Look up").click()
    expect(page.locator("#hl-lookup")).to_contain_text("is in this segment.")
    shoot(page, "segment-details")

    page.goto("/admin/audience/profile/?q=customer-77")
    page.get_by_role("link", name="customer-77", exact=True).click()
    expect(page.locator("[aria-labelledby=hl-segments-title]")).to_contain_text("people.csv")
    shoot(page, "profile")
    page.get_by_role("link", name="Delete").click()
    shoot(page, "profile-delete")
    page.get_by_role("button", name="Yes").click()
    expect(page.locator("body")).to_contain_text("was deleted successfully")
    assert Profile.objects.count() == 1_999
