"""Writing a message: the editor with completion and squiggles, the variable picker, curl commands, languages."""

import re

import pytest
from playwright.sync_api import expect

from audience.models import Attribute
from tests.e2e.conftest import shoot
from tests.factories import CampaignFactory, ContentFactory, ProfileFactory, content_of
from webhooks.models import Content, ContentOverride

pytestmark = [pytest.mark.browser]


@pytest.fixture
def content(db) -> Content:
    Attribute.objects.create(name="plan", type=Attribute.Type.TEXT)
    ProfileFactory(external_id="ada", first_name="Ada", custom_attributes={"plan": "pro"})
    return content_of(CampaignFactory(name="Spring offer", url="https://example.com/hook"))


def editor(page, name: str):
    return page.locator(f"[name='{name}'] + .hl-editor")


def write(page, name: str, text: str) -> None:
    editor(page, name).click()
    page.keyboard.press("Control+End")
    page.keyboard.type(text)


def open_(page, content: Content) -> None:
    page.goto(f"/admin/webhooks/content/{content.pk}/change/")
    expect(page.locator("#hl-preview")).to_contain_text("For ada")


def test_names_and_filters_are_completed_and_the_preview_follows(page, content):
    open_(page, content)
    write(page, "pairs-0-value", " {{custom_attribute.${")
    popup = page.locator(".ace_autocomplete:visible")
    page.keyboard.type("pl")
    expect(popup).to_contain_text("plan")
    page.keyboard.press("Enter")
    page.keyboard.type(" | upc")
    expect(popup).to_contain_text("upcase")
    shoot(page, "composer-completion")
    page.keyboard.press("Enter")
    expect(page.locator("[name='pairs-0-value']")).to_have_value(
        "{{${first_name}}} {{custom_attribute.${plan} | upcase}}"
    )
    expect(page.locator("#hl-preview")).to_contain_text("Ada PRO")


def test_mistakes_are_underlined_where_they_are(page, content):
    open_(page, content)
    write(page, "pairs-0-value", " {{custom_attribute.${plna}}}")
    row = page.locator("tr", has=page.locator("[name='pairs-0-value']"))
    expect(row.locator(".hl-findings")).to_contain_text("Did you mean “plan”?")
    expect(row.locator(".hl-squiggle-warning")).to_have_count(1)
    write(page, "pairs-0-value", " {{${first_name} | upcse}}")
    expect(row.locator(".hl-findings")).to_contain_text("did you mean 'upcase'?")
    expect(row.locator(".hl-squiggle-error")).to_have_count(1)
    shoot(page, "composer-squiggles")


def test_a_variable_is_picked_with_its_value_in_sight(page, content):
    open_(page, content)
    editor(page, "pairs-0-value").click()
    page.keyboard.press("Control+End")
    page.keyboard.press("Alt+v")
    dialog = page.locator("#hl-names-dialog")
    expect(dialog).to_contain_text("Values of ada")
    page.keyboard.type("plan")
    expect(dialog.locator(".hl-name:visible")).to_have_count(1)
    expect(dialog.locator(".hl-name:visible")).to_contain_text("pro")
    shoot(page, "composer-variables")
    dialog.locator(".hl-name:visible").click()
    expect(page.locator("[name='pairs-0-value']")).to_have_value("{{${first_name}}}{{custom_attribute.${plan}}}")


