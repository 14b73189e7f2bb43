"""What can stop an outreach.

OutreachError
├── NotLaunchable   problems to mend first
└── WrongStatus     the action doesn't fit the status
"""

from collections.abc import Sequence


class OutreachError(Exception):
    """The base of what this app raises."""


class NotLaunchable(OutreachError):
    """The outreach can't start; `problems` has one sentence for each, fit to show."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__(" ".join(problems))
        self.problems = tuple(problems)


class WrongStatus(OutreachError):
    """The action doesn't fit the status, for example stopping a draft; the message says so."""
