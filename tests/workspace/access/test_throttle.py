"""Wrong passwords: who is refused, from where, for how long."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from tests.factories import AdminFactory

pytestmark = pytest.mark.django_db(transaction=True)


def sign_in(client, username: str, password: str, address: str = "203.0.113.9", **headers: str):
    data = {"username": username, "password": password}
    return client.post("/admin/login/", data, REMOTE_ADDR=address, **headers)


def fail(client, username: str, times: int, address: str = "203.0.113.9", **headers: str):
    for _ in range(times):
        answer = sign_in(client, username, "wrong", address, **headers)
    return answer


@pytest.fixture
def mina(settings):
    settings.AXES_FAILURE_LIMIT = 3
    return AdminFactory(username="mina")


def test_a_few_wrong_passwords_do_no_harm(client, mina):
    assert fail(client, "mina", 2).status_code == 200
    assert sign_in(client, "mina", "secret").status_code == 302


def test_too_many_are_refused_in_words_even_with_the_right_password(client, mina):
    answer = fail(client, "mina", 3)
    assert answer.status_code == 429
    assert "Try again in 15 minutes" in answer.content.decode()
    assert answer["Retry-After"] == "900"
    assert sign_in(client, "mina", "secret").status_code == 429


def test_after_the_wait_it_goes_on_also_for_who_kept_trying(client, mina):
    began = timezone.now()
    with time_machine.travel(began, tick=False) as clock:
        fail(client, "mina", 3)
        clock.shift(timedelta(minutes=10))
        fail(client, "mina", 1)
        clock.shift(timedelta(minutes=5, seconds=1))
        assert sign_in(client, "mina", "secret").status_code == 302


def test_nobody_else_behind_the_same_address_is_locked_out(client, mina):
    fail(client, "mina", 5)
    AdminFactory(username="theo")
    assert sign_in(client, "theo", "secret").status_code == 302


def test_an_attacker_elsewhere_does_not_lock_the_owner_out(client, mina):
    fail(client, "mina", 5, "198.51.100.7")
    assert sign_in(client, "mina", "secret", "203.0.113.9").status_code == 302


def test_behind_a_proxy_the_address_is_the_one_that_the_proxy_saw(client, mina, settings):
    settings.BEHIND_PROXY = True
    assert fail(client, "mina", 3, "10.0.0.1", HTTP_X_FORWARDED_FOR="198.51.100.7").status_code == 429
    made_up = {"HTTP_X_FORWARDED_FOR": "1.2.3.4, 198.51.100.7"}  # what the client wrote itself comes first
    assert sign_in(client, "mina", "secret", "10.0.0.1", **made_up).status_code == 429
    assert sign_in(client, "mina", "secret", "10.0.0.1", HTTP_X_FORWARDED_FOR="203.0.113.9").status_code == 302


def test_without_a_proxy_the_header_is_not_believed(client, mina):
    for number in range(3):
        answer = sign_in(client, "mina", "wrong", HTTP_X_FORWARDED_FOR=f"192.0.2.{number}")
    assert answer.status_code == 429


def test_what_was_typed_is_not_kept(client, mina):
    from axes.models import AccessAttempt

    sign_in(client, "mina", "nearly-the-password")
    assert "nearly-the-password" not in str(list(AccessAttempt.objects.values()))
