"""Failed messages go again: once each, under their old id, and the totals follow."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse
from django.utils import timezone

from config.demo.receiver import Reply, always
from outreach import counters
from outreach.models import Metric
from tests.factories import CampaignFactory, ContentFactory, MessageFactory
from webhooks import replay
from webhooks.models import Message, MessageActivityLog, Outcome, Sender

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def failed(sink, pump) -> list[Message]:
    sink.script = always(Reply(status=400))
    campaign = CampaignFactory(status="active")
    Sender.objects.update(is_open=True)
    content = ContentFactory(url=f"{sink.url}/hook")
    made = MessageFactory.create_batch(3, content=content, sender=campaign.sender)
    counters.add({counters.Key(campaign.pk, counters.today(timezone.now()), 0, 0, Metric.PLANNED): 3})
    pump.run()
    sink.script = always(Reply())
    return made


def totals() -> dict[str, int]:
    from campaigns.models import Campaign

    return counters.totals(Campaign.objects.get())


def test_a_replay_sends_under_the_same_id_and_totals_add_up(sink, pump, failed):
    assert (totals()["failed"], totals()["pending"]) == (3, 0)
    before = {request.webhook_id for request in sink.received}
    assert replay.again([message.pk for message in failed], timezone.now()) == 3
    assert (totals()["failed"], totals()["pending"]) == (0, 3)
    pump.run()
    assert {request.webhook_id for request in sink.received[3:]} == before
    assert (totals()["received"], totals()["failed"], totals()["pending"]) == (3, 0, 0)


def test_what_has_not_failed_is_left_alone(sink, pump, failed):
    replay.again([message.pk for message in failed], timezone.now())
    pump.run()
    assert replay.again([message.pk for message in failed], timezone.now()) == 0
    assert set(Message.objects.values_list("outcome", flat=True)) == {Outcome.RECEIVED}


def command(*args: str) -> dict[str, int]:
    out = StringIO()
    call_command("retry_failed", *args, "--json", stdout=out)
    return json.loads(out.getvalue())


def test_the_command_chooses_by_host_status_and_time(failed):
    assert command("--host", "other.example") == {"found": 0, "retried": 0}
    assert command("--status", "503") == {"found": 0, "retried": 0}
    assert command("--reason", "http_400", "--dry-run") == {"found": 3, "retried": 0}
    assert command("--status", "400", "--hours", "1", "--sender", str(failed[0].sender_id)) == {
        "found": 3,
        "retried": 3,
    }


@pytest.mark.parametrize("args", [["--hours", "0"], ["--sender", "nobody"]])
def test_the_command_says_what_is_wrong(args):
    with pytest.raises(CommandError):
        call_command("retry_failed", *args)


def test_the_log_asks_before_it_sends_again(admin_client, sink, failed):
    url = reverse("admin:webhooks_messageactivitylog_changelist")
    chosen = {"action": "send_again", "_selected_action": list(MessageActivityLog.objects.values_list("pk", flat=True))}
    asked = admin_client.post(url, chosen)
    assert "3 messages have failed for good" in asked.content.decode()
    assert Message.objects.filter(finished_at=None).count() == 0
    done = admin_client.post(url, {**chosen, "confirmed": "1"}, follow=True)
    assert "3 messages are sent again." in done.content.decode()
    assert Message.objects.filter(finished_at=None).count() == 3


def test_who_may_only_read_the_log_cannot_replay(client, django_user_model, failed):
    from django.contrib.auth.models import Permission

    reader = django_user_model.objects.create_user("reader", password="x", is_staff=True)
    reader.user_permissions.add(Permission.objects.get(codename="view_messageactivitylog"))
    client.force_login(reader)
    page = client.get(reverse("admin:webhooks_messageactivitylog_changelist")).content.decode()
    assert "send_again" not in page
