"""Preview and test send see what sends see: blocks, catalogs, translations, Connected Content; codes are samples."""

import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from config.demo.receiver import Receiver, Reply, always
from tests.conftest import NOON
from webhooks import calls, promotions
from webhooks.claims import Claimed
from webhooks.fields import TranslationsField
from webhooks.liquid import ConnectedContentAnswer, ConnectedContentCall
from webhooks.masking import MASK
from webhooks.models import BodyKind, Content, ContentBlock, LogKind, MessageActivityLog, Promotion

pytestmark = pytest.mark.django_db


def look(client: Client, view: str, body: str, url: str = "https://a.test/", **fields: str) -> str:
    content = Content.objects.create(url=url)
    form = {"name": "", "url": url, "method": "POST", "body_kind": BodyKind.RAW, "raw_body": body, "as_kind": "custom"}
    form |= {"as_custom": '{"first_name": "Zoë", "language": "de"}', "overrides-TOTAL_FORMS": "0"} | fields
    return client.post(reverse(f"admin:webhooks_content_{view}", args=[content.pk]), form).content.decode()


def test_a_preview_shows_blocks_and_translations(admin_client: Client) -> None:
    ContentBlock.objects.create(name="footer", content="Sent by ACME")
    body = "{% translation hi %}Hi{% endtranslation %} {{content_blocks.${footer}}}"
    page = look(admin_client, "preview", body, translations="id,de\nhi,Hallo {{${first_name}}}")
    assert "Hallo Zoë Sent by ACME" in page


@pytest.mark.parametrize("view", ["preview", "test"])
def test_no_code_is_taken_to_look(admin_client: Client, sink: Receiver, settings: Any, view: str) -> None:
    promotion = Promotion.objects.create(name="spring")
    promotions.add(promotion, ["A"])
    page = look(admin_client, view, "{% promotion('spring') %}", url=f"{sink.url}/hook")
    assert "SAMPLE-CODE" in page
    assert promotion.codes.filter(taken_at=None).count() == 1


def test_calls_are_told_with_their_time_and_secrets_masked(admin_client: Client, sink: Receiver, settings: Any) -> None:
    settings.WEBHOOK_ALLOWED_NETWORKS = ["127.0.0.1/32"]
    sink.script = always(Reply(404))
    page = look(admin_client, "preview", f"{{% connected_content {sink.url}/u?token=s3cretvalue %}}")
    assert f"GET {sink.url}/u?token={MASK}: 404," in page
    assert "s3cretvalue" not in page.split("hl-note", 1)[1].split("</ul>")[0]


def test_a_failed_call_makes_a_log_row_without_secrets() -> None:
    message = Claimed(7, 1, 1, 3, 5, 1, 0, 2, NOON, 1, None, None)
    call = ConnectedContentCall("https://api.test/u?key=s3cretvalue", headers=(("Authorization", "Bearer x"),))
    good = ConnectedContentAnswer(200, "fine")
    bad = ConnectedContentAnswer(599, failure="no answer within 2 s", seconds=2.001)
    (row,) = calls.failures(message, [(call, good), (call, bad)], NOON, ["s3cretvalue"])
    row.save()
    row = MessageActivityLog.objects.get()
    assert (row.kind, row.status, row.host) == (LogKind.CONNECTED_CONTENT_ERROR, 599, "api.test")
    assert (row.message_id, row.attempt, row.is_final, row.duration_ms) == (7, 2, False, 2001)
    assert "no answer within 2 s" in row.text
    assert "s3cretvalue" not in row.text + json.dumps(row.request)
    assert "Bearer" not in json.dumps(row.request)


def test_translations_are_a_table_both_ways() -> None:
    field = TranslationsField(required=False)
    table = 'id,de,pt-BR\nhi,"Hallo, du",Oi\nbye,Tschüss,\n'
    stored = {"de": {"hi": "Hallo, du", "bye": "Tschüss"}, "pt-BR": {"hi": "Oi"}}
    assert field.clean(table) == stored
    assert field.prepare_value(stored) == table
    assert not field.has_changed(stored, table.replace("\n", "\r\n"))
    assert field.clean("") == {}
    assert field.prepare_value({}) == ""


@pytest.mark.parametrize("table", ["de,fr\n", "id\nx", "id,de,de\n", "id,de\na,x\na,y", "id,de\na,x,y"])
def test_a_table_that_holds_no_translations_is_refused(table: str) -> None:
    with pytest.raises(Exception, match="id"):
        TranslationsField().clean(table)


def test_a_translation_that_cannot_be_read_is_refused(admin_client: Client) -> None:
    page = look(admin_client, "preview", "{% translation hi %}x{% endtranslation %}", translations="id,de\nhi,{{ oops")
    assert "hi, de, line 1, column 1: this output is never closed" in page
