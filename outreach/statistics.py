"""What rates say: intervals, uplift, tests, which arm is better (campaigns specification, 9 and 10.3). Pure.

Probabilities of Beta posteriors are integrated on a grid instead of drawn: the same figures always give the same
answer, so nothing has to be logged to recompute it, and no draw adds noise.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

Z95 = NormalDist().inv_cdf(0.975)
FEW = 30  # recipients; fewer say too little
_CELLS = 600


@dataclass(frozen=True, slots=True)
class Figures:
    """How many were reached, and how many of them converted."""

    reached: int
    converted: int

    @property
    def rate(self) -> float:
        return self.converted / self.reached if self.reached else 0.0


def wilson(figures: Figures) -> tuple[float, float]:
    """The 95 % interval of a rate (Wilson's score interval)."""
    if not figures.reached:
        return 0.0, 1.0
    n, p, z = figures.reached, figures.rate, Z95
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    spread = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return max(0.0, middle - spread), min(1.0, middle + spread)


def difference(variant: Figures, control: Figures) -> tuple[float, float]:
    """The 95 % interval of variant − control (Newcombe's hybrid score interval, 1998, method 10)."""
    d = variant.rate - control.rate
    (low_v, high_v), (low_c, high_c) = wilson(variant), wilson(control)
    below = math.hypot(variant.rate - low_v, high_c - control.rate)
    above = math.hypot(high_v - variant.rate, control.rate - low_c)
    return d - below, d + above


def uplift(variant: Figures, control: Figures) -> float | None:
    """(variant − control) ÷ control; None where the control's rate is 0."""
    return (variant.rate - control.rate) / control.rate if control.rate else None


def confidence(variant: Figures, control: Figures) -> float:
    """1 − the two-sided p-value of the two-proportion Z test with pooled variance; 0 for equal rates."""
    if not variant.reached or not control.reached:
        return 0.0
    pooled = (variant.converted + control.converted) / (variant.reached + control.reached)
    variance = pooled * (1 - pooled) * (1 / variant.reached + 1 / control.reached)
    if variance <= 0:
        return 0.0
    z = abs(variant.rate - control.rate) / math.sqrt(variance)
    return 1 - 2 * (1 - NormalDist().cdf(z))


def chi_squared_p(one: Figures, other: Figures) -> float:
    """The p-value of Pearson's chi-squared test of two rates, one degree of freedom, without correction.

    The statistic is the square of the two-proportion Z, so this is that test's two-sided p-value.
    """
    return 1 - confidence(one, other)


def winner(arms: Sequence[Figures], least: int = 100) -> int | None:
    """The arm that beats each other arm at p < 0.05, Holm-corrected over its comparisons; None where there is none."""
    if len(arms) < 2 or any(arm.reached < least for arm in arms) or not any(arm.converted for arm in arms):
        return None
    best = max(range(len(arms)), key=lambda index: arms[index].rate)
    others = [arm for index, arm in enumerate(arms) if index != best]
    if any(arm.rate >= arms[best].rate for arm in others):
        return None
    p_values = sorted(chi_squared_p(arms[best], arm) for arm in others)
    pairs = len(arms) * (len(arms) - 1) // 2
    is_clear = all(p * (pairs - place) < 0.05 for place, p in enumerate(p_values))
    return best if is_clear else None


# --- Beta posteriors on a grid


@dataclass(frozen=True, slots=True)
class _Posterior:
    """Probability mass in each cell of a grid, and the share of the mass below each cell's upper edge."""

    mass: list[float]
    below: list[float]


def _posteriors(arms: Sequence[Figures]) -> tuple[float, float, list[_Posterior]]:
    """The grid's lower end and cell width, and Beta(1, 1) updated by each arm's figures."""
    shapes = [(1 + arm.converted, 1 + arm.reached - arm.converted) for arm in arms]
    means = [a / (a + b) for a, b in shapes]
    spreads = [math.sqrt(m * (1 - m) / (a + b + 1)) for m, (a, b) in zip(means, shapes, strict=True)]
    low = max(0.0, min(m - 8 * s for m, s in zip(means, spreads, strict=True)))
    high = min(1.0, max(m + 8 * s for m, s in zip(means, spreads, strict=True)))
    width = (high - low) / _CELLS
    return low, width, [_posterior(a, b, low, width) for a, b in shapes]


def _posterior(a: int, b: int, low: float, width: float) -> _Posterior:
    points = [low + (cell + 0.5) * width for cell in range(_CELLS)]
    logs = [(a - 1) * math.log(x) + (b - 1) * math.log1p(-x) for x in points]
    top = max(logs)
    mass = [math.exp(value - top) for value in logs]
    total = sum(mass)
    mass = [value / total for value in mass]
    below, so_far = [], 0.0
    for value in mass:
        so_far += value
        below.append(so_far)
    return _Posterior(mass, below)


def chances_of_being_best(arms: Sequence[Figures]) -> list[float]:
    """For each arm, the probability that its rate is the highest. They add up to 1."""
    _low, _width, posteriors = _posteriors(arms)
    found = []
    for index, own in enumerate(posteriors):
        others = [posterior for place, posterior in enumerate(posteriors) if place != index]
        total = 0.0
        for cell, mass in enumerate(own.mass):
            if mass > 1e-15:
                total += mass * math.prod(o.below[cell] - o.mass[cell] / 2 for o in others)
        found.append(total)
    whole = sum(found)
    return [chance / whole for chance in found]


def chance_of_little_left(arms: Sequence[Figures], best: int, tolerance: float) -> float:
    """The probability that no arm's rate exceeds (1 + tolerance) × the best arm's: what a change could still gain."""
    low, width, posteriors = _posteriors(arms)
    others = [posterior for place, posterior in enumerate(posteriors) if place != best]
    total = 0.0
    for cell, mass in enumerate(posteriors[best].mass):
        if mass > 1e-15:
            reach = ((low + (cell + 0.5) * width) * (1 + tolerance) - low) / width
            total += mass * math.prod(_mass_below(o, reach) for o in others)
    return total


def _mass_below(posterior: _Posterior, reach: float) -> float:
    cell = int(reach)
    if cell >= _CELLS:
        return 1.0
    return posterior.below[cell] - posterior.mass[cell] * (1 - (reach - cell))


def evidence(one: Figures, other: Figures) -> float:
    """How many times likelier the figures are if the rates differ: a mixture likelihood ratio.

    Under equal rates it exceeds 1/a with a probability of at most a, however often one looks (Robbins 1970; Johari,
    Pekelis and Walsh 2015), which a p-value does not offer. The alternative's spread is a third of the common rate.
    """
    if not one.reached or not other.reached:
        return 1.0
    pooled = (one.converted + other.converted) / (one.reached + other.reached)
    variance = pooled * (1 - pooled) * (1 / one.reached + 1 / other.reached)
    if variance <= 0:
        return 1.0
    spread = (pooled / 3) ** 2
    z_squared = (one.rate - other.rate) ** 2 / variance
    share = spread / (variance + spread)
    return math.sqrt(variance / (variance + spread)) * math.exp(min(700.0, z_squared * share / 2))
