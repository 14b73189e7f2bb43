"""Whole requests: what each field's Liquid becomes, and what ends a message (rows J, cases on bodies and data)."""

import json
from typing import Any

import pytest

from webhooks.compiled import compile_content
from webhooks.compose import render, the_guard
from webhooks.liquid import RenderData
from webhooks.models import BodyKind, Content, LogKind, Outcome
from webhooks.models.content import PairType
from webhooks.request import Refusal, Request

from .liquid.world import CUSTOM, world

URL = "https://a.test/"


def composed(data: RenderData | None = None, **fields: Any) -> Request | Refusal:
    content = Content(**({"url": URL} | fields))
    return render(compile_content(content, overrides=()), data or world(), the_guard())


def sent(**fields: Any) -> Request:
    request = composed(**fields)
    assert isinstance(request, Request), request
    return request


def refused(**fields: Any) -> Refusal:
    refusal = composed(**fields)
    assert isinstance(refusal, Refusal), refusal
    return refusal


def pair(value: str, kind: str = PairType.TEXT, key: str = "k") -> dict[str, Any]:
    return {"key": key, "value": value, "type": kind}


def pairs_body(*pairs: dict[str, Any]) -> Any:
    return json.loads(sent(pairs=list(pairs)).body or b"")


@pytest.mark.parametrize(
    ("template", "url"),
    [
        ("\n{% assign h = 'a' %}\nhttps://{{h}}.test/x\n", "https://a.test/x"),
        ("https://a.test/{{custom_attribute.${address}.city}}", "https://a.test/K%C3%B6ln"),
    ],
)
def test_a_url_is_trimmed_and_encoded(template: str, url: str) -> None:  # J01, J02
    assert sent(url=template).url == url


def test_a_header_value_is_trimmed_and_may_not_break_the_line() -> None:  # J03, J04, B62
    basic = {"name": "Authorization", "value": " Basic {{ 'key:' | base64_encode }}\n"}
    assert dict(sent(headers=[basic]).headers)["Authorization"] == "Basic a2V5Og=="
    refusal = refused(headers=[{"name": "X-Note", "value": "{{custom_attribute.${note}}}"}])
    assert (refusal.outcome, refusal.reason) == (Outcome.FAILED, "unusable_request")
    assert "X-Note" in refusal.text


@pytest.mark.parametrize("filters", ["", " | json_escape"])
def test_a_pair_is_valid_json_with_or_without_json_escape(filters: str) -> None:  # J05, J06
    assert pairs_body(pair(f"{{{{custom_attribute.${{note}}{filters}}}}}")) == {"k": CUSTOM["note"]}


def test_typed_pairs_are_of_their_type_or_end_the_message() -> None:  # J07, J08
    number = pair("{{custom_attribute.${points}}}", PairType.NUMBER)
    assert pairs_body(number) == {"k": 1450}
    assert pairs_body(pair("{{custom_attribute.${nothing}}}", PairType.NUMBER)) == {"k": None}
    assert "k is not a number: pro" in refused(pairs=[pair("{{custom_attribute.${plan}}}", PairType.NUMBER)]).text
    assert pairs_body(pair("{{custom_attribute.${cars} | as_json_string}}", PairType.JSON)) == {"k": CUSTOM["cars"]}


def test_pairs_share_their_variables_and_fields_do_not() -> None:  # J09, J10
    assert pairs_body(pair("{% assign t = 1 %}x", key="a"), pair("{{t}}", key="b")) == {"a": "x", "b": "1"}
    url = "{% assign t = 1 %}https://a.test/{{t}}"
    assert sent(url=url, body_kind=BodyKind.RAW, raw_body="[{{t}}]").body == b"[]"


def test_keys_are_rendered_and_stay_unique() -> None:
    assert pairs_body(pair("1", key="{{custom_attribute.${plan}}}_n")) == {"pro_n": "1"}
    doubled = [pair("1", key="pro"), pair("2", key="{{custom_attribute.${plan}}}")]
    assert "two keys came out as pro" in refused(pairs=doubled).text


def test_a_raw_body_goes_as_it_comes_out() -> None:  # J11
    raw = ' {"n":"{{custom_attribute.${note}}}"}\n'
    assert sent(body_kind=BodyKind.RAW, raw_body=raw).body == f' {{"n":"{CUSTOM["note"]}"}}\n'.encode()


def test_an_abort_in_any_field_stops_the_message() -> None:  # J12
    refusal = refused(body_kind=BodyKind.RAW, raw_body="{% abort_message('x') %}")
    assert (refusal.outcome, refusal.text, refusal.kind) == (Outcome.ABORTED, "x", LogKind.ABORTED)


def test_hostile_text_in_pairs_arrives_as_it_is() -> None:  # B68
    name = 'He said "hi"\nC:\\dir\u2028\x00'
    body = sent(pairs=[pair("{{${first_name}}}")], data=world(profile={"first_name": name})).body
    assert json.loads(body or b"") == {"k": name.replace("\x00", "")}


def test_a_body_that_is_not_what_it_is_declared_as_is_not_sent() -> None:  # B70
    json_type = [{"name": "Content-Type", "value": "application/json"}]
    assert "declared as JSON" in refused(body_kind=BodyKind.RAW, raw_body='{ message: "x" }', headers=json_type).text


def test_text_goes_as_utf_8_and_says_so() -> None:  # B71
    request = sent(body_kind=BodyKind.RAW, raw_body="тест 😱 \u200b")
    assert request.body == "тест 😱 \u200b".encode()
    assert dict(request.headers)["Content-Type"] == "text/plain; charset=utf-8"


def test_a_misspelt_name_is_blank_when_sent() -> None:  # B73; the composer's warning: test_warnings
    assert sent(body_kind=BodyKind.RAW, raw_body="[{{${frist_name}}}]").body == b"[]"


@pytest.mark.parametrize(
    ("template", "body"),
    [
        ('{{ "now" | date: "%s" | plus: 0 }}', "1772130605"),
        ('{{ "1645173284" | date: "%d %b %Y" }}', "18 Feb 2022"),
        ('[{{ nil | date: "%Y" }}]', "[]"),
    ],
)
def test_seconds_since_1970_are_read_and_written(template: str, body: str) -> None:  # B75; B74 is in test_times
    assert sent(body_kind=BodyKind.RAW, raw_body=template).body == body.encode()


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("{% for i in (1..100000000) %}x{% endfor %}", "too many loop iterations"),
        ("{% assign x = (1..99999) | join: 'xxxxxxxxxxxx' %}{{x}}", "too long"),
        ("{% for i in (1..9999) %}{{custom_attribute.${long}}}{% endfor %}", "the output is too long"),
    ],
)
def test_a_template_that_grows_ends_its_message_with_a_place(template: str, words: str) -> None:  # B78
    data = world(profile={"custom_attributes": {"long": "x" * 1000}})
    refusal = refused(body_kind=BodyKind.RAW, raw_body=template, data=data)
    assert (refusal.outcome, refusal.kind) == (Outcome.FAILED, LogKind.LIQUID_ERROR)
    assert words in refusal.text
    assert "(line 1, column " in refusal.text
