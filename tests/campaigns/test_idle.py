"""Campaigns with nothing left to send: whoever made them is told, and later they are stopped."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.urls import reverse

from campaigns import idle, launch
from campaigns.models import Campaign
from outreach import plan
from outreach.models import Occurrence, Status
from tests.conftest import NOON
from tests.factories import CampaignFactory, MessageFactory, ProfileFactory

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture
def ada() -> User:
    return User.objects.create_user("ada", "ada@a.example", is_staff=True)


def launched(ada, **values) -> Campaign:
    ProfileFactory()
    campaign = CampaignFactory(name="Spring", created_by=ada, url="https://a.example/hook", **values)
    launch.start(campaign, NOON)
    plan.plan_due(NOON)
    campaign.refresh_from_db()
    Campaign.objects.filter(pk=campaign.pk).update(updated_at=NOON)
    return Campaign.objects.get(pk=campaign.pk)


def sent(campaign: Campaign) -> None:
    campaign.sender.messages.update(finished_at=NOON, outcome="received")
    Occurrence.objects.filter(finished_at__isnull=False).update(finished_at=NOON)


def test_one_that_is_sending_is_not_idle(ada):
    assert idle.of(launched(ada), NOON + DAY) is None


def test_after_its_last_run_it_is_told_once_and_stopped_after_thirty_days(ada):
    campaign = launched(ada)
    sent(campaign)
    for days in (0, 1, 29):
        assert idle.stop_due(NOON + days * DAY) == 0
    assert [message.subject for message in mail.outbox] == ["“Spring” has nothing left to send"]
    assert mail.outbox[0].to == ["ada@a.example"]
    assert idle.stop_due(NOON + 30 * DAY) == 1
    campaign.refresh_from_db()
    assert campaign.status == Status.STOPPED
    assert campaign.history.first().history_change_reason == "stopped by itself: it had nothing left to send"
    assert idle.stop_due(NOON + 31 * DAY) == 0


def test_one_that_repeats_goes_on(ada):
    campaign = launched(ada, recurrence="daily", start_at=NOON)
    sent(campaign)
    assert idle.of(campaign, NOON + 90 * DAY) is None
    Campaign.objects.filter(pk=campaign.pk).update(run_count=1)
    campaign.refresh_from_db()
    plan.plan_due(NOON + DAY)
    sent(campaign)
    assert idle.of(campaign, NOON + 90 * DAY) is not None


@pytest.mark.parametrize("delivery", ["action", "api"])
def test_one_that_waits_for_others_is_idle_after_half_a_year_without_a_send(ada, delivery):
    triggers = [{"kind": "event", "name": "ordered"}] if delivery == "action" else []
    campaign = launched(ada, delivery=delivery, triggers=triggers)
    assert idle.of(campaign, NOON + 179 * DAY) is None
    found = idle.of(campaign, NOON + 180 * DAY)
    assert (found.since, found.stops_at) == (NOON + 180 * DAY, NOON + 210 * DAY)


def test_its_end_is_the_end_unless_something_still_waits(ada):
    triggers = [{"kind": "event", "name": "ordered"}]
    campaign = launched(ada, delivery="action", triggers=triggers, end_at=NOON + 5 * DAY)
    assert idle.of(campaign, NOON + 4 * DAY) is None
    assert idle.of(campaign, NOON + 5 * DAY).since == NOON + 5 * DAY
    MessageFactory(sender=campaign.sender)
    assert idle.of(campaign, NOON + 6 * DAY) is None


def test_its_pages_say_so(ada, admin_client):
    campaign = launched(ada)
    sent(campaign)
    page = admin_client.get(reverse("admin:campaigns_campaign_results", args=[campaign.pk])).content.decode()
    assert "Nothing is left to send since" in page
