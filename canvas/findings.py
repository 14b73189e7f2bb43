"""One thing that stands in the way of a launch, or is to be read before it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """A sentence, and the step it is about (0: the Canvas); `field` is the form field of that step."""

    text: str
    step: int = 0
    field: str = ""
