import os
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhooks.liquid import render
from webhooks.liquid.strftime import strftime
from webhooks.liquid.times import read_text, show

from .world import world


@pytest.fixture(params=["Asia/Tokyo", "America/New_York"])
def server_zone(request: pytest.FixtureRequest) -> Iterator[str]:
    before = os.environ.get("TZ")
    os.environ["TZ"] = request.param
    time.tzset()
    yield request.param
    os.environ.pop("TZ") if before is None else os.environ.update(TZ=before)
    time.tzset()


def test_a_time_comes_out_the_same_on_every_server(server_zone: str) -> None:
    assert render('{{ "1990-12-31T23:00:00Z" | date: "%Y-%m-%dT%H:%M" }}', world()) == "1990-12-31T23:00"
    assert render('{{ "now" | date: "%s" | plus: 0 }}', world()) == "1772130605"
    assert render("{{custom_attribute.${signup} | date: '%c %Z'}}", world()) == "Thu Feb 29 09:00:00 2024 UTC"


def test_seconds_since_1970_are_a_time_and_nil_is_none() -> None:
    assert render('{{ "1645173284" | date: "%d %b %Y" }}', world()) == "18 Feb 2022"
    assert render('[{{ nil | date: "%Y" }}]', world()) == "[]"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-03-04", date(2026, 3, 4)),
        ("2026/3/4", date(2026, 3, 4)),
        ("2026-03-04T05:06", datetime(2026, 3, 4, 5, 6, tzinfo=UTC)),
        ("2026-03-04 05:06:07.5", datetime(2026, 3, 4, 5, 6, 7, 500000, UTC)),
        ("2026-03-04T05:06:07,25Z", datetime(2026, 3, 4, 5, 6, 7, 250000, UTC)),
        ("2026-03-04T05:06:07+02:30", datetime(2026, 3, 4, 2, 36, 7, tzinfo=UTC)),
        ("2026-03-04T05-08", datetime(2026, 3, 4, 13, tzinfo=UTC)),
        ("2026-12-31T24:00", datetime(2027, 1, 1, tzinfo=UTC)),
        ("Sept 1, 2026", date(2026, 9, 1)),
        ("1st May 2026", date(2026, 5, 1)),
        ("May 2, 2026 12:05 AM", datetime(2026, 5, 2, 0, 5, tzinfo=UTC)),
        ("2 May 2026 12:05 pm", datetime(2026, 5, 2, 12, 5, tzinfo=UTC)),
        ("12345", datetime(1970, 1, 1, 3, 25, 45, tzinfo=UTC)),
    ],
)
def test_text_that_says_a_time(text: str, expected: object) -> None:
    assert read_text(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        *("2026", "2026-13-01", "2026-02-30", "2026-03/04", "24:00", "2026-03-04T24:01", "04.03.2026", "03/04/2026"),
        *("May 2, 2026 13:05 pm", "Mai 2, 2026", "2026-03-04T05:06+99:00", "tomorrow", "", "9" * 14, "2026-03-04 " * 9),
    ],
)
def test_text_that_says_none_is_not_guessed_at(text: str) -> None:
    assert read_text(text) is None


@given(st.datetimes(min_value=datetime(1000, 1, 1)))
def test_a_time_that_was_printed_is_read_back(moment: datetime) -> None:
    whole = moment.replace(microsecond=0, tzinfo=UTC)
    assert read_text(show(whole)) == whole


@given(st.datetimes(timezones=st.just(UTC)))
def test_directives_agree_with_the_standard_library(moment: datetime) -> None:
    for code in "abBdHIjmMpSUwWyVGuA":
        expected = moment.strftime("%" + code)
        if code in "GY":
            expected = expected.zfill(4)
        assert strftime(moment, "%" + code) == expected, code


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("%10Y|%-H|%_H|%03d|%^a|%#p|%#B|%^10b", "0000002026|9| 9|004|WED|am|MARCH|       MAR"),
        ("%5N %L %6N", "12300 123 123000"),
        ("%v|%+", " 4-MAR-2026|Wed Mar  4 09:05:06 UTC 2026"),
        ("%:z %:d %E %q % d %", "+00:00 %:d %E %q % d %"),
        ("%999Y", "%999Y"),
    ],
)
def test_flags_and_widths(form: str, expected: str) -> None:
    assert strftime(datetime(2026, 3, 4, 9, 5, 6, 123000, UTC), form) == expected