def test_a_curl_command_fills_the_form_and_the_preview_gives_one_back(page, content):
    open_(page, content)
    page.get_by_role("button", name="Paste a curl command").click()
    dialog = page.locator("#hl-curl-dialog")
    dialog.locator("textarea").fill("wget https://api.example.com")
    dialog.get_by_role("button", name="Fill the form").click()
    expect(dialog.get_by_role("alert")).to_contain_text("begins with curl")
    command = """curl -X PUT https://api.example.com/v1 -H 'X-Token: abc' --json '{"to": "a", "n": 3, "deep": [1]}'"""
    dialog.locator("textarea").fill(command)
    dialog.get_by_role("button", name="Fill the form").click()
    expect(page.locator("[name=method]")).to_have_value("PUT")
    expect(page.locator("[name='pairs-1-type']")).to_have_value("number")
    expect(page.locator("[name='headers-0-is_secret']")).to_be_checked()
    expect(page.locator("#hl-preview")).to_contain_text('"deep": [')
    page.get_by_text("As a curl command").click()
    expect(page.locator("#hl-curl")).to_contain_text("curl -X PUT https://api.example.com/v1")
    shoot(page, "composer-curl")
    page.click("button[name=_save]")
    content.refresh_from_db()
    assert content.pairs[1] == {"key": "n", "value": "3", "type": "number", "omit_blank": False}
    assert content.headers[0]["value"] != "abc"


def test_languages_are_tabs_that_read_from_the_right_side(page, content):
    ContentOverride.objects.create(content=content, language="fr", raw_body="", url="https://example.com/fr")
    open_(page, content)
    page.get_by_role("tab", name="fr").click()
    expect(page.locator("[name='overrides-0-language']")).to_be_visible()
    expect(page.locator("[name=method]")).to_be_hidden()
    page.get_by_role("button", name="+ Language").click()
    page.locator("[name='overrides-1-language']").fill("ar")
    page.keyboard.press("Tab")
    expect(page.get_by_role("tab", name="ar")).to_have_attribute("aria-selected", "true")
    expect(page.locator("[name='overrides-1-raw_body']")).to_have_attribute("dir", "rtl")
    page.locator("[name='overrides-1-pairs-0-key']").fill("name")
    write(page, "overrides-1-pairs-0-value", "مرحبا {{${first_name}}} 🌷")
    shoot(page, "composer-right-to-left")
    page.locator("[name=as_language]").fill("ar")
    expect(page.locator("#hl-preview")).to_contain_text("مرحبا Ada 🌷")
    page.get_by_role("tab", name="Default").click()
    expect(page.locator("[name=method]")).to_be_visible()
    page.click("button[name=_save]")
    expect(page.locator("body")).to_contain_text("The webhook was saved.")
    assert content.overrides.get(language="ar").pairs[0]["value"] == "مرحبا {{${first_name}}} 🌷"


def test_it_can_be_written_with_the_keyboard_alone(page, content):
    open_(page, content)
    page.locator("[name=name]").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Control+End")
    page.keyboard.type("/x")
    expect(page.locator("[name=url]")).to_have_value("https://example.com/hook/x")
    page.keyboard.press("Tab")
    expect(page.locator("[name=method]")).to_be_focused()


def test_plain_fields_are_there_for_who_wants_them(page, content):
    open_(page, content)
    page.get_by_label("plain fields instead of the editor").check()
    expect(page.locator(".hl-editor")).to_have_count(0)
    page.reload()
    expect(page.locator(".hl-editor")).to_have_count(0)
    page.locator("[name=url]").fill("https://example.com/plain")
    page.click("button[name=_save]")
    content.refresh_from_db()
    assert content.url == "https://example.com/plain"


def test_a_row_that_is_added_has_an_editor_of_its_own(page):
    content = ContentFactory(pairs=[])
    page.goto(f"/admin/webhooks/content/{content.pk}/change/")
    block = page.locator(".hl-rows[data-rows=pairs]")
    count = block.locator(".hl-editor").count()
    block.get_by_role("button", name=re.compile("Add new")).click()
    expect(block.locator(".hl-editor")).to_have_count(count + 1)
    page.locator(f"[name='pairs-{count}-key']").fill("last")
    write(page, f"pairs-{count}-value", "words")
    page.click("button[name=_continue]")
    expect(page.locator("body")).to_contain_text("was changed")
    content.refresh_from_db()
    assert content.pairs[-1]["value"] == "words"
