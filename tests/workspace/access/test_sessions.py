"""One's own sessions: listed, ended, and ended for good."""

from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth.models import Permission
from django.contrib.sessions.backends.base import UpdateError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.factories import AdminFactory
from workspace import jobs
from workspace.access import sessions
from workspace.models import Session

pytestmark = pytest.mark.django_db(transaction=True)


def browser(user, agent: str = "Firefox", address: str = "203.0.113.9") -> Client:
    client = Client(headers={"user-agent": agent}, REMOTE_ADDR=address)
    answer = client.post("/admin/login/", {"username": user.username, "password": "secret"})
    assert answer.status_code == 302
    return client


@pytest.fixture
def mina():
    return AdminFactory(username="mina")


def is_in(client: Client) -> bool:
    return client.get("/admin/").status_code == 200


def test_the_page_lists_where_one_is_signed_in_and_nobody_elses_sessions(mina):
    here = browser(mina, "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
    browser(mina, "<b>Phone</b>", "198.51.100.7")
    browser(AdminFactory(username="theo"), "Theo's")
    text = here.get(reverse("account")).content.decode()
    assert text.count("Firefox on Linux") == 1
    assert "&lt;b&gt;Phone&lt;/b&gt;" in text
    assert "198.51.100.7" in text
    assert "Theo" not in text
    for row in Session.objects.all():
        assert row.session_key not in text


def test_ending_one_ends_that_one(mina):
    here, phone, tablet = browser(mina), browser(mina, "Phone"), browser(mina, "Tablet")
    handle = sessions.handle_of(Session.objects.get(agent="Phone"))
    here.post(reverse("account_end_sessions"), {"session": handle})
    assert (is_in(here), is_in(phone), is_in(tablet)) == (True, False, True)


def test_ending_all_others_keeps_this_one(mina):
    here, phone = browser(mina), browser(mina, "Phone")
    here.post(reverse("account_end_sessions"))
    assert (is_in(here), is_in(phone)) == (True, False)


def test_nobody_can_end_the_sessions_of_others(mina):
    theo = AdminFactory(username="theo")
    there, here = browser(theo), browser(mina)
    handle = sessions.handle_of(Session.objects.get(user=theo))
    here.post(reverse("account_end_sessions"), {"session": handle})
    assert is_in(there)


def test_a_request_under_way_does_not_bring_an_ended_session_back(mina):
    client = browser(mina)
    store = sessions.SessionStore(Session.objects.get().session_key)
    store.load()
    store["draft"] = "typed"
    sessions.end(mina)
    with pytest.raises(UpdateError):
        store.save()
    assert not is_in(client)


def test_administrators_end_the_sessions_of_others(client, mina):
    there = browser(mina)
    client.force_login(AdminFactory())
    data = {"action": "end_sessions", "_selected_action": [mina.pk]}
    client.post(reverse("admin:auth_user_changelist"), data)
    assert not is_in(there)


def test_without_the_permission_the_action_is_not_there(client, mina):
    there = browser(mina)
    viewer = AdminFactory(is_superuser=False)
    viewer.user_permissions.add(Permission.objects.get(codename="view_user"))
    client.force_login(viewer)
    client.post(reverse("admin:auth_user_changelist"), {"action": "end_sessions", "_selected_action": [mina.pk]})
    assert is_in(there)


def test_a_new_password_ends_the_others(mina):
    here, phone = browser(mina), browser(mina, "Phone")
    new = "four plain words more"
    data = {"old_password": "secret", "new_password1": new, "new_password2": new}
    assert here.post("/admin/password_change/", data).status_code == 302
    assert (is_in(here), is_in(phone)) == (True, False)


def test_last_used_moves_on_and_so_does_the_end(mina):
    began = timezone.now()
    with time_machine.travel(began, tick=False) as clock:
        client = browser(mina)
        for _ in range(3):
            clock.shift(timedelta(hours=20))
            assert is_in(client)
        assert Session.objects.get().seen_at == timezone.now()
        clock.shift(timedelta(hours=24, seconds=1))
        assert not is_in(client)
        jobs.tidy()
        assert not Session.objects.filter(user=mina).exists()


def test_within_five_minutes_nothing_is_written(mina, django_assert_num_queries):
    client = browser(mina)
    with django_assert_num_queries(2) as queries:  # the session, the person
        client.get("/admin/jsi18n/")
    assert not any("UPDATE" in query["sql"] for query in queries)


@pytest.mark.parametrize("password", ["featherstone1", "password1234", "837465019283"])
def test_weak_passwords_are_refused(password):
    client = browser(AdminFactory(last_name="Featherstone"))
    data = {"old_password": "secret", "new_password1": password, "new_password2": password}
    assert client.post("/admin/password_change/", data).status_code == 200


def test_eleven_characters_are_too_few(mina):
    client = browser(mina)
    data = {"old_password": "secret", "new_password1": "xq7-kd2-vm9", "new_password2": "xq7-kd2-vm9"}
    assert "at least 12 characters" in client.post("/admin/password_change/", data).content.decode()
