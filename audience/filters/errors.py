"""What can be wrong with a filter tree."""

from collections.abc import Sequence
from typing import NamedTuple


class Problem(NamedTuple):
    """One thing to mend. `path` leads to it through the tree, for example `("all", 1, "values")`."""

    path: tuple[str | int, ...]
    sentence: str


class InvalidFilter(ValueError):
    """A filter tree can't be used; `problems` says where and why, in sentences fit to show beside the field."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("; ".join(problem.sentence for problem in problems))
        self.problems = tuple(problems)
