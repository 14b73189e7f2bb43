"""The second factor: switched on, asked for, lost, and switched off."""

import re
from datetime import timedelta
from io import StringIO

import pytest
import time_machine
from django.contrib import admin
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_otp.oath import totp
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from tests.factories import AdminFactory
from workspace.access import second_factor

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def mina():
    return AdminFactory(username="mina")


@pytest.fixture
def clock():
    with time_machine.travel(timezone.now(), tick=False) as clock:
        yield clock


def sign_in(user) -> Client:
    client = Client()
    assert client.post("/admin/login/", {"username": user.username, "password": "secret"}).status_code == 302
    return client


def now_code(user) -> str:
    """What the app shows, worked out from the key as RFC 6238 says."""
    device = TOTPDevice.objects.get(user=user)
    return f"{totp(device.bin_key):06}"


def switch_on(user, clock) -> list[str]:
    """Switch it on through the pages; the recovery codes. The clock then stands in the next half minute."""
    client = sign_in(user)
    page = client.get(reverse("account_second_factor")).content.decode()
    assert "data:image/svg+xml" in page
    answer = client.post(reverse("account_second_factor"), {"code": now_code(user), "password": "secret"})
    codes = re.findall(r"\b[a-z2-9]{4}-[a-z2-9]{4}-[a-z2-9]{4}\b", answer.content.decode())
    assert len(codes) == 10
    clock.shift(timedelta(seconds=30))
    return codes


def is_in(client: Client) -> bool:
    return client.get("/admin/").status_code == 200


def test_without_it_a_password_is_enough(mina):
    assert is_in(sign_in(mina))


def test_with_it_every_page_asks_for_the_code_first(mina, clock):
    switch_on(mina, clock)
    client = sign_in(mina)
    for url in ("/admin/", reverse("account"), reverse("account_second_factor"), "/admin/campaigns/campaign/"):
        answer = client.get(url)
        assert answer.status_code == 302, url
        assert answer.url.startswith(reverse("account_code")), url
    answer = client.post(reverse("account_second_factor_off"), {"password": "secret"})
    assert answer.url.startswith(reverse("account_code"))
    assert client.get("/admin/", headers={"HX-Request": "true"}).status_code == 403
    assert TOTPDevice.objects.filter(confirmed=True).exists()


def test_the_right_code_leads_to_where_one_was_going_and_nowhere_else(mina, clock):
    switch_on(mina, clock)
    client = sign_in(mina)
    target = client.get("/admin/campaigns/campaign/?q=spring").url
    assert "six digits" in client.get(target).content.decode()
    answer = client.post(target, {"code": now_code(mina), "next": "/admin/campaigns/campaign/?q=spring"})
    assert answer.url == "/admin/campaigns/campaign/?q=spring"
    assert is_in(client)
    clock.shift(timedelta(seconds=30))
    other = sign_in(mina)
    answer = other.post(reverse("account_code"), {"code": now_code(mina), "next": "https://evil.example/"})
    assert answer.url == "/admin/"


def test_a_code_works_once(mina, clock):
    switch_on(mina, clock)
    code = now_code(mina)
    assert sign_in(mina).post(reverse("account_code"), {"code": code}).status_code == 302
    assert sign_in(mina).post(reverse("account_code"), {"code": code}).status_code == 200


def test_wrong_codes_make_the_next_one_wait_longer_and_longer(mina, clock):
    switch_on(mina, clock)
    client = sign_in(mina)
    answer = client.post(reverse("account_code"), {"code": "000000" if now_code(mina) != "000000" else "111111"})
    assert "each wrong code makes the wait longer" in answer.content.decode()
    assert client.post(reverse("account_code"), {"code": now_code(mina)}).status_code == 200
    clock.shift(timedelta(seconds=30))
    assert client.post(reverse("account_code"), {"code": now_code(mina)}).status_code == 302


def test_a_recovery_code_lets_in_once_however_it_is_typed(mina, clock):
    code = switch_on(mina, clock)[3]
    client = sign_in(mina)
    client.post(reverse("account_code"), {"code": f" {code.upper().replace('-', ' ')}"})
    assert is_in(client)
    assert StaticToken.objects.count() == 9
    again = sign_in(mina)
    again.post(reverse("account_code"), {"code": code})
    assert not is_in(again)


def test_switching_it_on_ends_the_other_sessions_and_needs_code_and_password(mina, clock):
    elsewhere, client = sign_in(mina), sign_in(mina)
    url = reverse("account_second_factor")
    client.get(url)
    assert "not your password" in client.post(url, {"code": now_code(mina), "password": "x"}).content.decode()
    assert not second_factor.is_on(mina)
    client.post(url, {"code": now_code(mina), "password": "secret"})
    assert (is_in(client), is_in(elsewhere)) == (True, False)


def test_new_recovery_codes_replace_the_old_and_need_the_password(mina, clock):
    old = switch_on(mina, clock)
    client = sign_in(mina)
    client.post(reverse("account_code"), {"code": now_code(mina)})
    client.post(reverse("account_recovery_codes"), {"password": "guess"})
    before = set(StaticToken.objects.values_list("token", flat=True))
    assert {code.replace("-", "") for code in old} == before
    client.post(reverse("account_recovery_codes"), {"password": "secret"})
    assert not before & set(StaticToken.objects.values_list("token", flat=True))


def test_switching_it_off_needs_the_password(mina, clock):
    switch_on(mina, clock)
    client = sign_in(mina)
    client.post(reverse("account_code"), {"code": now_code(mina)})
    client.post(reverse("account_second_factor_off"), {"password": "guess"})
    assert second_factor.is_on(mina)
    client.post(reverse("account_second_factor_off"), {"password": "secret"})
    assert not second_factor.is_on(mina)
    assert is_in(sign_in(mina))


def test_an_administrator_removes_it_for_who_lost_everything(client, mina, clock):
    switch_on(mina, clock)
    client.force_login(AdminFactory())
    data = {"action": "remove_second_factor", "_selected_action": [mina.pk]}
    client.post(reverse("admin:auth_user_changelist"), data)
    assert is_in(sign_in(mina))


def test_where_it_is_required_it_is_set_up_first(mina, clock, settings):
    settings.SECOND_FACTOR_REQUIRED = True
    client = sign_in(mina)
    assert client.get("/admin/").url.startswith(reverse("account_second_factor"))
    client.get(reverse("account_second_factor"))
    client.post(reverse("account_second_factor"), {"code": now_code(mina), "password": "secret"})
    assert is_in(client)


def test_the_pages_are_for_people_who_are_signed_in(client):
    for name in ("account", "account_code", "account_second_factor"):
        assert "/login/" in client.get(reverse(name)).url


def test_an_operator_removes_it_from_a_shell(mina, clock):
    switch_on(mina, clock)
    call_command("reset_second_factor", "mina", stdout=StringIO())
    assert is_in(sign_in(mina))
    for name in ("mina", "nobody"):
        with pytest.raises(CommandError, match=name):
            call_command("reset_second_factor", name)


def test_nobody_is_shown_the_keys_of_others(client):
    assert not {TOTPDevice, StaticDevice, StaticToken} & set(admin.site._registry)
