"""The page of keys."""

import re

import pytest
from django.contrib.auth.models import User
from django.urls import reverse

from api import keys
from api.models import ApiKey
from tests.api.conftest import Caller
from tests.factories import AdminFactory

pytestmark = pytest.mark.django_db
FORM = {"name": "Shop", "permissions": ["users.track", "campaigns.list"], "networks": "203.0.113.7\n10.0.0.0/8 "}


@pytest.fixture
def admin(client):
    client.force_login(AdminFactory())
    return client


def shown(page) -> str:
    found = re.search(r'id="api-key"[^>]*>([0-9a-f]{48})<', page.content.decode())
    return found[1] if found else ""


def test_a_new_key_is_shown_once_with_a_line_that_works(admin):
    page = admin.post(reverse("admin:api_apikey_add"), FORM | {"networks": "127.0.0.1"}, follow=True)
    text = shown(page)
    assert (
        f"curl -H &#x27;Authorization: Bearer {text}&#x27; http://localhost:8000/campaigns/list"
        in page.content.decode()
    )
    assert "no-store" in page["Cache-Control"]
    assert not shown(admin.get(page.request["PATH_INFO"]))
    assert text not in str(ApiKey.objects.values().get())
    assert Caller(text).post("/users/track", {"attributes": [{"external_id": "a", "x": 1}]})


def test_addresses_are_checked_line_by_line(admin):
    page = admin.post(reverse("admin:api_apikey_add"), FORM | {"networks": "10.0.0.0/8\nhome"})
    assert "“home” is neither an address nor a network." in page.content.decode()
    admin.post(reverse("admin:api_apikey_add"), FORM)
    assert ApiKey.objects.get().networks == ["203.0.113.7/32", "10.0.0.0/8"]


def test_permissions_and_addresses_cannot_be_changed(admin):
    key, _text = keys.make("Shop", ["users.track"])
    admin.post(
        reverse("admin:api_apikey_change", args=[key.pk]),
        {"name": "Store", "permissions": ["users.delete"], "networks": "10.0.0.1"},
    )
    key.refresh_from_db()
    assert (key.name, key.permissions, key.networks) == ("Store", ["users.track"], [])


def test_rotating_and_revoking_ask_first(admin):
    key, text = keys.make("Shop", ["users.track"])
    for action in ("rotate", "revoke"):
        assert "Shop" in admin.get(reverse(f"admin:api_apikey_{action}", args=[key.pk])).content.decode()
    page = admin.post(reverse("admin:api_apikey_rotate", args=[key.pk]), follow=True)
    assert shown(page) not in ("", text)
    admin.post(reverse("admin:api_apikey_revoke", args=[key.pk]))
    key.refresh_from_db()
    assert key.revoked_at
    assert "This key is revoked." in admin.get(reverse("admin:api_apikey_change", args=[key.pk])).content.decode()
    assert admin.get(reverse("admin:api_apikey_rotate", args=[key.pk])).status_code == 404


def test_a_deleted_user_leaves_the_keys(admin):
    admin.post(reverse("admin:api_apikey_add"), FORM)
    User.objects.all().delete()
    assert ApiKey.objects.get().created_by is None


def test_the_list_is_for_those_who_may_see_it(client):
    client.force_login(User.objects.create_user("eve", is_staff=True))
    assert client.get(reverse("admin:api_apikey_changelist")).status_code == 403
    client.force_login(AdminFactory())
    keys.make("<b>Shop</b>", ["users.track"])
    page = client.get(reverse("admin:api_apikey_changelist")).content.decode()
    assert "&lt;b&gt;Shop" in page
    assert "N/A" in page
