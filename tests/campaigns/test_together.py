"""Several at once: calls, planners and dispatchers never send anything twice."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, connections
from django.utils import timezone

from audience import dispatch
from audience.ingest.items import By, Identifier
from audience.ingest.track import track
from campaigns import calls, launch
from campaigns.calls import Recipient
from outreach import counters, plan
from outreach.models import Dispatch, Status
from tests.campaigns.world import action, event
from tests.factories import CampaignFactory, ProfileFactory
from webhooks.models import Message

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(times: int, work: Callable[[], object]) -> None:
    """Do it on so many threads, as nearly at the same moment as possible."""
    start = threading.Barrier(times)

    def run(_number: int) -> None:
        try:
            start.wait(20)
            work()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(times) as threads:
        list(threads.map(run, range(times)))


def test_many_calls_for_one_person_at_once_send_one_message():
    ada = ProfileFactory()
    campaign = CampaignFactory(delivery="api")
    launch.start(campaign, timezone.now())
    campaign.refresh_from_db()
    to = [Recipient(Identifier(By.EXTERNAL_ID, ada.external_id))]
    at_once(12, lambda: calls.send(campaign, to, timezone.now()))
    assert Message.objects.count() == 1
    assert counters.totals(campaign)["planned"] == 1


def test_many_calls_with_one_send_id_are_one_dispatch():
    ada = ProfileFactory()
    campaign = CampaignFactory(delivery="api", is_reeligible=True, reeligible_seconds=0)
    launch.start(campaign, timezone.now())
    campaign.refresh_from_db()
    to = [Recipient(Identifier(By.EXTERNAL_ID, ada.external_id))]
    at_once(12, lambda: calls.send(campaign, to, timezone.now(), send_id="spring"))
    assert Message.objects.count() == Dispatch.objects.count() == 1


def test_several_dispatchers_trigger_each_event_once():
    people = ProfileFactory.create_batch(30)
    campaign = action(event("ordered"), is_reeligible=True, reeligible_seconds=0)
    launch.start(campaign, timezone.now())
    for n in range(3):
        rows = [{"braze_id": str(p.braze_id), "name": "ordered", "time": timezone.now().isoformat()} for p in people]
        track(events=[row | {"properties": {"n": n}} for row in rows], now=timezone.now())
    at_once(4 if connection.vendor == "postgresql" else 1, lambda: dispatch.run(timezone.now, lambda: False))
    dispatch.run(timezone.now, lambda: False)
    assert Message.objects.count() == Dispatch.objects.count() == 90
    assert counters.totals(campaign)["planned"] == 90


def test_several_planners_and_a_stop_leave_nobody_twice():
    ProfileFactory.create_batch(60)
    campaign = CampaignFactory()
    launch.start(campaign, timezone.now())
    at_once(4, lambda: plan.plan_due(timezone.now()))
    assert Message.objects.count() == 60
    assert counters.totals(campaign)["planned"] == 60
    campaign.refresh_from_db()
    assert campaign.status == Status.ACTIVE
    assert campaign.dispatched_count == 60
