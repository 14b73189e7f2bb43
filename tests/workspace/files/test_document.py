"""Bytes that are no file of ours, and hostile ones: each says what is wrong and where; nothing breaks."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workspace import files
from workspace.files.document import MOST_BYTES, MOST_DEPTH, MOST_DOCUMENTS, parse

SMALL = '{"hookline": 1, "kind": "segment", "name": "x", "filters": %s}'


def problem_of(data: bytes) -> str:
    with pytest.raises(files.BadFile) as caught:
        files.read(data)
    assert len(caught.value.problems) == 1
    return caught.value.problems[0]


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "This is no JSON: line 1, column 1 can't be read."),
        (b'{"hookline": 1,\n "kind": nope}', "This is no JSON: line 2, column 10 can't be read."),
        (b"\xff\xfe\x00", "This is no text in UTF-8."),
        (b" " * (MOST_BYTES + 1), f"The file is larger than {MOST_BYTES} bytes."),
        (b"[" * 100_000, "It is nested too deeply."),
        (b"[]", f"A file holds from one to {MOST_DOCUMENTS} documents."),
        (b"[1]", "[0]: This is no document of Hookline: it has no field “hookline”."),
        (b"null", "This is no document of Hookline: it has no field “hookline”."),
        (b'{"hookline": 1, "hookline": 1}', "“hookline” is there twice."),
        (b'{"hookline": NaN}', "NaN is no JSON number."),
        (b'{"hookline": 1e999}', "hookline: A number is too large."),
        (b'{"hookline": ' + b"9" * 30 + b"}", "hookline: A number is too large."),
        (b'{"hookline": ' + b"9" * 5_000 + b"}", "A number is too large."),
        (b'{"a": {"b": ["\\u0000"]}}', "a.b[0]: A value holds a character that can't be stored."),
        (b'{"a": "\\ud800"}', "a: A value holds a character that can't be stored."),
        (b'{"\\u0000": 1}', "A value holds a character that can't be stored."),
    ],
)
def test_what_is_no_document_is_refused_in_words(data, problem):
    assert problem_of(data) == problem


def test_nesting_is_bounded_with_its_place():
    deep = '{"all": [' * MOST_DEPTH + "{}" + "]}" * MOST_DEPTH
    assert "filters.all[0].all[0]" in problem_of((SMALL % deep).encode())
    assert "nested too deeply" in problem_of((SMALL % deep).encode())


def test_a_mark_of_the_byte_order_is_no_harm():
    assert parse(b"\xef\xbb\xbf[1]") == [("[0]", 1)]


def test_a_list_names_the_document_that_is_wrong():
    good = json.loads(SMALL % "{}")
    data = json.dumps([good, {**good, "tags": ["a", 5]}, {**good, "pigeon": "<b>"}]).encode()
    with pytest.raises(files.BadFile) as caught:
        files.read(data)
    assert caught.value.problems == ("[1].tags[1]: It must be a text.", "[2].pigeon: There is no such field.")


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
KEYS = "hookline kind name settings filters variants steps exits conversions segments tags teams description".split()


@given(kind=st.sampled_from(["segment", "campaign", "canvas"]), data=st.dictionaries(st.sampled_from(KEYS), VALUES))
def test_whatever_the_values_are_it_is_read_or_refused(kind, data):
    with contextlib.suppress(files.BadFile):
        files.read(json.dumps({"hookline": 1, "kind": kind, "name": "x", **data}).encode())
