import json

import pytest
from django.core.management import CommandError, call_command

from outreach.models import Status
from tests.factories import CampaignFactory, ProfileFactory, SegmentFactory
from webhooks.models import Message

pytestmark = pytest.mark.django_db
KOREA = {"filter": "country", "op": "any_of", "values": ["KR"]}


def send(capsys, *arguments: str) -> str:
    call_command("send_campaign", *arguments)
    return capsys.readouterr().out


def status_of(*arguments: str) -> int:
    with pytest.raises(SystemExit) as caught:
        call_command("send_campaign", *arguments)
    return caught.value.code


def test_a_draft_is_launched_and_planned(capsys):
    ProfileFactory.create_batch(3)
    campaign = CampaignFactory(name="Spring")
    assert "3 messages planned, 3 waiting" in send(capsys, "Spring")
    campaign.refresh_from_db()
    assert campaign.status == Status.ACTIVE
    assert campaign.occurrences.count() == 1 or Message.objects.count() == 3


def test_a_second_run_sends_nothing_twice_and_says_so(capsys):
    ProfileFactory.create_batch(3)
    campaign = CampaignFactory()
    send(capsys, str(campaign.pk))
    assert status_of(str(campaign.pk)) == 3
    assert Message.objects.count() == 3


def test_a_dry_run_says_how_many_and_sends_nothing(capsys):
    ProfileFactory.create_batch(3)
    CampaignFactory(name="Spring")
    assert "would go to 2 profiles" in send(capsys, "Spring", "--dry-run", "--limit", "2")
    assert not Message.objects.exists()


def test_a_dry_run_says_whom_the_settings_leave_out(capsys):
    ProfileFactory.create_batch(2, email_subscribe="unsubscribed")
    ProfileFactory()
    CampaignFactory(name="Spring", subscribed="email")
    outcome = json.loads(send(capsys, "Spring", "--dry-run", "--json"))
    assert (outcome["would_send_to"], outcome["left_out"]) == (1, {"not subscribed": 2})


def test_only_those_in_a_segment_are_sent_to(capsys):
    inside, _outside = ProfileFactory(country="KR"), ProfileFactory(country="FR")
    segment = SegmentFactory(name="Korea", filters=KOREA)
    CampaignFactory(name="Spring")
    assert "would go to 1 profiles" in send(capsys, "Spring", "--segment", "Korea", "--dry-run")
    assert "1 messages planned" in send(capsys, "Spring", "--segment", str(segment.pk))
    assert Message.objects.get().profile == inside


def test_a_limit_and_json(capsys):
    ProfileFactory.create_batch(5)
    CampaignFactory(name="Spring")
    assert json.loads(send(capsys, "Spring", "--limit", "2", "--json"))["planned_now"] == 2
    assert Message.objects.count() == 2


def test_what_can_not_be_sent_is_a_clear_error(capsys):
    with pytest.raises(CommandError, match="no campaign “Nobody”"):
        send(capsys, "Nobody")
    CampaignFactory(name="Spring")
    with pytest.raises(CommandError, match="no profile matches"):
        send(capsys, "Spring")
    with pytest.raises(CommandError, match="no segment “Nowhere”"):
        send(capsys, "Spring", "--segment", "Nowhere")
    with pytest.raises(CommandError, match="at least 1"):
        send(capsys, "Spring", "--limit", "0")
    assert not Message.objects.exists()


def test_an_error_is_json_too_where_that_was_asked_for(capsys):
    with pytest.raises(CommandError):
        call_command("send_campaign", "Nobody", "--json")
    assert "no campaign" in json.loads(capsys.readouterr().out)["error"]
