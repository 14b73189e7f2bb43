"""Rendering inside the pump: what templates ask for, on threads where it makes them wait."""

import time

import pytest

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
