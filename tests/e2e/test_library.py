"""What templates draw from, made on its pages and used in the composer."""

import json

import pytest
from playwright.sync_api import expect

from audience.models import Attribute
from tests.e2e.conftest import shoot
from tests.factories import ContentFactory, ProfileFactory
from webhooks.models import BodyKind, Catalog, Promotion

pytestmark = [pytest.mark.browser]


def test_a_block_a_catalog_and_codes_are_made_and_shown_in_a_preview(page, tmp_path):
    Attribute.objects.create(name="plan", type=Attribute.Type.TEXT)
    ProfileFactory(first_name="Zoë")
    games, codes = tmp_path / "games.csv", tmp_path / "codes.csv"
    games.write_text("id,title,price\n1,Chess,5\n2,Go,7.5\n")
    codes.write_text("SPR-1\nSPR-2\n")

    page.goto("/admin/webhooks/contentblock/add/")
    page.fill("[name=name]", "footer")
    page.fill("[name=content]", "Sent by {{custom_attribute.${brand} | upcse}}")
    page.click("button[name=_continue]")
    expect(page.locator("body")).to_contain_text("there is no filter 'upcse'; did you mean 'upcase'?")
    shoot(page, "content-block-refused")
    page.fill("[name=content]", "Sent by ACME")
    page.click("button[name=_continue]")
    expect(page.locator("body")).to_contain_text("{{content_blocks.${footer}}}")

    page.goto("/admin/webhooks/catalog/add/")
    page.fill("[name=name]", "Games")
    page.set_input_files("[name=file]", games)
    page.click("button[name=_continue]")
    expect(page.locator("body")).to_contain_text("2 items were imported.")
    shoot(page, "catalog")
    assert Catalog.objects.get().items.count() == 2

    page.goto("/admin/webhooks/promotion/add/")
    page.fill("[name=name]", "spring")
    page.set_input_files("[name=file]", codes)
    page.click("button[name=_save]")
    expect(page.locator("body")).to_contain_text("2 codes were added")
    shoot(page, "promotions")
    assert Promotion.objects.get().codes.count() == 2

    content = ContentFactory(url="https://example.com/{{${user_id}}}", body_kind=BodyKind.RAW)
    page.goto(f"/admin/webhooks/content/{content.pk}/change/")
    values = {
        "code": "{% promotion('spring') %}",
        "text": "{{content_blocks.${footer}}}",
        "plan": "{{custom_attribute.${plna}}}",
    }
    body = json.dumps(values)
    page.fill("[name=raw_body]", body)
    page.get_by_role("button", name="Preview").click()
    expect(page.locator("#hl-preview")).to_contain_text("Sent by ACME")
    expect(page.locator("#hl-preview")).to_contain_text("SAMPLE-CODE")
    expect(page.locator("#hl-preview")).to_contain_text("Did you mean “plan”?")
    expect(page.locator("#hl-preview")).to_contain_text("${user_id} may be missing")
    expect(page.locator("#hl-preview")).to_contain_text("Write {{custom_attribute.${plna} | json_escape}}")
    shoot(page, "composer-warnings")
