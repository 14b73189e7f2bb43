"""Signatures that a receiver's own library verifies, through a rotation."""

from datetime import timedelta

import pytest
from django.utils import timezone
from standardwebhooks import Webhook, WebhookVerificationError

from config.demo.receiver import Reply, always
from tests.factories import ContentFactory, MessageFactory, SenderFactory
from webhooks import signing
from webhooks.models import Message, Sender

pytestmark = pytest.mark.django_db(transaction=True)


def send(sink, pump, sender: Sender):
    MessageFactory(content=ContentFactory(url=f"{sink.url}/hook"), sender=sender)
    pump.run()
    return sink.received[-1]


def test_a_receiver_can_verify_and_a_changed_body_is_noticed(sink, pump):
    sender = SenderFactory()
    secret = signing.rotate(sender, timezone.now())
    seen = send(sink, pump, sender)
    assert Webhook(secret).verify(seen.body, seen.headers) == seen.json()
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(seen.body + b" ", seen.headers)


def test_both_secrets_sign_for_a_day_after_a_rotation(sink, pump):
    sender, now = SenderFactory(), timezone.now()
    old = signing.rotate(sender, now - timedelta(hours=25))
    new = signing.rotate(sender, now - timedelta(hours=1))
    seen = send(sink, pump, sender)
    for secret in (old, new):
        Webhook(secret).verify(seen.body, seen.headers)
    assert len(signing.signers([sender.pk], now + timedelta(hours=24))[sender.pk]) == 1


def test_a_retry_has_the_same_id_and_body_and_a_signature_of_its_own(sink, pump):
    sender = SenderFactory()
    secret = signing.rotate(sender, timezone.now())
    sink.script = always(Reply(status=503))
    first = send(sink, pump, sender)
    sink.script = always(Reply())
    Message.objects.update(due_at=timezone.now())
    pump.run()
    again = sink.received[-1]
    assert (again.webhook_id, again.body) == (first.webhook_id, first.body)
    Webhook(secret).verify(again.body, again.headers)


def test_secrets_are_encrypted_and_forgotten_when_signing_stops(sink, pump):
    sender = SenderFactory()
    secret = signing.rotate(sender, timezone.now())
    assert "webhook-signature" in send(sink, pump, sender).headers
    assert secret not in str(Sender.objects.values_list("sealed_secrets", flat=True).get(pk=sender.pk))
    signing.stop(sender)
    assert "webhook-signature" not in send(sink, pump, sender).headers
    assert Sender.objects.get(pk=sender.pk).sealed_secrets == []
