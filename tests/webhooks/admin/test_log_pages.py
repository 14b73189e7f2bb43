import pytest
from django.utils import timezone

from tests.factories import AdminFactory
from webhooks.models import LogKind, MessageActivityLog

pytestmark = pytest.mark.django_db
LIST = "/admin/webhooks/messageactivitylog/"


@pytest.fixture
def admin(client):
    client.force_login(AdminFactory())
    return client


def entry(kind: str = LogKind.WEBHOOK_ERROR, **values: object) -> MessageActivityLog:
    return MessageActivityLog.objects.create(kind=kind, text="503 Service Unavailable", **values)


def test_new_entries_are_announced_under_the_filters_of_the_list(admin):
    first = entry()
    assert f"after={first.pk}" in admin.get(LIST).text
    assert "Watching" in admin.get(f"{LIST}newer/?after={first.pk}").text
    entry()
    entry(LogKind.TEST_SEND)
    assert "2 new entries" in admin.get(f"{LIST}newer/?after={first.pk}").text
    filtered = admin.get(f"{LIST}newer/?after={first.pk}&kind__exact=test_send").text
    assert "1 new entry" in filtered
    assert f'{LIST}?kind__exact=test_send"' in filtered
    assert "3 new entries" in admin.get(f"{LIST}newer/?after=nonsense").text


def test_the_announcement_is_for_those_who_may_read_the_log(client):
    client.force_login(AdminFactory(is_superuser=False))
    assert client.get(f"{LIST}newer/?after=0").status_code == 403


def test_what_follows_an_attempt_is_said_in_words(admin):
    entry(is_final=True)
    entry(is_final=False, next_try_at=timezone.now())
    text = admin.get(LIST).text
    assert "no further try" in text
    assert "again at " in text
