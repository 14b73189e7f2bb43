"""Messages that ended long ago go; nothing else does."""

from datetime import timedelta

import pytest
from django.utils import timezone

from campaigns import why
from campaigns.people import campaigns
from outreach.models import Enrolment
from tests.factories import CampaignFactory, MessageFactory, ProfileFactory, SenderFactory
from webhooks import pruning
from webhooks.models import Message, Outcome, Receipt

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _small_chunks(monkeypatch, settings):
    settings.MESSAGE_DAYS_KEPT = 100
    monkeypatch.setattr(pruning, "CHUNK", 3)


def ended(days: int, count: int = 1, **more) -> list[Message]:
    at = timezone.now() - timedelta(days=days)
    outcome = {"finished_at": at, "outcome": Outcome.RECEIVED}
    return MessageFactory.create_batch(count, due_at=at, **outcome, **more)


def test_what_ended_long_ago_goes_and_what_waits_stays():
    sender = SenderFactory()
    waits = MessageFactory.create_batch(4, sender=sender, due_at=timezone.now() - timedelta(days=300))
    ended(101, 7, sender=sender)
    recent = ended(99, 4, sender=sender)
    ended(500, 2, sender=sender)
    assert pruning.Walk().go_on(timezone.now()) == 9
    assert set(Message.objects.all()) == {*waits, *recent}


def test_a_walk_goes_on_where_it_was_then_rests(monkeypatch):
    ended(101, 8)
    clock = iter([0.0, 0.0, 0.0, 9.0, *[10.0] * 9])  # the first stretch has time for one chunk
    monkeypatch.setattr(pruning.time, "monotonic", lambda: next(clock, 11.0))
    walk = pruning.Walk()
    assert walk.go_on(timezone.now()) == 3
    ended(101, 1)
    assert walk.go_on(timezone.now()) == 6
    ended(101, 2)
    assert walk.go_on(timezone.now()) == 0
    monkeypatch.setattr(pruning.time, "monotonic", lambda: pruning.REST + 11.0)
    assert walk.go_on(timezone.now()) == 2


def test_nothing_goes_where_they_are_kept_for_ever(settings):
    settings.MESSAGE_DAYS_KEPT = 0
    ended(5_000)
    assert pruning.Walk().go_on(timezone.now()) == 0


def test_who_received_it_is_known_for_good():
    campaign, profile = CampaignFactory(), ProfileFactory()
    (message,) = ended(200, sender=campaign.sender, profile=profile)
    Receipt.objects.create(
        sender=campaign.sender,
        profile=profile,
        cause=message.cause,
        reserved_at=message.due_at,
        received_at=message.due_at,
    )
    before = why.explain(campaign, profile, timezone.now())
    assert pruning.Walk().go_on(timezone.now()) == 1
    after = why.explain(campaign, profile, timezone.now())
    assert (after.verdict, after.happened) == (before.verdict, before.happened)
    Enrolment.objects.create(outreach=campaign, profile=profile, variant=campaign.variants.get(), share=0)
    assert [str(cell.text) for cell in campaigns(profile).rows[0]][-1] == "received"
