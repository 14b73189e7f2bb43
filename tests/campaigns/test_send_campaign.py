import json

import pytest
from django.core.management import CommandError, call_command

from outreach.models import Status
from tests.factories import CampaignFactory, ProfileFactory
from webhooks.models import Message

pytestmark = pytest.mark.django_db


def send(capsys, *arguments: str) -> str:
    call_command("send_campaign", *arguments)
    return capsys.readouterr().out


def test_a_draft_is_launched_and_planned(capsys):
    ProfileFactory.create_batch(3)
    campaign = CampaignFactory(name="Spring")
    assert "3 messages planned, 3 waiting" in send(capsys, "Spring")
    campaign.refresh_from_db()
    assert campaign.status == Status.ACTIVE


def test_a_second_run_sends_nothing_twice(capsys):
    ProfileFactory.create_batch(3)
    campaign = CampaignFactory()
    send(capsys, str(campaign.pk))
    send(capsys, str(campaign.pk))
    assert Message.objects.count() == 3


def test_a_dry_run_says_how_many_and_sends_nothing(capsys):
    ProfileFactory.create_batch(3)
    CampaignFactory(name="Spring")
    assert "would go to 2 profiles" in send(capsys, "Spring", "--dry-run", "--limit", "2")
    assert not Message.objects.exists()


def test_a_limit_and_json(capsys):
    ProfileFactory.create_batch(5)
    CampaignFactory(name="Spring")
    assert json.loads(send(capsys, "Spring", "--limit", "2", "--json"))["planned_now"] == 2


def test_what_can_not_be_sent_is_a_clear_error(capsys):
    with pytest.raises(CommandError, match="no campaign “Nobody”"):
        send(capsys, "Nobody")
    CampaignFactory(name="Spring")
    with pytest.raises(CommandError, match="no profile matches"):
        send(capsys, "Spring")
    assert not Message.objects.exists()
