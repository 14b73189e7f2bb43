"""Several workers at once: a cap is never exceeded, and what they take in turns is given back once."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from django.db import connection, connections
from django.utils import timezone

from outreach import capping
from outreach.models import FrequencyRule
from tests.campaigns.world import claimed
from tests.factories import CampaignFactory, MessageFactory, ProfileFactory
from webhooks.models import Message, Receipt

pytestmark = pytest.mark.django_db(transaction=True)


def test_fifty_parallel_sends_never_exceed_a_cap_of_two():
    people = ProfileFactory.create_batch(20)
    FrequencyRule.objects.create(most=2, every=1, unit="days")
    batches = []
    for _ in range(10):
        campaign = CampaignFactory()
        batches.append([MessageFactory(sender=campaign.sender, profile=profile) for profile in people])
    start = threading.Barrier(10 if connection.vendor == "postgresql" else 1)

    def judge(batch: list[Message]) -> int:
        try:
            if connection.vendor == "postgresql":
                start.wait(10)
            return len(capping.is_within_caps([claimed(message) for message in batch], timezone.now()))
        finally:
            connections.close_all()

    with ThreadPoolExecutor(10 if connection.vendor == "postgresql" else 2) as threads:
        capped = sum(threads.map(judge, batches))
    assert capped == 20 * 8
    for profile in people:
        assert Receipt.objects.filter(profile=profile).count() == 2


def test_a_place_is_given_back_only_when_nothing_waits_for_it():
    one = MessageFactory()
    MessageFactory(sender=one.sender, profile=one.profile, cause=one.cause, slot=1, lane=one.lane, content=one.content)
    reason = (one.sender_id, one.cause, one.profile_id)
    at = datetime(2026, 5, 6, tzinfo=UTC)
    Receipt.objects.create(sender=one.sender, profile=one.profile, cause=one.cause, reserved_at=at)
    Message.objects.filter(pk=one.pk).update(finished_at=at, outcome="failed")
    capping.give_back([reason])
    assert Receipt.objects.exists()
    Message.objects.update(finished_at=at, outcome="failed")
    capping.give_back([reason])
    assert not Receipt.objects.exists()


def test_a_receipt_that_was_filled_is_never_given_back():
    message = MessageFactory(finished_at=timezone.now(), outcome="failed")
    now = timezone.now()
    Receipt.objects.create(
        sender=message.sender, profile=message.profile, cause=message.cause, reserved_at=now, received_at=now
    )
    capping.give_back([(message.sender_id, message.cause, message.profile_id)])
    assert Receipt.objects.exists()
