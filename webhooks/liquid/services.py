"""What rendering needs from outside, as plain callables handed in with the data, and what passes between.

This module and those that use it import neither the database nor the network.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

NO_ANSWER = 599
"""The status recorded where a call brought no answer at all."""
HALTED = 598
"""The status recorded where calls to a host are halted."""
NOT_MADE = 0
"""The status recorded where the call was refused before anything was sent; trying again would not help."""


@dataclass(frozen=True, slots=True)
class ConnectedContentCall:
    """One request a template makes. Calls that are equal within a message are made once.

    `headers` are pairs in the author's order, without the content type; `cache_seconds` is None where the answer may
    be cached for the usual time only (GET), and is already within its bounds. `credential` is the name of stored
    values, `is_basic` whether they are a user and password or header pairs.
    """

    url: str
    method: str = "GET"
    headers: tuple[tuple[str, str], ...] = ()
    body: str | None = None
    content_type: str = "application/json"
    accept: str = "*/*"
    credential: str | None = None
    is_basic: bool = False
    cache_seconds: int | None = None
    is_uncached: bool = False
    is_for_token: bool = False  # OAuth 2 client credentials: kept for three quarters of the token's life


@dataclass(frozen=True, slots=True)
class ConnectedContentAnswer:
    """What came back. `status` is 599 where nothing did, 598 where the host is halted; `failure` says why, in words.

    An answer with a 2xx status and no `failure` is good; any other leaves the variable nil. `seconds` is how long it
    took, for the log.
    """

    status: int
    text: str = ""
    failure: str = ""
    is_cached: bool = False
    seconds: float = 0.0

    @property
    def is_good(self) -> bool:
        return 200 <= self.status < 300 and not self.failure

    @property
    def may_pass(self) -> bool:
        """Whether trying again later makes sense: no answer, 408, 429 and 5xx."""
        return self.status in (408, 429) or self.status >= 500


@dataclass(frozen=True, slots=True)
class Services:
    """Everything optional: what is absent behaves as if nothing of that kind existed.

    `content_block` and `credential` give a text by name, None for an unknown one. `catalog_items(catalog, ids)` gives
    the objects found, in the order asked; `catalog_selection(catalog, selection)` those of a selection, in its order;
    None means that there is no such catalog or selection. `promotion(list)` takes a code, None where there is none
    left. `translation(id, language)` gives the text for exactly that language, in the form `pt-br` or `pt`.
    `subscription` knows the ids of groups, and may know `email_global`. `connected_content` may raise Aborted, nothing
    else; `forget` drops a cached answer. `token_call` gives the call that brings a credential's token, None for a plain
    one; `is_slow` where rendering may wait for one. `is_promotion` and `is_credential` (of Connected Content) say
    before saving what exists.
    """

    content_block: Callable[[str], str | None] | None = None
    credential: Callable[[str], str | None] | None = None
    connected_content: Callable[[ConnectedContentCall], ConnectedContentAnswer] | None = None
    catalog_items: Callable[[str, Sequence[str]], Sequence[Mapping[str, object]] | None] | None = None
    catalog_selection: Callable[[str, str], Sequence[Mapping[str, object]] | None] | None = None
    promotion: Callable[[str], str | None] | None = None
    translation: Callable[[str, str], str | None] | None = None
    subscription: Callable[[str], str | None] | None = None
    forget: Callable[[ConnectedContentCall], None] | None = None
    token_call: Callable[[str], ConnectedContentCall | None] | None = None
    is_slow: bool = False
    is_promotion: Callable[[str], bool] | None = None
    is_credential: Callable[[str], bool] | None = None
