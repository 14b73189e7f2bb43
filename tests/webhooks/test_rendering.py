"""Rendering inside the pump: what templates ask for, on threads where it makes them wait."""

import time
from collections import Counter

import pytest
from django.conf import settings
from redis import Redis

from config.demo.receiver import Reply
from tests.factories import ContentFactory, MessageFactory, SenderFactory, pair
from webhooks.models import ContentBlock, LogKind, Message, MessageActivityLog, Outcome, Promotion, PromotionCode
from workspace import secrets
from workspace.models import Credential

pytestmark = pytest.mark.django_db(transaction=True)


def asks(sink, text: str) -> Message:
    content = ContentFactory(url=f"{sink.url}/hook", pairs=[pair("said", text)])
    return MessageFactory(content=content, sender=SenderFactory())


def sent(sink) -> list[str]:
    return [request.json()["said"] for request in sink.received if request.target == "/hook"]


def test_an_answer_of_another_system_is_in_the_message(sink, pump):
    sink.script = lambda request, nth: Reply(body=b'{"name": "Desk"}') if request.target == "/data" else Reply()
    asks(sink, f"{{% connected_content {sink.url}/data :save item %}}{{{{item.name}}}}")
    assert pump.run() == 1
    assert sent(sink) == ["Desk"]


def test_waiting_for_an_answer_takes_no_computing(sink, pump, transport, monkeypatch):
    sink.script = lambda request, nth: Reply(delay=0.6 if request.target == "/data" else 0)
    asks(sink, f"{{% connected_content {sink.url}/data %}}")
    polls, poll = [], transport.poll
    monkeypatch.setattr(transport, "poll", lambda wait: polls.append(wait) or poll(wait))
    assert pump.run() == 1
    assert len(polls) < 200


def test_slow_answers_hold_up_nobody_else(sink, pump):
    sink.script = lambda request, nth: Reply(delay=0.8) if request.target.startswith("/data") else Reply()
    for number in range(6):
        asks(sink, f"{{% connected_content {sink.url}/data{number} %}}late")
    quick = [asks(sink, "quick") for _ in range(5)]
    began = time.monotonic()
    assert pump.run() == 11
    assert time.monotonic() - began < 6 * 0.8  # the six waited side by side
    assert sent(sink)[:5] == ["quick"] * 5
    assert Message.objects.filter(pk__in=[message.pk for message in quick], outcome=Outcome.RECEIVED).count() == 5


def test_a_call_that_fails_leaves_a_row_and_the_message_goes(sink, pump):
    sink.script = lambda request, nth: Reply(status=500) if request.target == "/data" else Reply()
    message = asks(sink, f"[{{% connected_content {sink.url}/data :save item %}}{{{{item.name}}}}]")
    assert pump.run() == 1
    assert sent(sink) == ["[]"]
    row = MessageActivityLog.objects.get()
    assert (row.kind, row.status, row.message_id) == (LogKind.CONNECTED_CONTENT_ERROR, 500, message.pk)


def with_token(sink) -> Message:
    token = f"Bearer {{% connected_content {sink.url}/token :cache_max_age 900 :save t %}}{{{{t.token}}}}"
    headers = [{"name": "Authorization", "value": token}, {"name": "X-Kept", "value": "as it was"}]
    content = ContentFactory(url=f"{sink.url}/hook", pairs=[pair("at", "{{'now' | date: '%s'}}")], headers=headers)
    return MessageFactory(content=content, sender=SenderFactory())


def hooks_of(sink):
    return [request for request in sink.received if request.target == "/hook"]


def test_a_header_with_liquid_is_rendered_again_for_each_attempt_and_the_rest_is_not(sink, pump):
    script = {"/token": lambda nth: Reply(body=f'{{"token": "T{nth}"}}'.encode())}
    calls: Counter[str] = Counter()

    def answer(request, nth):
        calls[request.target] += 1
        return script[request.target](calls[request.target]) if request.target in script else Reply(status=503)

    sink.script = answer
    message = with_token(sink)
    pump.run()
    Redis(unix_socket_path=str(settings.VALKEY_SOCKET)).flushall()  # the token ran out meanwhile
    Message.objects.update(due_at=message.due_at)
    pump.run()
    first, second = hooks_of(sink)
    assert (first.headers["authorization"], second.headers["authorization"]) == ("Bearer T1", "Bearer T2")
    assert (first.body, first.headers["x-kept"]) == (second.body, second.headers["x-kept"])


def test_a_revoked_token_that_was_cached_costs_one_more_request(sink, pump):
    tokens = iter(["old", "new"])
    sink.script = lambda request, nth: (
        Reply(body=f'{{"token": "{next(tokens)}"}}'.encode())
        if request.target == "/token"
        else Reply(status=401 if request.headers["authorization"] == "Bearer old" and len(hooks_of(sink)) > 1 else 200)
    )
    with_token(sink)
    assert pump.run() == 1
    message = with_token(sink)  # finds the old token in the cache
    assert pump.run() == 1
    message.refresh_from_db()
    assert (message.outcome, message.attempts) == (Outcome.RECEIVED, 1)
    assert [request.headers["authorization"] for request in hooks_of(sink)] == [
        "Bearer old",
        "Bearer old",
        "Bearer new",
    ]
    row = MessageActivityLog.objects.get()
    assert (row.status, row.is_final) == (401, False)
    assert "sent once more" in row.text


def test_a_second_401_is_final(sink, pump):
    sink.script = lambda request, nth: (
        Reply(body=b'{"token": "x"}')
        if request.target == "/token"
        else Reply(status=401 if len(hooks_of(sink)) > 1 else 200)
    )
    with_token(sink)
    pump.run()
    message = with_token(sink)
    pump.run()
    message.refresh_from_db()
    assert (message.outcome, message.last_status) == (Outcome.FAILED, 401)
    assert len(hooks_of(sink)) == 3


def test_blocks_codes_and_credentials_are_there_and_secrets_stay_masked(sink, pump):
    ContentBlock.objects.create(name="greeting", content="Hello {{${first_name}}}")
    PromotionCode.objects.create(promotion=Promotion.objects.create(name="spring"), code="SPRING-1")
    Credential.objects.create(name="key", sealed_value=secrets.seal("hush-hush-hush"))
    sink.script = lambda request, nth: Reply(status=400)
    asks(sink, "{{content_blocks.${greeting}}} {% promotion('spring') %} {{credentials.${key}}}")
    pump.run()
    (said,) = sent(sink)
    assert said.startswith("Hello ")
    assert said.endswith("SPRING-1 hush-hush-hush")
    row = MessageActivityLog.objects.get(kind=LogKind.WEBHOOK_ERROR)
    assert "hush-hush-hush" not in str(row.request) + str(row.response) + row.text
