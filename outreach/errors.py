"""What can stop an outreach.

OutreachError
├── NotLaunchable   problems to mend first
├── WrongStatus     the action doesn't fit the status
├── UnusableCall    an API call that can't be carried out
└── NotByCall       an API call for something that is not sent by call
"""

from collections.abc import Sequence

from audience.ingest import ItemError


class OutreachError(Exception):
    """The base of what this app raises."""


class NotLaunchable(OutreachError):
    """The outreach can't start; `problems` has one sentence for each, fit to show."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__(" ".join(problems))
        self.problems = tuple(problems)


class WrongStatus(OutreachError):
    """The action doesn't fit the status, for example stopping a draft; the message says so."""


class UnusableCall(OutreachError):
    """The call says nothing that can be done; `errors` name single recipients."""

    def __init__(self, message: str, errors: Sequence[ItemError] = ()) -> None:
        super().__init__(message)
        self.errors = tuple(errors)


class NotByCall(OutreachError):
    """The outreach is not sent by API call, or is a draft."""
