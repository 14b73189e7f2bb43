import pytest
from django.test import Client
from django.urls import reverse

from campaigns.models import Campaign
from config.pages import kept
from tests.factories import AdminFactory, ContentFactory

pytestmark = pytest.mark.django_db
PASSWORD = {"username": "mina", "password": "secret"}


@pytest.fixture
def lapsed(client):
    """Somebody whose session ended while they worked."""
    client.force_login(AdminFactory(username="mina"))
    client.session.flush()
    return client


def test_what_was_typed_when_the_session_had_ended_is_saved_after_signing_in(lapsed):
    url = reverse("admin:campaigns_campaign_add")
    answer = lapsed.post(url, {"name": "Spring <b> 🌷", "delivery": "scheduled", "segments": []})
    assert answer.status_code == 302
    assert not Campaign.objects.exists()
    signed_in = lapsed.post(answer["Location"], PASSWORD, follow=True)
    assert "Spring &lt;b&gt; 🌷" in signed_in.text
    form = dict(signed_in.context["kept"]["fields"])
    lapsed.post(signed_in.context["kept"]["path"], form)
    assert Campaign.objects.get().name == "Spring <b> 🌷"


def test_it_is_offered_once(lapsed):
    lapsed.post(reverse("admin:campaigns_campaign_add"), {"name": "Spring"})
    lapsed.post(reverse("admin:login"), PASSWORD)
    assert "Spring" in lapsed.get(reverse("kept_form")).text
    assert lapsed.get(reverse("kept_form"))["Location"] == reverse("admin:index")


def test_passwords_files_and_too_much_are_not_kept(lapsed):
    lapsed.post(reverse("admin:auth_user_add"), {"username": "x", "password1": "geheim", "password2": "geheim"})
    assert "geheim" not in str(lapsed.session[kept.KEY])
    lapsed.get(reverse("admin:login"))
    lapsed.post(reverse("admin:campaigns_campaign_add"), {"name": "x" * (kept.MOST + 1)})
    assert "x" * 100 not in str(lapsed.session[kept.KEY])


def test_no_other_site_can_plant_a_form():
    browser = Client(enforce_csrf_checks=True)
    answer = browser.post(reverse("admin:campaigns_campaign_add"), {"name": "Spring"})
    assert answer.status_code == 403
    assert kept.KEY not in browser.session


def test_what_a_script_asks_for_is_not_kept(lapsed):
    url = reverse("admin:webhooks_content_findings")
    lapsed.post(url, ["{{"], content_type="application/json", headers={"Sec-Fetch-Dest": "empty"})
    assert kept.KEY not in lapsed.session


def test_parts_of_a_page_say_that_the_session_has_ended(lapsed):
    content = ContentFactory()
    url = reverse("admin:webhooks_content_preview", args=[content.pk])
    answer = lapsed.post(url, {"url": "x"}, headers={"HX-Request": "true"})
    assert answer.status_code == kept.STOP_ASKING
    assert "You were signed out" in answer["HX-Trigger"]


def test_a_webhook_saved_in_another_tab_is_not_written_over(admin):
    content = ContentFactory()
    url = reverse("admin:webhooks_content_change", args=[content.pk])
    form = {
        "method": "POST",
        "body_kind": "raw",
        "raw_body": "first",
        "url": content.url,
        "edited_version": content.version,
        "overrides-TOTAL_FORMS": "0",
        "overrides-INITIAL_FORMS": "0",
    }
    assert admin.post(url, form).status_code == 302
    answer = admin.post(url, form | {"raw_body": "second 🌷"})
    assert "was saved meanwhile" in answer.text
    assert "second 🌷" in answer.text
    content.refresh_from_db()
    assert content.raw_body == "first"
