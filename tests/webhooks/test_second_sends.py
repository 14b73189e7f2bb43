"""What could send a second time, and does not."""

import time
from datetime import timedelta

import pytest
from django.utils import timezone

from config.demo.receiver import Reply, always
from tests.factories import ContentFactory, MessageFactory, SenderFactory
from webhooks import claims, replay
from webhooks.models import Message, MessageActivityLog, Outcome
from workspace.queues import wake

pytestmark = pytest.mark.django_db(transaction=True)


def test_sending_again_by_hand_does_not_double_a_retry_that_waits(sink, pump):
    sink.script = always(Reply(503))
    message = MessageFactory(content=ContentFactory(url=sink.url), sender=SenderFactory())
    pump.run()
    assert replay.again([message.pk], timezone.now()) == 0
    for _ in range(2):
        Message.objects.update(due_at=timezone.now())
        pump.run()
        pump.run()
    assert list(MessageActivityLog.objects.order_by("pk").values_list("attempt", flat=True)) == [1, 2, 3]
    assert len(sink.received) == 3


def test_a_new_message_to_somebody_goes_though_a_dead_worker_holds_an_old_one(sink, pump):
    sender, content = SenderFactory(), ContentFactory(url=sink.url)
    old = MessageFactory(sender=sender, content=content)
    (held,) = claims.claim(1, lambda host: 1, 30)
    assert held.id == old.pk
    new = MessageFactory(sender=sender, content=content, profile=old.profile)
    pump.run()
    assert [request.webhook_id for request in sink.received] == [webhook_id(new)]
    Message.objects.filter(pk=old.pk).update(leased_until=timezone.now() - timedelta(seconds=1))
    pump.run()
    assert len(sink.received) == 2
    assert set(Message.objects.values_list("outcome", flat=True)) == {Outcome.RECEIVED}


def webhook_id(message: Message) -> str:
    from webhooks import identity
    from workspace.models import Workspace

    return identity.webhook_id(Workspace.current().key, message.pk)


@pytest.mark.processes
def test_many_wakes_for_one_message_and_two_workers_make_one_request(sink, workers, valkey):
    sink.script = always(Reply(delay=0.2))
    for _ in range(2):
        workers.start("deliver")
    MessageFactory(content=ContentFactory(url=sink.url), sender=SenderFactory())
    for _ in range(6):
        valkey.delete("wake:deliver")  # each is a job of its own
        wake("deliver")
    deadline = time.monotonic() + 20
    while Message.objects.filter(finished_at=None).exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(1)
    assert len(sink.received) == 1
    assert Message.objects.get().attempts == 1


def test_an_endpoint_that_takes_longer_than_the_time_of_another_worker_is_asked_once(sink, pump, transport):
    """While a lease holds, no second worker takes the message, however long the answer takes."""
    sink.script = always(Reply(delay=1.0))
    MessageFactory(content=ContentFactory(url=sink.url), sender=SenderFactory())
    stops = iter([False])
    pump.stopping = lambda: next(stops, True)
    seen = []
    real = transport.poll

    def poll(wait):
        seen.append(claims.claim(10, lambda host: 10, 30))
        return real(wait)

    transport.poll = poll
    pump.run()
    assert len(seen) > 3
    assert not any(seen)
    assert len(sink.received) == 1
