"""The page of senders: speed and signing."""

import re

import pytest
from django.urls import reverse
from standardwebhooks import Webhook

from tests.factories import SenderFactory
from webhooks.models import Sender

pytestmark = pytest.mark.django_db
LIST = "admin:webhooks_sender_changelist"


def test_a_new_secret_is_shown_once(admin_client):
    sender = SenderFactory(name="Welcome")
    chosen = {"action": "sign", "_selected_action": [sender.pk]}
    page = admin_client.post(reverse(LIST), chosen, follow=True).content.decode()
    (secret,) = set(re.findall(r"whsec_[A-Za-z0-9+/=]+", page))
    assert Webhook(secret)
    assert Sender.objects.get(pk=sender.pk).is_signed
    assert "whsec_" not in admin_client.get(reverse(LIST)).content.decode()
    assert "whsec_" not in admin_client.get(reverse("admin:webhooks_sender_change", args=[sender.pk])).content.decode()


def test_signing_stops(admin_client):
    sender = SenderFactory(is_signed=True)
    admin_client.post(reverse(LIST), {"action": "stop_signing", "_selected_action": [sender.pk]})
    assert not Sender.objects.get(pk=sender.pk).is_signed


@pytest.mark.parametrize(("rate", "is_taken"), [("600", True), ("", True), ("9", False), ("500001", False)])
def test_the_speed_has_bounds(admin_client, rate, is_taken):
    sender = SenderFactory()
    answer = admin_client.post(reverse("admin:webhooks_sender_change", args=[sender.pk]), {"rate_per_minute": rate})
    assert (answer.status_code == 302) is is_taken
    kept = Sender.objects.get(pk=sender.pk).rate_per_minute
    assert kept == (int(rate) if is_taken and rate else None)
