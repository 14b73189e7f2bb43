"""`send_campaign` where workers run already, as they do in production: they may be quicker than the command."""

import json
import threading
from collections.abc import Iterator

import pytest
from django.core.management import call_command
from django.db import connections
from django.utils import timezone

from outreach import plan
from tests.factories import CampaignFactory, ProfileFactory, SegmentFactory
from webhooks.models import Message

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def quick_planner() -> Iterator[None]:
    """Somebody else who plans whatever is due, all the time."""
    stopped = threading.Event()

    def run() -> None:
        while not stopped.is_set():
            plan.plan_due(timezone.now())
        connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    yield
    stopped.set()
    thread.join(20)


@pytest.mark.parametrize("number", range(5))
def test_it_counts_what_another_planner_planned_and_never_more_than_the_segment(quick_planner, capsys, number):
    inside = {profile.pk for profile in ProfileFactory.create_batch(30, country="KR")}
    ProfileFactory.create_batch(30, country="FR")
    SegmentFactory(name="Korea", filters={"filter": "country", "op": "any_of", "values": ["KR"]})
    CampaignFactory(name="Spring")
    call_command("send_campaign", "Spring", "--segment", "Korea", "--json")
    assert json.loads(capsys.readouterr().out)["planned_now"] == 30
    assert set(Message.objects.values_list("profile_id", flat=True)) == inside
