"""Known data sets, with figures from textbooks and papers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach import statistics
from outreach.statistics import Figures


def test_a_chi_squared_test_gives_the_textbook_p_value():
    # 2 × 2 table (90, 60 | 60, 90): chi-squared = 12, p = 0.000532
    assert statistics.chi_squared_p(Figures(150, 90), Figures(150, 60)) == pytest.approx(0.000532, abs=1e-6)


def test_the_difference_of_two_rates_has_newcombes_interval():
    # Newcombe 1998, table II, example (a): 56/70 − 48/80, method 10: 0.0524 to 0.3339
    low, high = statistics.difference(Figures(70, 56), Figures(80, 48))
    assert (low, high) == (pytest.approx(0.0524, abs=5e-5), pytest.approx(0.3339, abs=5e-5))
    # example (b): 9/10 − 3/10: 0.1705 to 0.8090
    low, high = statistics.difference(Figures(10, 9), Figures(10, 3))
    assert (low, high) == (pytest.approx(0.1705, abs=5e-5), pytest.approx(0.8090, abs=5e-5))


def test_uplift_is_relative_to_the_control_and_unknown_without_its_conversions():
    assert statistics.uplift(Figures(100, 12), Figures(100, 10)) == pytest.approx(0.2)
    assert statistics.uplift(Figures(100, 12), Figures(100, 0)) is None


def test_equal_rates_give_no_confidence():
    assert statistics.confidence(Figures(100, 10), Figures(200, 20)) == 0


@pytest.mark.parametrize(
    ("arms", "expected"),
    [
        ([(1000, 100), (1000, 50)], 0),
        ([(1000, 52), (1000, 50)], None),  # too close
        ([(99, 60), (1000, 50)], None),  # fewer than 100 in an arm
        ([(1000, 0), (1000, 0)], None),  # nobody converted
        ([(1000, 100), (1000, 100), (1000, 10)], None),  # a tie at the top
        ([(1000, 70), (1000, 45), (1000, 49)], None),  # 0.016 and 0.047: three comparisons need 0.0167 and 0.025
    ],
)
def test_a_winner_beats_every_other_arm_beyond_chance(arms, expected):
    assert statistics.winner([Figures(*arm) for arm in arms]) == expected


@given(st.lists(st.tuples(st.integers(1, 3000), st.floats(0, 1)), min_size=2, max_size=5))
def test_chances_of_being_best_are_probabilities(arms):
    chances = statistics.chances_of_being_best([Figures(n, int(n * share)) for n, share in arms])
    assert sum(chances) == pytest.approx(1)
    assert all(0 <= chance <= 1 for chance in chances)


def test_equal_figures_are_equally_likely_the_best():
    assert statistics.chances_of_being_best([Figures(500, 50)] * 4) == pytest.approx([0.25] * 4, abs=1e-6)


def test_the_exact_chance_of_two_small_posteriors():
    # Beta(2, 1) against Beta(1, 1): P = 2/3
    assert statistics.chances_of_being_best([Figures(1, 1), Figures(0, 0)])[0] == pytest.approx(2 / 3, abs=1e-4)
