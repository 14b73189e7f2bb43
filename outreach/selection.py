"""Intelligent selection: which share each arm gets next, and when it is over (campaigns specification, 9.4). Pure.

Thompson sampling: an arm's share is the probability that it is the best one. Instead of drawing from the posteriors
and counting, the probability is integrated (`statistics.chances_of_being_best`): that is what infinitely many draws
would give, it is the same every time, and it needs no seed in the log.

It ends when two things hold: with 95 % certainty going on could gain no more than 1 % of the best rate, and each other
arm is beaten with evidence that holds however often one looks. The first alone would crown one of two equal arms in
about a third of all cases, because it is asked again and again.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from outreach.statistics import FEW, Figures, chance_of_little_left, chances_of_being_best, evidence

FLOOR = 10  # per mille: no arm below 1 % until the end
TOLERANCE = 0.01
CERTAIN = 0.95
FALSE_WINNERS = 0.05


@dataclass(frozen=True, slots=True)
class Choice:
    """Weights in per mille that add up to 1000, and the arm that has won, if it is over."""

    weights: tuple[int, ...]
    winner: int | None = None


def start(count: int) -> Choice:
    """Equal shares."""
    return Choice(_in_per_mille([1.0] * count))


def choose(arms: Sequence[Figures]) -> Choice:
    """The shares that the figures so far ask for. Too few recipients in any arm: equal shares."""
    if len(arms) < 2 or any(arm.reached < FEW for arm in arms):
        return start(len(arms))
    chances = chances_of_being_best(arms)
    best = max(range(len(arms)), key=lambda index: chances[index])
    if is_over(arms, best):
        return Choice(tuple(1000 * (index == best) for index in range(len(arms))), best)
    return Choice(_in_per_mille(chances))


def is_over(arms: Sequence[Figures], best: int) -> bool:
    """Whether more testing would gain little, and the best arm is the best beyond chance."""
    others = [arm for index, arm in enumerate(arms) if index != best]
    needed = len(others) / FALSE_WINNERS
    if any(arm.rate >= arms[best].rate or evidence(arms[best], arm) < needed for arm in others):
        return False
    return chance_of_little_left(arms, best, TOLERANCE) >= CERTAIN


def _in_per_mille(chances: Sequence[float]) -> tuple[int, ...]:
    """Whole per mille, none below the floor, adding up to 1000; the largest takes what rounding leaves."""
    free = 1000 - FLOOR * len(chances)
    weights = [FLOOR + int(free * chance / sum(chances)) for chance in chances]
    weights[max(range(len(weights)), key=lambda index: weights[index])] += 1000 - sum(weights)
    return tuple(weights)
