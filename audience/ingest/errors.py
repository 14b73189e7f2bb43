"""What is refused on the way in, and how it is told."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ItemError:
    """One entry of the answer's `errors`. `index` counts from 0 inside the list that `input_array` names."""

    type: str
    input_array: str
    index: int


class Refused(ValueError):
    """The whole object is left out; the message says why."""


class NotStored(ValueError):
    """One attribute stays as it was; the message says why. The rest of the object goes on."""


def required(field: str) -> str:
    return f"'{field}' is required"


def not_valid(field: str) -> str:
    return f"'{field}' is not valid"
