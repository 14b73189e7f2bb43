import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from webhooks import curl
from webhooks.curl import Command, NotCurl
from webhooks.models import BodyKind

TEXT = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\x00"), max_size=60)
VALUE = TEXT.map(str.strip).filter(lambda text: "\n" not in text and "\r" not in text)
NAME = st.from_regex(r"\A[A-Za-z][A-Za-z-]{0,20}\Z").filter(lambda name: name.lower() != "content-type")
METHOD = st.sampled_from(["POST", "PUT", "PATCH", "DELETE"])


@example(method="POST", path="", name="A", value="$", body="0")
@given(method=METHOD, path=TEXT, name=NAME, value=VALUE, body=TEXT.filter(bool))
def test_what_is_written_is_read_again(method, path, name, value, body):
    url = f"https://a.example/{path}"
    headers = ((name, value), ("Content-Type", "text/plain"))
    read = curl.read(curl.written(method, url, headers, body))
    assert read == Command(method, url, headers, body)


@pytest.mark.parametrize(
    ("command", "method", "url", "body"),
    [
        ("curl https://a.example", "GET", "https://a.example", ""),
        ("curl a.example/x", "GET", "http://a.example/x", ""),
        ("curl -d a=1 -d b=2 https://a.example", "POST", "https://a.example", "a=1&b=2"),
        ("curl --data-urlencode 'q=a b' https://a.example", "POST", "https://a.example", "q=a%20b"),
        ("curl -G -d a=1 'https://a.example?b=2'", "GET", "https://a.example?b=2&a=1", ""),
        ("curl -sSL --compressed -X PUT --url https://a.example --json '{}'", "PUT", "https://a.example", "{}"),
        ("curl https://a.example --data-raw $'it\\'s \\u00e9\\n'", "POST", "https://a.example", "it's é\n"),
        ("curl \\\n  -X DELETE \\\n  https://a.example", "DELETE", "https://a.example", ""),
        ("curl -XPOST -HAccept:x https://a.example -o /dev/null", "POST", "https://a.example", ""),
    ],
)
def test_commands_as_documentation_and_browsers_write_them(command, method, url, body):
    read = curl.read(command)
    assert (read.method, read.url, read.body) == (method, url, body)


def test_what_curl_adds_by_itself_becomes_a_header():
    assert ("Authorization", "Basic YTpi") in curl.read("curl -u a:b https://a.example").headers
    assert ("Content-Type", "application/x-www-form-urlencoded") in curl.read("curl -d a=1 https://a.example").headers
    own = curl.read("curl -d '{}' -H 'content-type: application/json' https://a.example").headers
    assert own == (("content-type", "application/json"),)


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("", "begins with curl"),
        ("wget https://a.example", "begins with curl"),
        ("curl 'https://a.example", "not closed"),
        ("curl -X POST", "no address"),
        ("curl -X OPTIONS https://a.example", "not OPTIONS"),
        ("curl -H", "can't be read"),
        ("curl " + "x" * 200_000, "too long"),
    ],
)
def test_what_cannot_be_read_is_said(command, words):
    with pytest.raises(NotCurl, match=words):
        curl.read(command)


@given(TEXT)
def test_any_text_is_read_or_refused(text):
    try:
        curl.read(f"curl {text}")
    except NotCurl:
        return


def test_an_object_becomes_typed_pairs_and_secrets_are_marked():
    body = {"to": "a", "n": 3, "ok": True, "gone": None, "deep": {"é": [1]}}
    found = curl.fields(curl.read(f"curl https://a.example -H 'Authorization: Bearer x' --json '{json.dumps(body)}'"))
    assert found["body_kind"] == BodyKind.PAIRS
    assert [(pair["key"], pair["type"], pair["value"]) for pair in found["pairs"]] == [
        ("to", "text", "a"),
        ("n", "number", "3"),
        ("ok", "boolean", "true"),
        ("gone", "null", ""),
        ("deep", "json", '{"é": [1]}'),
    ]
    assert {"name": "Authorization", "value": "Bearer x", "is_secret": True} in found["headers"]
    assert "Content-Type" not in {header["name"] for header in found["headers"]}


def test_other_bodies_stay_raw():
    found = curl.fields(curl.read("curl -d a=1 https://a.example"))
    assert (found["body_kind"], found["raw_body"]) == (BodyKind.RAW, "a=1")
