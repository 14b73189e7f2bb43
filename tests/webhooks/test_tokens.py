"""Access tokens by OAuth 2 client credentials, fetched while rendering, and certificates as they are stored."""

import base64
import json
from datetime import UTC, datetime

import pytest
import trustme
from django.conf import settings
from django.urls import reverse
from redis import Redis

from config.demo.receiver import Reply
from tests.factories import ContentFactory, MessageFactory, SenderFactory
from webhooks.liquid.oauth import access_token, token_seconds
from webhooks.models import LogKind, MessageActivityLog, Outcome
from workspace import certificates
from workspace.models import Credential
from workspace.secrets import seal, unseal

CLIENT = {"client_id": "hook", "client_secret": "s3cret-of-ours"}


def grant(token="T1", **more):
    return Reply(body=json.dumps({"access_token": token, "token_type": "bearer", "expires_in": 3600} | more).encode())


def message_with_token(sink, **said):
    pairs = [[name, value] for name, value in ({"token_url": f"{sink.url}/token"} | CLIENT | said).items()]
    Credential.objects.update_or_create(
        name="crm", defaults={"kind": Credential.Kind.OAUTH2, "sealed_value": seal(json.dumps(pairs))}
    )
    headers = [{"name": "Authorization", "value": "Bearer {{credentials.${crm}}}"}]
    return MessageFactory(content=ContentFactory(url=f"{sink.url}/hook", headers=headers), sender=SenderFactory())


def to(sink, target):
    return [request for request in sink.received if request.target == target]


@pytest.mark.django_db(transaction=True)
def test_a_token_is_asked_for_once_and_kept_sealed(sink, pump):
    sink.script = lambda request, nth: grant() if request.target == "/token" else Reply()
    for _ in range(3):
        message_with_token(sink, scope="hooks:write")
        assert pump.run() == 1
    (asked,) = to(sink, "/token")
    assert asked.headers["authorization"] == "Basic " + base64.b64encode(b"hook:s3cret-of-ours").decode()
    assert asked.body == b"grant_type=client_credentials&scope=hooks%3Awrite"
    assert [request.headers["authorization"] for request in to(sink, "/hook")] == ["Bearer T1"] * 3
    redis = Redis(unix_socket_path=str(settings.VALKEY_SOCKET))
    (key,) = redis.keys("connected:*")
    assert b"access_token" not in redis.get(key)
    assert 2600 < redis.ttl(key) <= 2700  # three quarters of an hour


@pytest.mark.django_db(transaction=True)
def test_the_client_may_go_in_the_body(sink, pump):
    sink.script = lambda request, nth: grant() if request.target == "/token" else Reply()
    message_with_token(sink, send_in="body")
    pump.run()
    (asked,) = to(sink, "/token")
    assert "authorization" not in asked.headers
    assert asked.body == b"grant_type=client_credentials&client_id=hook&client_secret=s3cret-of-ours"


@pytest.mark.django_db(transaction=True)
def test_a_token_refused_with_401_is_asked_for_anew_once(sink, pump):
    tokens = iter(["T1", "T2"])
    revoked: set[str] = set()

    def script(request, nth):
        if request.target == "/token":
            return grant(next(tokens))
        return Reply(status=401 if request.headers["authorization"] in revoked else 200)

    sink.script = script
    message_with_token(sink)
    pump.run()
    revoked.add("Bearer T1")
    message = message_with_token(sink)
    pump.run()
    message.refresh_from_db()
    assert (message.outcome, message.attempts) == (Outcome.RECEIVED, 1)
    assert [request.headers["authorization"][-2:] for request in to(sink, "/hook")] == ["T1", "T1", "T2"]


@pytest.mark.django_db(transaction=True)
def test_a_token_endpoint_that_is_down_postpones_and_the_log_shows_its_answer(sink, pump):
    sink.script = lambda request, nth: Reply(status=503) if request.target == "/token" else Reply()
    message = message_with_token(sink)
    pump.run()
    message.refresh_from_db()
    assert (message.outcome, message.attempts) == ("", 1)
    assert to(sink, "/hook") == []
    row = MessageActivityLog.objects.filter(kind=LogKind.CONNECTED_CONTENT_ERROR).latest("id")
    assert "503" in row.text
    shown = "".join(f"{row.text}{row.request}{row.response}" for row in MessageActivityLog.objects.all())
    assert "s3cret-of-ours" not in shown


@pytest.mark.django_db(transaction=True)
def test_a_client_that_is_unknown_aborts_the_message(sink, pump):
    sink.script = lambda request, nth: Reply(status=401) if request.target == "/token" else Reply()
    message = message_with_token(sink)
    pump.run()
    message.refresh_from_db()
    assert message.outcome == Outcome.ABORTED


@pytest.mark.parametrize(
    ("text", "token", "seconds"),
    [
        ('{"access_token": "a", "expires_in": 60}', "a", 45),
        ('{"access_token": "a", "expires_in": "60"}', "a", 45),
        ('{"access_token": "a"}', "a", 225),
        ('{"access_token": 5, "expires_in": -1}', "", 1),
        ("[]", "", 225),
        ("<html>", "", 225),
    ],
)
def test_answers_of_token_endpoints(text, token, seconds):
    assert (access_token(text), token_seconds(text)) == (token, seconds)


# --- storing them


def save(admin_client, kind, value):
    form = {"name": "crm", "kind": kind, "domain": "", "value": value}
    page = admin_client.post(reverse("admin:workspace_credential_add"), form)
    return [] if page.status_code == 302 else page.context["errors"]


@pytest.mark.django_db
def test_client_credentials_are_stored_sealed(admin_client):
    value = "token_url: https://a.example/token\nclient_id: hook\nclient_secret: s3:cret"
    assert save(admin_client, "oauth2", value) == []
    stored = dict(json.loads(unseal(Credential.objects.get().sealed_value)))
    assert stored == {"token_url": "https://a.example/token", "client_id": "hook", "client_secret": "s3:cret"}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("token_url: https://a.example\nclient_id: x", "missing: client_secret"),
        ("token_url: ftp://a\nclient_id: x\nclient_secret: y", "https://"),
        ("token_url: https://a\nclient_id: x\nclient_secret: y\npassword: z", "not known: password"),
        ("token_url: https://a\nclient_id: x\nclient_secret: y\nsend_in: query", "header or body"),
    ],
)
def test_client_credentials_that_cannot_work_are_refused(admin_client, value, words):
    assert words in str(save(admin_client, "oauth2", value))
    assert not Credential.objects.exists()


@pytest.mark.django_db
def test_a_client_certificate_says_until_when_it_is_valid(admin_client):
    until = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)
    pem = trustme.CA().issue_cert("client@a.example", not_after=until).private_key_and_cert_chain_pem.bytes().decode()
    assert save(admin_client, "cert", pem) == []
    assert Credential.objects.get().expires_at == until


def test_a_key_of_another_certificate_is_refused():
    first, second = (trustme.CA().issue_cert("a@a.example") for _ in range(2))
    mixed = first.private_key_pem.bytes() + second.cert_chain_pems[0].bytes()
    with pytest.raises(ValueError, match="does not belong"):
        certificates.read(mixed.decode())
    with pytest.raises(ValueError, match="no private key"):
        certificates.read(first.cert_chain_pems[0].bytes().decode())
