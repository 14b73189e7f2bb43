"""Near matches for a name that does not exist."""

from collections.abc import Iterable
from difflib import get_close_matches


def near(name: str, known: Iterable[str]) -> str | None:
    """The known name that this one was probably meant to be."""
    found = get_close_matches(name, list(known), n=1, cutoff=0.7)
    return found[0] if found else None


def instead(name: str, known: Iterable[str]) -> str:
    """A tail for a sentence: "; did you mean 'x'?", or nothing."""
    match = near(name, known)
    return f"; did you mean '{match}'?" if match else ""
