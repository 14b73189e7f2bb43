from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from outreach.caps import Rule, Unit, refusing

SEOUL = ZoneInfo("Asia/Seoul")
NOW = datetime(2026, 5, 6, 14, 30, tzinfo=UTC)  # 23:30 in Seoul


def test_a_day_is_today_on_the_profiles_clock():
    assert Rule(1, 1, 1, Unit.DAYS).since(NOW, SEOUL) == datetime(2026, 5, 6, tzinfo=SEOUL)
    assert Rule(1, 1, 2, Unit.DAYS).since(NOW, SEOUL) == datetime(2026, 5, 5, tzinfo=SEOUL)
    assert Rule(1, 1, 1, Unit.WEEKS).since(NOW, SEOUL) == datetime(2026, 4, 30, tzinfo=SEOUL)


def test_minutes_are_rolling():
    assert Rule(1, 1, 90, Unit.MINUTES).since(NOW, SEOUL) == NOW - timedelta(minutes=90)


def test_the_strictest_rule_that_covers_it_refuses():
    general, tagged = Rule(1, 3, 1, Unit.DAYS), Rule(2, 1, 1, Unit.DAYS, frozenset({7, 8}))
    assert refusing([general, tagged], [8], {1: 1, 2: 1}) == tagged
    assert refusing([general, tagged], [9], {1: 1, 2: 1}) is None
    assert refusing([general, tagged], [], {1: 3, 2: 0}) == general


@given(
    st.integers(1, 30),
    st.sampled_from(["Pacific/Apia", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "UTC"]),
    st.datetimes(datetime(2025, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)),
)
def test_a_window_of_days_begins_at_a_local_midnight_that_many_days_ago(days, zone, now):
    zone = ZoneInfo(zone)
    since = Rule(1, 1, days, Unit.DAYS).since(now, zone)
    assert since <= now
    assert (now.astimezone(zone).date() - since.astimezone(zone).date()).days == days - 1
    assert (since - timedelta(seconds=1)).astimezone(zone).date() < since.astimezone(zone).date()
