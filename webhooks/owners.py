"""Who a content belongs to (a campaign's variant, a Canvas step, a template), told by the apps that know.

The composer asks: where is the way back, what is it called, and may it be edited?
"""

from collections.abc import Callable
from dataclasses import dataclass

from webhooks.models import Content


@dataclass(frozen=True)
class Owner:
    """`title` says what the content is part of; `url` is that page; `is_locked` forbids edits, for the reason given.

    `teams` are the ids of the teams it belongs to: for others it does not exist.
    """

    title: str
    url: str
    is_locked: bool = False
    reason: str = ""
    teams: frozenset[int] = frozenset()


finders: list[Callable[[Content], Owner | None]] = []


def of(content: Content) -> Owner | None:
    """The owner, or None for a content that nothing uses yet."""
    return next((owner for finder in finders if (owner := finder(content))), None)
