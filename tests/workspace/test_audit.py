"""Who did what when: from the admin's log, from histories, from sign-ins."""

from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from campaigns import history
from tests.conftest import NOON
from tests.factories import AdminFactory, CampaignFactory
from workspace import audit, jobs
from workspace.audit import Action, Wanted

pytestmark = pytest.mark.django_db(transaction=True)
URL = "/admin/admin/logentry/"


@pytest.fixture
def mina():
    return AdminFactory(username="mina")


def shown(wanted: Wanted = Wanted()) -> list[tuple[str, str, str]]:  # noqa: B008
    return [(entry.who, str(entry.action.label), entry.what) for entry in audit.entries(wanted, 50)]


def test_what_the_admin_logged_and_what_a_history_holds_come_in_one_order(client, mina):
    client.force_login(mina)
    with time_machine.travel(NOON, tick=False) as clock:
        client.post(reverse("admin:workspace_tag_add"), {"name": "spring"})
        clock.shift(timedelta(minutes=1))
        campaign = CampaignFactory(name="Launch party")
        history.note(campaign, mina, "launched")
        clock.shift(timedelta(minutes=1))
        client.post(reverse("admin:workspace_tag_add"), {"name": "autumn"})
    found = shown(Wanted(since=NOON, before=NOON + timedelta(minutes=3)))
    assert [row for row in found if row[0] == "mina"] == [
        ("mina", "added", "autumn"),
        ("mina", "changed", "Launch party"),
        ("mina", "added", "spring"),
    ]
    assert ("", "added", "Launch party") in found
    assert [entry.note for entry in audit.entries(Wanted(who="mina", text="party"), 5)] == ["launched"]


def test_sign_ins_and_failures_are_in_it(mina):
    Client().post("/admin/login/", {"username": "mina", "password": "secret"}, REMOTE_ADDR="203.0.113.9")
    Client().post("/admin/login/", {"username": "mina", "password": "guess"}, REMOTE_ADDR="198.51.100.7")
    assert shown(Wanted(kind="sign_in")) == [
        ("mina", "sign-in failed", "from 198.51.100.7"),
        ("mina", "signed in", "from 203.0.113.9"),
    ]
    assert shown(Wanted(action=Action.FAILED)) == [("mina", "sign-in failed", "from 198.51.100.7")]


def test_each_filter_narrows(client, mina):
    theo = AdminFactory(username="theo")
    for user, name in ((mina, "spring"), (theo, "spring/early")):
        client.force_login(user)
        client.post(reverse("admin:workspace_tag_add"), {"name": name})
        client.post(reverse("admin:workspace_team_add"), {"name": f"{user} team", **empty_members()})
    assert len(shown(Wanted(kind="workspace.tag"))) == 2
    assert shown(Wanted(who="theo", kind="workspace.tag")) == [("theo", "added", "spring/early")]
    assert shown(Wanted(text="EARLY")) == [("theo", "added", "spring/early")]
    assert shown(Wanted(action=Action.DELETED)) == []
    assert shown(Wanted(since=timezone.now() + timedelta(hours=1))) == []


def empty_members() -> dict[str, str]:
    return {"memberships-TOTAL_FORMS": "0", "memberships-INITIAL_FORMS": "0"}


def test_the_page_filters_pages_and_escapes(client, mina):
    client.force_login(mina)
    for number in range(51):
        client.post(reverse("admin:workspace_tag_add"), {"name": f"<b>{number}"})
    page = client.get(URL, {"kind": "workspace.tag"}).content.decode().split("data-audit")[1]
    assert "&lt;b&gt;50" in page
    assert "<b>50" not in page
    assert ">&lt;b&gt;0<" not in page
    older = page.split('href="?kind')[1].split('"')[0].replace("&amp;", "&")
    assert "&lt;b&gt;0" in client.get(f"{URL}?kind{older}").content.decode()


def test_a_question_that_makes_no_sense_is_answered_in_words(client, mina):
    client.force_login(mina)
    answer = client.get(URL, {"since": "yesterday"})
    assert answer.status_code == 200
    assert "Enter a valid date" in answer.content.decode()


def test_as_csv_without_formulas(client, mina):
    client.force_login(mina)
    client.post(reverse("admin:workspace_tag_add"), {"name": "=1+1"})
    text = client.get(URL, {"csv": "1", "kind": "workspace.tag"}).content.decode("utf-8-sig")
    assert text.splitlines()[0] == "at,who,action,kind,what,note"
    assert ",mina,added,tag,'=1+1," in text


def test_it_is_for_those_with_the_permission(client):
    viewer = AdminFactory(is_superuser=False)
    client.force_login(viewer)
    assert client.get(URL).status_code == 403
    viewer.user_permissions.add(Permission.objects.get(codename="view_logentry"))
    assert client.get(URL).status_code == 200


def test_it_cannot_be_changed(client, mina):
    client.force_login(mina)
    client.post(reverse("admin:workspace_tag_add"), {"name": "spring"})
    client.post(URL, {"action": "delete_selected", "_selected_action": ["1"], "post": "yes"})
    assert len(shown(Wanted(kind="workspace.tag"))) == 1


def test_sign_ins_are_kept_for_a_year(mina):
    with time_machine.travel(NOON):
        Client().post("/admin/login/", {"username": "mina", "password": "secret"})
    for days, left in ((364, 1), (366, 0)):
        with time_machine.travel(NOON + timedelta(days=days)):
            jobs.tidy()
        assert len(shown(Wanted(kind="sign_in"))) == left
