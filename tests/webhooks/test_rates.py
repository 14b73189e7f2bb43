"""Speed limits: even, shared by all workers, never a burst."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from tests.factories import ContentFactory, MessageFactory, SenderFactory
from webhooks import claims, rates
from webhooks.models import Message, MessageActivityLog, Outcome, Sender
from workspace.models import Workspace

NOW = datetime(2026, 5, 6, 12, tzinfo=UTC)


@given(
    per_minute=st.integers(10, 500_000),
    asked=st.lists(st.integers(0, 9_000), min_size=1, max_size=20),
    pauses=st.lists(st.floats(0, 90), min_size=20, max_size=20),
)
def test_no_minute_has_more_places_than_the_rate(per_minute, asked, pauses):
    now, free, places = NOW, None, []
    for count, pause in zip(asked, pauses, strict=False):
        got, free = rates.Rate(per_minute, free).places(count, now)
        assert all(now <= place <= now + rates.AHEAD for place in got)
        places += got
        now += timedelta(seconds=pause)
    assert all(after - before >= timedelta(minutes=1) / per_minute for before, after in pairwise(places))


@pytest.mark.django_db(transaction=True)
class TestSending:
    def limited(self, sink, count: int, per_minute: int) -> Sender:
        sender = SenderFactory(rate_per_minute=per_minute)
        MessageFactory.create_batch(count, sender=sender, content=ContentFactory(url=f"{sink.url}/hook"))
        return sender

    def test_requests_start_evenly(self, sink, pump):
        self.limited(sink, 15, 1200)
        while Message.objects.filter(finished_at=None).exists():
            pump.run()
        times = list(Message.objects.order_by("first_attempt_at").values_list("first_attempt_at", flat=True))
        assert (times[-1] - times[0]).total_seconds() >= 14 * 0.05 * 0.95

    def test_without_a_rate_nothing_is_limited(self, sink):
        MessageFactory()
        Workspace.current()
        assert [message.is_limited for message in claims.claim(10, lambda host: 10, 30)] == [False]
        MessageFactory()
        Workspace.objects.update(rate_per_minute=60)
        assert [message.is_limited for message in claims.claim(10, lambda host: 10, 30)] == [True]

    def test_two_claims_share_the_places(self, sink):
        sender = self.limited(sink, 100, 1200)
        now = claims.database_now()
        first = rates.reserve([sender.pk] * 30, now)
        second = rates.reserve([sender.pk] * 30, now)
        given_out = [place for place in [*first, *second] if place]
        assert len(given_out) == 20  # a second's worth, whoever asks
        assert len(set(given_out)) == 20
        sender.refresh_from_db()
        assert rates.Rate(1200, sender.next_free_at).room(now) == 0

    def test_no_burst_after_a_pause(self, sink):
        sender = self.limited(sink, 1, 600)
        Sender.objects.filter(pk=sender.pk).update(next_free_at=timezone.now() - timedelta(hours=5))
        now = claims.database_now()
        assert len([place for place in rates.reserve([sender.pk] * 500, now) if place]) <= 11

    def test_a_changed_rate_acts_at_once(self, sink):
        sender = self.limited(sink, 1, 10)
        now = claims.database_now()
        assert len([p for p in rates.reserve([sender.pk] * 50, now) if p]) == 1
        Sender.objects.filter(pk=sender.pk).update(rate_per_minute=6000)
        later = now + timedelta(seconds=7)
        assert len([p for p in rates.reserve([sender.pk] * 500, later) if p]) == 100

    def test_the_workspace_rate_holds_over_all_senders(self, sink):
        a, b = self.limited(sink, 1, 6000), SenderFactory()
        Workspace.objects.update_or_create(pk=1, defaults={"rate_per_minute": 600})
        now = claims.database_now()
        places = [place for place in rates.reserve([a.pk, b.pk] * 30, now) if place]
        assert len(places) == 10
        assert all(after > before for before, after in pairwise(places))

    def test_retries_go_ahead_of_fresh_messages(self, sink):
        sender = self.limited(sink, 20, 60)
        again = Message.objects.order_by("pk").last()
        Message.objects.filter(pk=again.pk).update(attempts=1, due_at=timezone.now() - timedelta(seconds=1))
        Message.objects.exclude(pk=again.pk).update(due_at=timezone.now() - timedelta(hours=1))
        taken = claims.claim(100, lambda host: 100, 30)
        assert taken[0].id == again.pk
        assert len(taken) <= rates.Rate(60, None).room(timezone.now())
        assert sender.pk == taken[0].sender_id

    def test_a_message_that_waited_72_hours_is_aborted(self, sink, pump):
        self.limited(sink, 1, 6000)
        Message.objects.update(due_at=timezone.now() - timedelta(hours=72, minutes=1))
        pump.run()
        message = Message.objects.get()
        assert (message.outcome, message.reason) == (Outcome.ABORTED, "rate_limited")
        assert MessageActivityLog.objects.get().kind == "rate_limited"
        assert not sink.received
