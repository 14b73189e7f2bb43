"""After sends that went wrong in every way, no secret stands in a table, a file, a log line, a mail or a page."""

import base64
import json
import logging
import subprocess
import uuid
from urllib.parse import quote

import pytest
import trustme
from django.conf import settings
from django.contrib.auth.models import User
from django.core import mail
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from config.demo.receiver import Reply
from outreach.models import OutgoingEvent
from tests.factories import ContentFactory, MessageFactory, ProfileFactory, SenderFactory, pair
from webhooks import alerts, frozen, masking, preview
from webhooks.models import BodyKind, FrozenRequest, LogKind, Message, MessageActivityLog
from webhooks.request import Answer, Fault, Request
from workspace.models import Credential, Workspace
from workspace.secrets import seal

SECRETS = {
    "header": "hdr-S3CRET-value",
    "path": "T0S3CRET/B0S3CRET/pathS3CRET",
    "query": 'qry S3CRET+"quoted"',
    "body": "body-S3CRET-\\-value",
    "client": "oauth-S3CRET-client",
    "token": "access-S3CRET-token",
    "password": "basic-S3CRET-password",
}


def columns() -> list[tuple[str, str]]:
    """Every cell of every table that holds one of the secrets, whole or in part, as (table, cell)."""
    found = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')
            cells = (str(bytes(c) if isinstance(c, memoryview) else c) for row in cursor.fetchall() for c in row)
            found += [(table, cell) for cell in cells if "S3CRET" in cell or _key_line() in cell]
    return found


PEM = trustme.CA().issue_cert("client@hookline.example").private_key_and_cert_chain_pem.bytes().decode()


def _key_line() -> str:
    return PEM.splitlines()[2]


def store(sink) -> None:
    client = {"token_url": f"{sink.url}/token", "client_id": "hook", "client_secret": SECRETS["client"]}
    stored = {name: (Credential.Kind.TEXT, SECRETS[name]) for name in ("path", "query", "body")} | {
        "token": (Credential.Kind.OAUTH2, json.dumps(list(client.items()))),
        "login": (Credential.Kind.BASIC, f"user:{SECRETS['password']}"),
        "pem": (Credential.Kind.CERTIFICATE, PEM),
    }
    for name, (kind, value) in stored.items():
        Credential.objects.create(name=name, kind=kind, sealed_value=seal(value))


def content_with_secrets(sink, **more):
    headers = [
        {"name": "X-Plain-Name", "value": seal(SECRETS["header"]), "is_secret": True},
        {"name": "Authorization", "value": "Bearer {{credentials.${token}}}", "is_secret": False},
    ]
    url = f"{sink.url}/services/{{{{credentials.${{path}}}}}}?q={{{{credentials.${{query}}}}}}"
    ask = f"{{% connected_content {sink.url}/data?key={{{{credentials.${{query}} | url_param_escape}}}}"
    extra = "{% message_extras :key sent :value {{credentials.${body}}} %}"
    texts = [
        pair("said", "{{credentials.${body}}} {{credentials.${token}}}" + extra),
        pair("asked", f"{ask} :basic_auth login :save x %}}"),
    ]
    values = {"url": url, "headers": headers, "pairs": texts} | more
    return ContentFactory(client_certificate=Credential.objects.get(name="pem"), **values)


def repeats(status: int):
    """An endpoint that says back all that it was told, in its body, in a header and in where it points."""

    def script(request, nth):
        if request.target == "/token":
            return Reply(body=json.dumps({"access_token": SECRETS["token"], "expires_in": 3600}).encode())
        told = " ".join([request.target, *request.headers.values(), request.body.decode()])
        said = request.headers.get("x-plain-name", "")
        headers = (("Location", f"http://elsewhere.example{request.target}"), ("X-Said", said))
        return Reply(status, told.encode(), headers)

    return script


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("status", [302, 400, 503])
def test_no_secret_is_found_anywhere_after_a_faulty_send(sink, pump, caplog, capfd, admin_client, settings, status):
    caplog.set_level(logging.DEBUG)
    logging.getLogger("urllib3").setLevel(settings.LOGGING["loggers"]["urllib3"]["level"])
    settings.EVENTS_OUT_DAYS = 7
    store(sink)
    Workspace.objects.update_or_create(pk=1, defaults={"error_threshold": 0})
    User.objects.create_superuser("told", "told@a.example", "x")
    sink.script = repeats(status)
    message = MessageFactory(content=content_with_secrets(sink), sender=SenderFactory())
    for _ in range(3):
        pump.run()
        Message.objects.update(due_at=message.due_at)
    row = preview.test_send(message.content, [], preview.existing_person(message.profile), timezone.now(), uuid.uuid4())
    alerts.check(timezone.now())
    assert {SECRETS["token"], SECRETS["body"]} <= set(sink.received[-1].json()["said"].split(" "))
    assert SECRETS["path"] in sink.received[-1].target
    assert MessageActivityLog.objects.count() >= 3
    assert columns() == []
    assert "S3CRET" not in caplog.text + "".join(capfd.readouterr())
    assert bool(mail.outbox) is (status != 302)
    assert not [sent for sent in mail.outbox if "S3CRET" in sent.body + sent.subject]
    pages = [reverse("admin:webhooks_messageactivitylog_change", args=[found.pk]) for found in [row, *logged()]]
    for page in [*pages, reverse("admin:webhooks_content_change", args=[message.content_id])]:
        assert "S3CRET" not in admin_client.get(page).content.decode()
    chosen = {"action": "as_csv", "select_across": "1", "index": "0", "_selected_action": "0"}
    table = admin_client.post(reverse("admin:webhooks_messageactivitylog_changelist"), chosen).getvalue()
    assert masking.MASK.encode() in table
    assert b"S3CRET" not in table
    assert files_with_secrets() == []


