"""Simulated tests with known rates. Each recalculation sees everything so far; the batch between two is 250 sends."""

import math
import random
from statistics import mean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach import selection
from outreach.statistics import Figures

RECEIPTS, BATCH, SEEDS = 10_000, 250, 200


def simulate(rates: tuple[float, ...], seed: int) -> tuple[float, int | None, int]:
    """The share of the last half that the best arm got, the winner, and the recalculation at which it came."""
    chance = random.Random(seed)
    reached, converted, late = [0] * len(rates), [0] * len(rates), [0] * len(rates)
    choice, ended = selection.start(len(rates)), 0
    for number in range(RECEIPTS // BATCH):
        for arm in chance.choices(range(len(rates)), choice.weights, k=BATCH):
            reached[arm] += 1
            converted[arm] += chance.random() < rates[arm]
            late[arm] += number >= RECEIPTS // BATCH // 2
        if choice.winner is None:
            choice = selection.choose([Figures(*pair) for pair in zip(reached, converted, strict=True)])
            ended = number
    best = max(range(len(rates)), key=lambda index: rates[index])
    return late[best] / sum(late), choice.winner, ended


def test_the_better_arm_gets_most_of_the_second_half():
    results = [simulate((0.05, 0.10), seed) for seed in range(SEEDS)]
    shares = [share for share, _, _ in results]
    assert mean(shares) >= 0.9
    assert sum(share >= 0.7 for share in shares) >= 0.95 * SEEDS
    assert not [winner for _, winner, _ in results].count(0)


def test_equal_arms_seldom_have_a_winner():
    wrong = sum(simulate((0.05, 0.05), seed)[1] is not None for seed in range(SEEDS))
    assert wrong / SEEDS <= 0.05 + 2 * math.sqrt(0.05 * 0.95 / SEEDS)


def test_four_equal_arms_seldom_have_a_winner():
    wrong = sum(simulate((0.08,) * 4, seed)[1] is not None for seed in range(50))
    assert wrong / 50 <= 0.05 + 2 * math.sqrt(0.05 * 0.95 / 50)


def test_the_better_arm_has_nine_tenths_within_twenty_recalculations():
    good = 0
    for seed in range(100):
        chance, reached, converted = random.Random(seed), [0, 0], [0, 0]
        choice = selection.start(2)
        for _ in range(20):
            for arm in chance.choices((0, 1), choice.weights, k=BATCH):
                reached[arm] += 1
                converted[arm] += chance.random() < (0.05, 0.10)[arm]
            choice = selection.choose([Figures(*pair) for pair in zip(reached, converted, strict=True)])
        good += choice.weights[1] > 900
    assert good >= 95


@given(st.lists(st.tuples(st.integers(0, 5000), st.floats(0, 1)), min_size=2, max_size=8))
def test_weights_always_add_up_and_keep_the_floor(arms):
    figures = [Figures(reached, int(reached * share)) for reached, share in arms]
    choice = selection.choose(figures)
    assert sum(choice.weights) == 1000
    assert choice.winner is not None or min(choice.weights) >= selection.FLOOR


@pytest.mark.parametrize("count", range(1, 9))
def test_it_starts_with_equal_shares(count):
    weights = selection.start(count).weights
    assert sum(weights) == 1000
    assert max(weights) - min(weights) < 10
