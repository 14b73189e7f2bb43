from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhooks.request import Answer, Fault
from webhooks.retry import LONG_WINDOW, SHORT_WINDOW, GiveUp, Retry, next_attempt, retry_after

NOON = datetime(2026, 5, 6, 12, tzinfo=UTC)
BUSY = Answer(503)
UNREACHABLE = Answer(599, fault=Fault.CONNECT, text="refused", was_written=False)
SILENT = Answer(599, fault=Fault.TIMEOUT, was_written=True)


def test_a_503_is_tried_again_after_about_fifteen_seconds():
    assert next_attempt(BUSY, 1, NOON, NOON, 0.0) == Retry(NOON + timedelta(seconds=12))
    assert next_attempt(BUSY, 1, NOON, NOON, 1.0) == Retry(NOON + timedelta(seconds=18))


@pytest.mark.parametrize(("attempts", "minutes"), [(1, 0.25), (2, 1), (3, 3), (4, 7), (5, 15)])
def test_the_five_waits(attempts, minutes):
    assert next_attempt(BUSY, attempts, NOON, NOON, 0.5) == Retry(NOON + timedelta(minutes=minutes))


@pytest.mark.parametrize("status", [200, 204, 301, 302, 400, 401, 403, 404, 405, 409, 410, 422])
def test_other_answers_are_not_tried_again(status):
    assert isinstance(next_attempt(Answer(status), 1, NOON, NOON, 0.5), GiveUp)


@pytest.mark.parametrize("status", [408, 429, 500, 501, 502, 503, 504, 529])
def test_busy_and_broken_endpoints_are_tried_again(status):
    assert isinstance(next_attempt(Answer(status), 1, NOON, NOON, 0.5), Retry)


@pytest.mark.parametrize("fault", [Fault.GUARD, Fault.UNUSABLE, Fault.NOT_HTTP])
def test_what_cannot_get_better_is_not_tried_again(fault):
    answer = Answer(599, fault=fault, was_written=False)
    assert next_attempt(answer, 1, NOON, NOON, 0.5) == GiveUp(fault.value)


def test_the_sixth_failure_is_final():
    later = NOON + timedelta(minutes=27)
    assert isinstance(next_attempt(BUSY, 6, NOON, later, 0.5), GiveUp)


def test_an_unreachable_host_goes_on_for_a_day():
    now, attempts, waits = NOON, 1, []
    while isinstance(verdict := next_attempt(UNREACHABLE, attempts, NOON, now, 0.5), Retry):
        waits.append(verdict.due_at - now)
        now, attempts = verdict.due_at, attempts + 1
    assert [wait.total_seconds() / 3600 for wait in waits[5:]] == [1, 2, 4, 8]
    assert now - NOON <= LONG_WINDOW


@given(st.lists(st.floats(0, 1), min_size=5, max_size=5))
def test_the_last_retry_never_comes_before_minute_thirteen(chances):
    now = NOON
    for attempts, chance in enumerate(chances, 1):
        verdict = next_attempt(BUSY, attempts, NOON, now, chance)
        assert isinstance(verdict, Retry)
        now = verdict.due_at
    assert now - NOON >= timedelta(minutes=13)


def test_silence_after_the_request_was_written_gets_the_half_hour_only():
    assert isinstance(next_attempt(SILENT, 6, NOON, NOON + timedelta(minutes=28), 0.5), GiveUp)


def test_a_retry_that_would_start_too_late_starts_at_the_half_hour():
    now = NOON + timedelta(minutes=20)
    assert next_attempt(BUSY, 5, NOON, now, 0.5) == Retry(NOON + SHORT_WINDOW)


def test_a_retry_is_dropped_when_the_attempt_ended_past_the_half_hour():
    assert isinstance(next_attempt(BUSY, 3, NOON, NOON + timedelta(minutes=31), 0.5), GiveUp)


def test_retry_after_in_seconds_is_never_shortened():
    answer = Answer(429, (("Retry-After", "120"),))
    assert next_attempt(answer, 1, NOON, NOON, 0.5) == Retry(NOON + timedelta(seconds=120))


def test_retry_after_does_not_hasten():
    answer = Answer(429, (("Retry-After", "1"),))
    assert next_attempt(answer, 1, NOON, NOON, 0.5) == Retry(NOON + timedelta(seconds=15))


def test_retry_after_may_stretch_past_the_half_hour_but_not_past_a_day():
    hour, week = (Answer(503, (("retry-after", text),)) for text in ("3600", "604800"))
    assert next_attempt(hour, 1, NOON, NOON, 0.5) == Retry(NOON + timedelta(hours=1))
    verdict = next_attempt(week, 1, NOON, NOON, 0.5)
    assert isinstance(verdict, GiveUp)
    assert "past 24 hours" in verdict.text


def test_a_date_is_read_against_the_answers_own_clock():
    skewed = (("Date", "Wed, 06 May 2026 10:00:00 GMT"), ("Retry-After", "Wed, 06 May 2026 10:05:00 GMT"))
    assert retry_after(Answer(503, skewed), NOON) == timedelta(minutes=5)


@pytest.mark.parametrize("value", ["", "-5", "soon", "Wed, 99 Foo 2026", "1e3", "٣", "Wed, 06 May 2020 10:05:00 GMT"])
def test_unreadable_or_past_values_are_ignored(value):
    assert retry_after(Answer(503, (("Retry-After", value),)), NOON) == timedelta()


answers = st.builds(
    Answer,
    status=st.integers(100, 599),
    headers=st.lists(st.tuples(st.just("Retry-After"), st.text(max_size=40)), max_size=2).map(tuple),
    fault=st.sampled_from([None, *Fault]),
    was_written=st.booleans(),
)


@given(answers, st.integers(1, 12), st.integers(0, 90_000), st.floats(0, 1), st.sampled_from([1.0, 0.01]))
def test_a_retry_lies_ahead_and_within_a_day_of_the_first_attempt(answer, attempts, seconds, chance, scale):
    now = NOON + timedelta(seconds=seconds * scale)
    match next_attempt(answer, attempts, NOON, now, chance, scale):
        case Retry(due_at):
            assert due_at >= now or due_at == NOON + SHORT_WINDOW * scale
            assert due_at - NOON <= LONG_WINDOW * scale
            assert answer.is_retryable
        case GiveUp(reason):
            assert reason
