"""Rows, where they begin and end, and what broken ones do to their neighbours: nothing."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audience.imports import encodings
from audience.imports.errors import UnusableFile
from audience.imports.rows import rows


def read(data: bytes, encoding: str = "utf-8", position: int = 0, line: int = 1):
    return [*rows(io.BytesIO(data), encoding, position, line)]


cells = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\0"), max_size=8)
tables = st.lists(st.lists(cells, min_size=2, max_size=3), min_size=1, max_size=6)


def written(table, ending: str) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator=ending).writerows(table)
    return out.getvalue().encode()


@given(table=tables, ending=st.sampled_from(["\n", "\r\n"]), has_mark=st.booleans())
def test_what_a_spreadsheet_wrote_is_read_back_and_can_be_continued_after_any_row(table, ending, has_mark):
    data = (b"\xef\xbb\xbf" if has_mark else b"") + written(table, ending)
    found = read(data)
    assert [row.cells for row in found] == table
    for number, row in enumerate(found):
        rest = read(data, position=row.end, line=row.end_line)
        assert [(r.cells, r.line) for r in rest] == [(r.cells, r.line) for r in found[number + 1 :]]


def test_an_open_quote_costs_its_own_row_only():
    found = read(b'id,name\na,"Ada\nb,Ben\nc,"C"y\nd,Dan\n')
    assert [(row.line, row.cells) for row in found if not row.fault] == [
        (1, ["id", "name"]),
        (3, ["b", "Ben"]),
        (5, ["d", "Dan"]),
    ]
    assert [row.line for row in found if row.fault] == [2, 4]
    assert "quote" in found[1].fault


def test_bytes_of_another_encoding_cost_their_own_row_only():
    found = read(b"id,name\na,Ada\n" + b"b,\xff\xfe\n" + b"c,Cy\n")
    assert [row.cells for row in found] == [["id", "name"], ["a", "Ada"], [], ["c", "Cy"]]
    assert "not utf-8" in found[2].fault


def test_a_huge_line_is_passed_over_and_empty_ones_are_none():
    found = read(b"id\n\n" + b"x" * 3_000_000 + b"\n\r\nb\n")
    assert [(row.line, row.cells, bool(row.fault)) for row in found] == [
        (1, ["id"], False),
        (3, [], True),
        (5, ["b"], False),
    ]


def test_nul_is_read():
    assert read(b"id,na\0me\n")[0].cells == ["id", "na\0me"]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"id\nAda\n", "utf-8"),
        ("\ufeffid\n김\n".encode(), "utf-8"),
        ("id\n김철수\n".encode("cp949"), "cp949"),
        (b"", "utf-8"),
    ],
)
def test_the_encoding_is_found_however_the_bytes_arrive(data, expected):
    for size in (1, 3, 1 << 20):
        chunks = [data[i : i + size] for i in range(0, len(data), size)]
        assert encodings.examine(chunks)[0] == expected


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ("id\n".encode("utf-16"), "UTF-16"),
        (b"id\n\xff\xff\xff\n", "neither UTF-8"),
        ("id\n김".encode("cp949")[:-1], "neither"),
    ],
)
def test_other_encodings_are_refused_with_what_to_do(data, sentence):
    with pytest.raises(UnusableFile, match=sentence) as caught:
        encodings.examine([data])
    assert "Save it as CSV UTF-8" in str(caught.value)
