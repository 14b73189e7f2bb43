"""What columns mean and what cells become."""

import pytest

from audience.imports import columns
from audience.imports.columns import read_header
from audience.imports.errors import BadRow, UnusableFile

PROFILES, EVENTS = "profiles", "events"


def values(header: str, *cells: str, **declared: str):
    read, left_out = read_header(header.split(","), declared, PROFILES).read(cells)
    return read | ({"left out": left_out} if left_out else {})


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("12", 12),
        ("-3.50", -3.5),
        ("007", "007"),
        ("0", 0),
        ("0.5", 0.5),
        ("1e5", "1e5"),
        ("1,000", "1,000"),
        ("TRUE", True),
        ("yes", "yes"),
        ("12345678901234567890", "12345678901234567890"),
        ("٣", "٣"),
        (" Ada ", " Ada "),
        ("2026-03-01", "2026-03-01"),
        ("=1+1", "=1+1"),
    ],
)
def test_cells_are_what_they_look_like(cell, value):
    found = values("external_id,x", "a", cell)["x"]
    assert (found, type(found)) == (value, type(value))


def test_a_type_in_the_header_or_declared_wins_over_looks():
    assert values("external_id,zip:text,n:number,v:boolean", "a", "123", "1,000", "1") == {
        "external_id": "a",
        "zip": "123",
        "n": 1000,
        "v": True,
    }
    assert values("external_id,n:number", "a", "5", n="text")["n"] == "5"
    assert values("external_id,n", "a", "5", n="ignored") == {"external_id": "a"}
    assert values("external_id,utm:source", "a", "5")["utm:source"] == 5


def test_a_value_of_the_wrong_type_is_left_out_and_named():
    found = values("external_id,n:number,t:time,b:boolean", "a", "many", "soon", "perhaps")
    assert found["left out"] == [
        "“n”: “many” is not a number",
        "“t”: “soon” is not a time",
        "“b”: “perhaps” is neither true nor false",
    ]


def test_standard_attributes_keep_their_text():
    assert values("external_id,phone,first_name,dob", "a", "+8210", "7", "1990-01-01") == {
        "external_id": "a",
        "phone": "+8210",
        "first_name": "7",
        "dob": "1990-01-01",
    }
    assert values("external_id,First_name", "a", "7")["First_name"] == 7  # exact names only


@pytest.mark.parametrize(
    ("header", "identity"),
    [
        ("email,external_id", {"external_id": "2"}),
        ("email,phone", {"email": "1"}),
        ("phone,braze_id", {"braze_id": "2"}),
        ("user_alias_name,user_alias_label", {"user_alias": {"alias_name": "1", "alias_label": "2"}}),
    ],
)
def test_the_first_identifier_names_the_profile(header, identity):
    found = values(header, "1", "2")
    assert identity.items() <= found.items()


def test_a_subscription_group_comes_from_its_two_columns():
    found = values("external_id,subscription_group_id,subscription_state", "a", "g", "subscribed")
    assert found["subscription_groups"] == [{"subscription_group_id": "g", "subscription_state": "subscribed"}]


def test_events_take_the_properties_under_their_name():
    header = "external_id,name,time,bought.properties.price,seen.properties.page".split(",")
    event, left_out = read_header(header, {}, EVENTS).read(["a", "bought", "2026-01-01", "9.5", "home"])
    assert event == {"external_id": "a", "name": "bought", "time": "2026-01-01", "properties": {"price": 9.5}}
    assert left_out == []


@pytest.mark.parametrize(
    ("header", "content", "sentence"),
    [
        ("plan;external_id", PROFILES, "No column names the profiles"),
        ("", PROFILES, "No column names the profiles"),
        ("external_id,a,a", PROFILES, "The column a is there twice"),
        ("external_id,a,a:number", PROFILES, "The column a is there twice"),
        ("external_id,user_alias_name", PROFILES, "can't be mixed"),
        ("user_alias_name", PROFILES, "user_alias_label is missing"),
        ("external_id,name", EVENTS, "time is missing"),
        ("external_id," + ",".join(f"c{n}" for n in range(10_000)), PROFILES, "10001 columns; at most 1000"),
    ],
)
def test_unusable_headers_are_explained(header, content, sentence):
    with pytest.raises(UnusableFile, match=sentence):
        read_header(header.split(","), {}, content)


def test_rows_without_identity_or_of_another_length_are_left_out():
    known = read_header(["external_id", "plan"], {}, PROFILES)
    for cells, sentence in ((["a"], "has 1 cells; the header has 2"), ([" ", "pro"], "has no external_id")):
        with pytest.raises(BadRow, match=sentence):
            known.read(cells)
    assert columns.AUTO in dict(columns.TYPES)
