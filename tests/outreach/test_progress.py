import pytest

from outreach import progress
from outreach.progress import Progress


def test_the_rate_is_the_difference_between_looks():
    assert progress.rate([(10.0, 500), (5.0, 300), (0.0, 0)], 10.0) == 50.0


@pytest.mark.parametrize("looks", [[], [(10.0, 500)], [(10.0, 500), (9.5, 400)], [(100.0, 5), (1.0, 0)]])
def test_there_is_no_rate_from_one_look_or_from_old_ones(looks):
    assert progress.rate(looks, looks[0][0] if looks else 0.0) is None


def test_a_send_that_shrank_does_not_go_backwards():
    assert progress.rate([(10.0, 100), (0.0, 300)], 10.0) == 0.0


@pytest.mark.parametrize(("ended", "percent"), [(0, 0), (999, 99), (1000, 100)])
def test_only_the_last_message_makes_it_a_hundred(ended, percent):
    assert Progress(1000, ended).percent == percent


def test_the_time_left_follows_from_the_rate():
    assert Progress(1_000, 400, 10.0).left == "60 seconds"
    assert Progress(1_000_000, 400, 100.0).left == "3 hours"
    assert Progress(1_000, 400, None).left == ""
    assert Progress(1_000, 400, 0.0).left == ""


def test_looks_are_shared_through_redis(valkey):
    assert progress.of(7, {"planned": 100, "received": 10}, 1_000.0).per_second is None
    assert progress.of(7, {"planned": 100, "received": 60}, 1_010.0).per_second == 5.0
