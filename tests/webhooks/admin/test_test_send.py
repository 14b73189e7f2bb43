"""A test send: what it shows, where it is logged, and that it counts nowhere."""

import pytest
from django.urls import reverse
from redis import Redis

from config.demo.receiver import Reply, always
from outreach.models import DailyCount
from tests.factories import CampaignFactory, ProfileFactory, content_of
from tests.webhooks.admin.test_writing import form
from webhooks import health
from webhooks.models import ErrorCount, Host, LogKind, Message, MessageActivityLog, Receipt
from workspace.models import Workspace

pytestmark = pytest.mark.django_db(transaction=True)


def sent_test(admin_client, url: str, **person: str):
    content = content_of(CampaignFactory())
    return admin_client.post(
        reverse("admin:webhooks_content_test", args=[content.pk]), form(content, **person) | {"url": url}
    )


def test_a_test_that_meets_a_404_shows_it_with_the_body_and_is_logged_as_a_test(admin_client, sink):
    sink.script = always(Reply(404, b"no such hook", (("Content-Type", "text/plain"),)))
    ProfileFactory(external_id="ada")
    page = sent_test(admin_client, sink.url, as_kind="existing", as_id="ada").text
    assert "404 Not Found" in page
    assert "no such hook" in page
    row = MessageActivityLog.objects.get()
    assert (row.kind, row.text) == (LogKind.TEST_SEND, "[TEST SEND] 404 Not Found")
    assert row.next_try_at is None


def test_a_test_changes_no_statistics_caps_rates_or_health(admin_client, sink, valkey: Redis):
    Workspace.objects.update_or_create(pk=1, defaults={"rate_per_minute": 10})
    ProfileFactory(external_id="ada")
    for status in (200, 503):
        sink.script = always(Reply(status))
        sent_test(admin_client, sink.url, as_kind="existing", as_id="ada")
    assert len(sink.received) == 2
    for model in (DailyCount, Receipt, Message, ErrorCount, Host):
        assert not model.objects.exists(), model
    assert Workspace.current().next_free_at is None
    assert health.last_minute("127.0.0.1") == (0, 0)


@pytest.mark.parametrize("typed", ["nobody", "ADA"])
def test_a_test_as_somebody_unknown_makes_no_request(admin_client, sink, typed):
    ProfileFactory(external_id="ada")
    page = sent_test(admin_client, sink.url, as_kind="existing", as_id=typed).text
    assert f"No profile has the external ID or email “{typed}”." in page
    assert ("case-sensitive" in page) is (typed == "ADA")
    assert sink.received == []
    assert not MessageActivityLog.objects.exists()
