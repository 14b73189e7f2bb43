"""Why a file can't be taken in."""

from collections.abc import Sequence


class BadFile(Exception):
    """Nothing was made. `problems` has one sentence for each, with its place in the file."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)
