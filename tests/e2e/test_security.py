"""The content security policy on every page of the admin, and the second factor as people meet it."""

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.test import RequestFactory
from django.urls import reverse
from django_otp.oath import totp
from django_otp.plugins.otp_totp.models import TOTPDevice
from playwright.sync_api import Page

from tests.canvas.world import build, delay, message
from tests.e2e.conftest import shoot
from tests.factories import (
    CampaignFactory,
    ContentFactory,
    CustomEventFactory,
    MessageFactory,
    ProfileFactory,
    SegmentFactory,
    TagFactory,
    TeamFactory,
    TemplateFactory,
)

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def fill() -> None:
    for factory in (CampaignFactory, CustomEventFactory, MessageFactory, SegmentFactory, TagFactory, TeamFactory):
        factory()
    TemplateFactory(content=ContentFactory())
    ProfileFactory.create_batch(3)
    build([message("hello"), delay("wait"), message("again")])


def pages() -> list[str]:
    """Every list, every form, and one row of each kind: what an administrator may see, add and delete."""
    found = ["/admin/", reverse("account"), reverse("account_second_factor"), "/admin/password_change/"]
    request = RequestFactory().get("/admin/")
    request.user = User.objects.get(username="mina")
    for model, site in admin.site._registry.items():
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        row = model._default_manager.first()
        if site.has_view_permission(request):
            found.append(reverse(f"{name}_changelist"))
        if site.has_add_permission(request):
            found.append(reverse(f"{name}_add"))
        if row is not None and site.has_view_permission(request, row):
            found += [reverse(f"{name}_{page}", args=[row.pk]) for page in ("change", "history")]
        if row is not None and site.has_delete_permission(request, row):
            found.append(reverse(f"{name}_delete", args=[row.pk]))
    return found


def test_no_page_of_the_admin_breaks_the_policy(page: Page):
    """The console of `page` must stay empty (conftest); every violation is an error there."""
    fill()
    seen = 0
    for url in pages():
        answer = page.goto(url)
        assert answer is not None
        assert answer.status == 200, url
        policy = answer.headers.get("content-security-policy", "")
        scripts = next(part for part in policy.split(";") if part.strip().startswith("script-src"))
        assert "unsafe-inline" not in scripts, url
        seen += 1
    assert seen > 80


def test_an_inline_script_would_not_run(page: Page):
    """The policy is in force: what stored text might smuggle in does nothing."""
    other = page.context.new_page()  # its console may complain
    complaints: list[str] = []
    other.on("console", lambda message: complaints.append(message.text))
    other.goto("/admin/")
    other.evaluate(
        """() => { const made = document.createElement('script'); made.textContent = 'window.was_run = true';
                   document.body.append(made); }"""
    )
    assert other.evaluate("() => window.was_run === undefined")
    assert any("Content Security Policy" in text for text in complaints)


def test_the_second_factor_from_switching_on_to_the_next_sign_in(page: Page):
    page.goto(reverse("account"))
    shoot(page, "account")
    page.click("text=Switch on")
    shoot(page, "account-second-factor")
    key = TOTPDevice.objects.get()
    page.fill("[name=code]", f"{totp(key.bin_key):06}")
    page.fill("[name=password]", "secret")
    page.click("#set-up-form button")
    codes = page.inner_text("[data-codes]").split()
    assert len(codes) == 10
    page.context.clear_cookies()
    page.goto("/admin/campaigns/campaign/")
    page.fill("[name=username]", "mina")
    page.fill("[name=password]", "secret")
    page.click("button[type=submit]")
    shoot(page, "account-code")
    page.fill("[name=code]", codes[0])
    page.click("#code-form button")
    page.wait_for_url("**/admin/campaigns/campaign/")
    page.goto("/admin/admin/logentry/")
    assert "signed in" in page.inner_text("[data-audit]")
    shoot(page, "audit-trail")