def logged() -> list[MessageActivityLog]:
    return list(MessageActivityLog.objects.all())


def files_with_secrets() -> list[str]:
    """Read by another process: one that closes a file of its own SQLite database loses its locks on it."""
    command = ["grep", "--recursive", "--files-with-matches", "--text", "S3CRET", str(settings.DATA_DIR)]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert found.returncode in (0, 1), found.stderr  # 1: read all, found nothing
    return found.stdout.split()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "more",
    [
        {"pairs": [pair("n", "{{credentials.${body}}}", "number")]},
        {"body_kind": BodyKind.RAW, "raw_body": "{% abort_message('{{credentials.${path}}}') %}"},
        {"url": "http://{{credentials.${query}}}/"},
        {"success_test": "equals", "success_path": "", "success_value": "fine"},
    ],
    ids=["a value of the wrong type", "an abort that quotes it", "an address that is none", "a failed condition"],
)
def test_what_says_why_nothing_was_sent_or_received_quotes_no_secret(sink, pump, more, settings):
    settings.EVENTS_OUT_DAYS = 7
    store(sink)
    sink.script = repeats(200)
    MessageFactory(content=content_with_secrets(sink, **more), sender=SenderFactory())
    pump.run()
    assert MessageActivityLog.objects.exclude(kind=LogKind.CONNECTED_CONTENT_ERROR).count() == 1
    assert OutgoingEvent.objects.count() == 1
    assert columns() == []


@pytest.mark.django_db(transaction=True)
def test_the_token_of_an_earlier_attempt_stays_masked_in_its_retries(sink, pump):
    store(sink)
    sink.script = repeats(503)
    content = ContentFactory(url=f"{sink.url}/hook", pairs=[pair("token", "{{credentials.${token}}}")])
    message = MessageFactory(content=content, sender=SenderFactory())
    pump.run()
    Message.objects.update(due_at=message.due_at)
    pump.run()
    assert len([request for request in sink.received if request.target == "/hook"]) == 2
    assert MessageActivityLog.objects.get(attempt=2).request["body"] == f'{{"token":"{masking.MASK}"}}'
    assert columns() == []


@pytest.mark.django_db(transaction=True)
def test_a_request_kept_by_an_older_version_is_still_sent(sink, pump):
    message = MessageFactory(content=ContentFactory(url=f"{sink.url}/hook"), sender=SenderFactory())
    Message.objects.update(attempts=1)
    old = ["POST", f"{sink.url}/hook", "127.0.0.1", [], base64.b64encode(b"old").decode()]
    FrozenRequest.objects.create(message_id=message.pk, sealed=frozen.secrets.seal_bytes(json.dumps(old).encode()))
    pump.run()
    assert sink.received[0].body == b"old"


@pytest.mark.django_db
def test_a_preview_shows_no_secret_either(sink):
    store(sink)
    sink.script = repeats(404)
    person = preview.existing_person(ProfileFactory())
    made = preview.compose(content_with_secrets(sink), [], person, timezone.now())
    assert made.calls
    assert "S3CRET" not in str(made.calls) + str(masking.shown_request(made.result, made.secrets))
    wrong = content_with_secrets(sink, pairs=[pair("n", "{{credentials.${body}}}", "number")])
    refusal = preview.compose(wrong, [], person, timezone.now()).result
    assert refusal.text == f"n is not a number: {masking.MASK}"


@pytest.mark.parametrize(
    "address",
    [
        "https://hooks.slack.com/services/T000AAAA/B000BBBB/XXXXYYYYZZZZ",
        "https://discord.com/api/webhooks/123456789/abcdefghijk",
        "https://hooks.zapier.com/hooks/catch/1234567/abcdefg/",
        "https://acme.webhook.office.com/webhookb2/abcdefgh@ijklmnop",
        "https://prod-1.logic.azure.com:443/workflows/w/triggers/manual/paths/invoke?api-version=1&sig=abcdefgh%2Bijk",
        "https://graph.facebook.com/v19.0/me/messages?access_token=abcdefghijk",
        "https://api.telegram.org/bot123456:ABCDEFGHI/sendMessage",
    ],
)
def test_addresses_that_are_secrets_are_masked_where_they_are_shown_and_where_answers_repeat_them(address):
    request = Request("POST", address, "host", (("Password", "pass-word-1"),), b"{}")
    hidden = masking.carried(request)
    assert "pass-word-1" in hidden
    last = address.rstrip("/").rpartition("=" if "=" in address else "/")[2]
    assert masking.MASK in masking.shown_request(request)["url"]
    assert last not in masking.shown_request(request)["url"]
    answer = Answer(404, body=f"no hook at {address}, {quote(address, safe='')}".encode(), fault=Fault.NAME)
    if "telegram" not in address:
        assert last not in masking.shown_answer(answer, hidden)["body"]
