"""One thing to mend in a step."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """A sentence, and the form field it stands at (empty: the step as a whole)."""

    text: str
    field: str = ""
