from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach import arms
from outreach.arms import Arm, Kept, arm_for

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


CONTROL, A, B = Arm(1, 20, is_control=True), Arm(2, 50), Arm(3, 30)
slots = st.integers(0, 99)


@given(slots)
def test_control_stays_control_whatever_its_share(slot):
    assert arm_for([Arm(1, 5, is_control=True), Arm(2, 95)], slot, Kept(1, 20)).id == 1


@given(slots)
def test_an_arm_with_the_same_share_keeps_its_people(slot):
    assert arm_for([Arm(1, 10, is_control=True), A, Arm(3, 40)], slot, Kept(2, 50)).id == 2


@given(slots)
def test_a_changed_or_removed_arm_gives_people_the_arm_of_their_hash(slot):
    layout = [Arm(1, 10, is_control=True), Arm(2, 60), Arm(4, 30)]
    for kept in (Kept(2, 50), Kept(3, 30)):
        assert arm_for(layout, slot, kept) == arm_for(layout, slot, None)


@given(slots, st.none() | st.integers(0, 999))
def test_who_has_received_something_never_enters_control(slot, draw):
    found = arm_for([CONTROL, A, B], slot, Kept(9, 100), has_received=True, draw=draw)
    assert not found.is_control


@given(slots)
def test_when_control_is_removed_its_people_become_ordinary(slot):
    assert arm_for([Arm(2, 60), Arm(3, 40)], slot, Kept(1, 20)).id == (2 if slot < 60 else 3)


@given(slots)
def test_a_test_holds_back_what_is_past_its_shares(slot):
    found = arm_for([Arm(1, 10, is_control=True), Arm(2, 30), Arm(3, 30)], slot, None)
    assert (found is None) == (slot >= 70)


def test_a_selection_places_people_by_weight_and_leaves_control_alone():
    layout = [Arm(1, 20, is_control=True), Arm(2, 40, weight=900), Arm(3, 40, weight=100)]
    counts = Counter(arm_for(layout, slot, None, draw=draw).id for slot in range(100) for draw in range(0, 1000, 10))
    assert counts == {1: 2_000, 2: 7_200, 3: 800}
