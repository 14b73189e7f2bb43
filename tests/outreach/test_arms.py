from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach import arms
from outreach.plan import sample

shares = st.integers(1, 9).map(arms.even_shares)


@given(st.integers(1, 2**62), st.integers(1, 2**31), shares)
def test_a_profile_keeps_its_arm(profile, outreach, split):
    arm = arms.pick(profile, outreach, split)
    assert arm == arms.pick(profile, outreach, split)
    assert split[arm] > 0


def test_an_arm_without_a_share_gets_nobody():
    assert {arms.pick(profile, 7, [0, 100, 0]) for profile in range(2_000)} == {1}


def test_shares_are_met_within_four_standard_deviations():
    counts = Counter(arms.pick(profile, 11, [20, 30, 50]) for profile in range(100_000))
    for arm, share in enumerate([0.2, 0.3, 0.5]):
        deviation = (100_000 * share * (1 - share)) ** 0.5
        assert abs(counts[arm] - 100_000 * share) < 4 * deviation


def test_two_outreach_split_differently():
    assert [arms.slot_of(p, 1) for p in range(50)] != [arms.slot_of(p, 2) for p in range(50)]


def test_even_shares_give_the_first_ones_the_extra_per_cent():
    assert arms.even_shares(7) == [15, 15, 14, 14, 14, 14, 14]


def test_shares_that_do_not_add_up_are_refused():
    with pytest.raises(ValueError, match="97"):
        [arms.pick(profile, 1, [50, 47]) for profile in range(1_000)]


@given(st.sets(st.integers(1, 10_000), max_size=200), st.integers(0, 300))
def test_a_sample_is_stable_sorted_and_not_the_first_ids(ids, limit):
    chosen = sample(ids, 3, limit)
    assert chosen == sorted(sample(sorted(ids, reverse=True), 3, limit))
    assert set(chosen) <= ids
    assert len(chosen) == min(limit, len(ids))
