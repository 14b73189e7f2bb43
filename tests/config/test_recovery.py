"""What `after_restore` does to campaigns, Canvases and messages without either."""

from datetime import timedelta

import pytest
from django.utils import timezone

from campaigns import launch
from canvas import lifecycle as canvas_lifecycle
from config import recovery
from outreach import counters, plan
from outreach.models import Status
from tests.canvas.world import DAY, build, delay, go_live, journey, let_in, message, run, trace
from tests.conftest import NOON
from tests.factories import CampaignFactory, MessageFactory, ProfileFactory
from webhooks.models import Message, Outcome

pytestmark = pytest.mark.django_db(transaction=True)


def test_drafts_paused_and_stopped_ones_stay_as_they_are():
    now = timezone.now()
    draft = CampaignFactory()
    assert recovery.hold(now, now) == recovery.Held(0, 0, 0)
    draft.refresh_from_db()
    assert draft.status == Status.DRAFT


def test_what_is_due_later_waits_in_a_paused_campaign():
    ProfileFactory.create_batch(4)
    campaign, now = CampaignFactory(), timezone.now()
    launch.start(campaign, now)
    plan.plan_due(now)
    later = Message.objects.values_list("pk", flat=True)[:1]
    Message.objects.filter(pk__in=list(later)).update(due_at=now + timedelta(hours=2))
    assert recovery.hold(now, now) == recovery.Held(1, 0, 3)
    totals = counters.totals(campaign)
    assert (totals["planned"], totals["skipped"], totals["pending"]) == (4, 3, 1)
    assert set(Message.objects.exclude(outcome="").values_list("outcome", "reason")) == {
        (Outcome.SKIPPED, recovery.REASON)
    }


def test_what_was_on_the_wire_counts_as_perhaps_sent():
    now = timezone.now()
    held = MessageFactory(due_at=now + timedelta(hours=1), leased_until=now, lease=7)
    recovery.hold(now, now)
    held.refresh_from_db()
    assert held.reason == recovery.REASON


def test_messages_without_a_campaign_are_skipped_too():
    now = timezone.now()
    MessageFactory.create_batch(3, due_at=now - timedelta(minutes=1))
    assert recovery.hold(now, now).skipped == 3
    assert recovery.hold(now, now).skipped == 0


def test_in_a_canvas_people_go_on_after_the_skipped_message_once_it_is_resumed():
    ada = ProfileFactory()
    canvas = go_live(build([message("hello"), delay("wait"), message("again")]))
    let_in(canvas, ada)
    run(NOON, answer=None)
    assert recovery.hold(NOON, NOON) == recovery.Held(0, 1, 1)
    run(NOON + DAY, answer=200)
    assert trace(canvas, ada) == ["hello"]
    canvas.refresh_from_db()
    canvas_lifecycle.resume(canvas, NOON + DAY)
    run(timezone.now() + DAY)
    run(timezone.now() + 2 * DAY)
    assert trace(canvas, ada) == ["hello", "wait", "again"]
    assert journey(ada).state == "completed"
    assert sorted(Message.objects.values_list("outcome", flat=True)) == [Outcome.RECEIVED, Outcome.SKIPPED]


def test_ids_go_on_far_above():
    before = MessageFactory().pk
    recovery.leave_ids_behind()
    assert MessageFactory().pk > before + recovery.ID_GAP - 1
