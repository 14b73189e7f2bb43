"""A new key in front, everything sealed anew, the old key taken away."""

from io import StringIO

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command
from django.utils import timezone

from config.demo.receiver import Reply, always
from tests.factories import ContentFactory, MessageFactory, SenderFactory
from webhooks import frozen, signing
from webhooks.compiled import header_value
from webhooks.models import FrozenRequest, Message
from workspace import secrets
from workspace.models import Credential

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def old(settings) -> str:
    settings.CREDENTIALS_KEYS = [Fernet.generate_key().decode()]
    return settings.CREDENTIALS_KEYS[0]


def rotate() -> None:
    call_command("rotate_secrets", stdout=StringIO())


def test_everything_opens_with_the_new_key_alone(settings, old, sink, pump):
    Credential.objects.create(name="line", sealed_value=secrets.seal("token-1"))
    sender = SenderFactory()
    signing.rotate(sender, timezone.now())
    before = secrets.unseal(sender.sealed_secrets[0]["secret"])
    headers = [{"name": "X-Key", "value": secrets.seal("k-2"), "is_secret": True}]
    headers.append({"name": "X-Plain", "value": "seen", "is_secret": False})
    content = ContentFactory(url=sink.url, headers=headers)
    sink.script = always(Reply(503))
    message = MessageFactory(content=content)
    pump.run()
    kept = frozen.load([message.pk])

    settings.CREDENTIALS_KEYS = [Fernet.generate_key().decode(), old]
    rotate()
    settings.CREDENTIALS_KEYS = settings.CREDENTIALS_KEYS[:1]

    assert secrets.unseal(Credential.objects.get().sealed_value) == "token-1"
    sender.refresh_from_db()
    assert secrets.unseal(sender.sealed_secrets[0]["secret"]) == before
    content.refresh_from_db()
    assert [header_value(row) for row in content.headers] == ["k-2", "seen"]
    assert frozen.load([message.pk]) == kept
    assert FrozenRequest.objects.count() == 1

    sink.script = always(Reply())
    Message.objects.update(due_at=timezone.now())
    pump.run()
    assert sink.received[-1].headers["x-key"] == "k-2"


def test_with_a_key_missing_it_says_so(settings, old):
    Credential.objects.create(name="line", sealed_value=secrets.seal("token-1"))
    settings.CREDENTIALS_KEYS = [Fernet.generate_key().decode()]
    with pytest.raises(CommandError, match="Add that key back"):
        rotate()


def test_more_than_a_chunk(settings, old):
    for number in range(450):
        Credential.objects.create(name=f"key-{number}", sealed_value=secrets.seal(f"token-{number}"))
    settings.CREDENTIALS_KEYS = [Fernet.generate_key().decode(), old]
    rotate()
    settings.CREDENTIALS_KEYS = settings.CREDENTIALS_KEYS[:1]
    found = {row.name: secrets.unseal(row.sealed_value) for row in Credential.objects.all()}
    assert len(found) == 450
    assert found["key-449"] == "token-449"
