"""What an answer must say to count as received, and what follows where it does not."""

import json

import pytest
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from config.demo.receiver import Reply, always
from tests.factories import ContentFactory, MessageFactory, SenderFactory
from webhooks.models import Message, MessageActivityLog, Outcome, Receipt
from webhooks.models.content import Success
from webhooks.success import Condition


@pytest.mark.parametrize(
    ("test", "path", "value", "text", "is_met"),
    [
        ("equals", "status", "ok", '{"status": "ok"}', True),
        ("equals", "status", "ok", '{"status": "error"}', False),
        ("equals", "success", "true", '{"success": true}', True),
        ("equals", "success", "true", '{"success": false}', False),
        ("equals", "result[0].code", "7", '{"result": [{"code": 7}]}', True),
        ("equals", "status", "ok", "not JSON", False),
        ("exists", "id", "", '{"id": 0}', True),
        ("exists", "id", "", '{"id": null}', False),
        ("absent", "error", "", '{"ok": 1}', True),
        ("absent", "error", "", '{"error": "no"}', False),
        ("absent", "error", "", "<html>", False),
        ("contains", "", "queued", "message queued", True),
        ("contains", "", "queued", "rejected", False),
        ("contains", "tags", "a", '{"tags": ["a", "b"]}', True),
        ("lacks", "", "error", "fine", True),
        ("lacks", "", "error", "an error", False),
        ("lacks", "errors", "x", '{"ok": 1}', True),
    ],
)
def test_conditions(test, path, value, text, is_met):
    assert (Condition(test, path, value, False).problem(text) == "") is is_met


@given(st.sampled_from(Success.values[1:]), st.text(max_size=9), st.text(max_size=9), st.binary(max_size=99))
def test_any_answer_is_judged_without_a_fault(test, path, value, body):
    assert isinstance(Condition(test, path, value, False).problem(body.decode("utf-8", "replace")), str)


def deliver(sink, pump, body, **fields):
    sink.script = always(Reply(body=body))
    content = ContentFactory(url=f"{sink.url}/hook", **fields)
    message = MessageFactory(content=content, sender=SenderFactory())
    pump.run()
    message.refresh_from_db()
    return message


@pytest.mark.django_db(transaction=True)
def test_a_200_that_means_failure_fails_and_the_log_says_why(sink, pump):
    message = deliver(
        sink, pump, b'{"success": false}', success_test="equals", success_path="success", success_value="true"
    )
    assert (message.outcome, message.reason, message.last_status) == (Outcome.FAILED, "success_condition", 200)
    assert not Receipt.objects.exists()
    assert MessageActivityLog.objects.get().text == (
        "200 OK, but it does not count as received: success is false, not true"
    )


@pytest.mark.django_db(transaction=True)
def test_it_is_tried_again_where_the_author_says_so_retries_included(sink, pump):
    rule = {"success_test": "exists", "success_path": "id", "success_retries": True}
    message = deliver(sink, pump, b"{}", **rule)
    assert (message.outcome, message.attempts) == ("", 1)
    Message.objects.update(due_at=message.first_attempt_at)
    pump.run()
    message.refresh_from_db()
    assert (message.outcome, message.attempts) == ("", 2)  # the kept request is judged too
    sink.script = always(Reply(body=b'{"id": 5}'))
    Message.objects.update(due_at=message.first_attempt_at)
    pump.run()
    message.refresh_from_db()
    assert message.outcome == Outcome.RECEIVED


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"success_test": "equals", "success_path": "a"}, "success_value"),
        ({"success_test": "exists"}, "success_path"),
        ({"success_test": "contains", "success_path": "a[", "success_value": "x"}, "success_path"),
    ],
)
def test_a_condition_that_makes_no_sense_is_refused_on_its_field(admin_client, fields, field):
    content = ContentFactory()
    form = {"url": content.url, "method": "POST", "body_kind": "pairs", "pairs": "[]", "headers": "[]", **fields}
    inlines = {"overrides-TOTAL_FORMS": 0, "overrides-INITIAL_FORMS": 0}
    page = admin_client.post(reverse("admin:webhooks_content_change", args=[content.pk]), form | inlines)
    assert page.status_code == 200
    assert list(page.context["adminform"].form.errors) == [field], json.dumps(page.context["adminform"].form.errors)
