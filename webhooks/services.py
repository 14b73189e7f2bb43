"""What templates ask for while they are rendered: Content Blocks, credentials, catalogs, codes, Connected Content.

A batch's templates are known before it is rendered, so `Shelf.lay_out` reads what they need in a few queries; then only
catalog items not seen before and promotion codes ask the database once more, each when its tag is reached.
"""

import json
import uuid
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from django.conf import settings

from audience.models import SubscriptionState
from webhooks import catalogs, health, identity, promotions, tokens, trust
from webhooks.answers import SharedAnswers
from webhooks.egress import Guard
from webhooks.liquid import ConnectedContentCall, LiquidSyntaxProblem, Services, Template, parse
from webhooks.liquid.connected import ConnectedContent, StoredCredential
from webhooks.models import Catalog, CatalogSelection, ContentBlock, Promotion
from workspace import queues, secrets
from workspace.models import Credential, Workspace

SAMPLE_CODE = "SAMPLE-CODE"  # what previews and test sends show instead of taking one
DEEPEST = 2  # blocks in blocks
_ITEMS_KEPT = 20_000
_CATALOG_TAGS = frozenset({"catalog_items", "catalog_selection_items"})
_CONNECTED = "connected_content"
Translations = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Needs:
    """What templates mention of the world outside of the profile. Nothing: rendering asks for nothing."""

    blocks: frozenset[str] = frozenset()
    credentials: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    tags: frozenset[str] = frozenset()

    @classmethod
    def of(cls, templates: Iterable[Template]) -> "Needs":
        found = cls()
        for template in templates:
            uses = template.uses
            blocks = frozenset(name for name, _ in uses.blocks)
            tags = uses.tags & (_CATALOG_TAGS | {_CONNECTED, "promotion", "translation"})
            found |= cls(blocks, uses.of("credentials"), uses.of("subscribed_state") - {"email_global"}, tags)
        return found

    def __or__(self, other: "Needs") -> "Needs":
        return Needs(
            self.blocks | other.blocks,
            self.credentials | other.credentials,
            self.groups | other.groups,
            self.tags | other.tags,
        )

    def __bool__(self) -> bool:
        return bool(self.blocks or self.credentials or self.groups or self.tags)


@dataclass(slots=True)
class Supply:
    """What one batch's templates may ask for, read at one moment."""

    now: datetime
    blocks: dict[str, str] = field(default_factory=dict)
    credentials: dict[str, Credential] = field(default_factory=dict)
    states: dict[tuple[int, str], str] = field(default_factory=dict)
    catalogs: "_Catalogs | None" = None
    connected: ConnectedContent | None = None
    needs_token: bool = False

    def services(self, message: int | None, profile_id: int, translations: Translations) -> Services:
        """For one message. Without a message's id promotion codes are samples, and none is taken."""
        return Services(
            content_block=self.blocks.get,
            credential=self._text_of,
            connected_content=self.connected,
            forget=self.connected.forget if self.connected else None,
            token_call=self._token_call if self.needs_token else None,
            is_slow=self.needs_token,
            catalog_items=self.catalogs.items if self.catalogs else None,
            catalog_selection=self.catalogs.selection if self.catalogs else None,
            promotion=self._codes_for(message),
            translation=(lambda id, language: translations.get(language, {}).get(id)) if translations else None,
            subscription=lambda group: self.states.get((profile_id, group.lower())),
        )

    def _codes_for(self, message: int | None) -> Callable[[str], str | None]:
        if message is None:
            return lambda name: SAMPLE_CODE
        return lambda name: promotions.take(name, message, self.now)

    def _token_call(self, name: str) -> ConnectedContentCall | None:
        found = self.credentials.get(name)
        return tokens.call(found) if found and found.kind == Credential.Kind.OAUTH2 else None

    def _text_of(self, name: str) -> str | None:
        found = self.credentials.get(name)
        return secrets.unseal(found.sealed_value) if found and found.kind == Credential.Kind.TEXT else None


class Shelf:
    """Reads what templates need. One for a process; it remembers catalog items by their catalog's version.

    `is_sending` where what is called counts for the health of its host, and a halted one is not called.
    """

    def __init__(self, guard: Guard, *, is_sending: bool = False) -> None:
        self._guard, self._is_sending = guard, is_sending
        self._items: OrderedDict[tuple[int, int, str], dict[str, Any] | None] = OrderedDict()

    @cached_property
    def _workspace(self) -> str:
        return str(Workspace.current().key)

    def lay_out(self, needs: Needs, profiles: Collection[int], now: datetime) -> Supply:
        """At most five queries, fewer for what is not needed; Content Blocks in blocks take one more."""
        supply = Supply(now)
        supply.blocks, inner = _blocks(needs.blocks)
        needs |= inner
        if needs.credentials or _CONNECTED in needs.tags:
            supply.credentials = {found.name: found for found in Credential.objects.all()}
        if needs.groups:
            supply.states = _states(profiles, needs.groups)
        if needs.tags & _CATALOG_TAGS:
            supply.catalogs = _Catalogs(self._items)
        asked = [found for name in needs.credentials if (found := supply.credentials.get(name))]
        supply.needs_token = any(found.kind == Credential.Kind.OAUTH2 for found in asked)
        if _CONNECTED in needs.tags or supply.needs_token:
            supply.connected = self._connected(supply.credentials)
        return supply

    def _connected(self, credentials: Mapping[str, Credential]) -> ConnectedContent:
        return ConnectedContent(
            refusal=self._guard.refusal,
            user_agent=identity.USER_AGENT,
            workspace=self._workspace,
            cache=SharedAnswers(queues.connection),
            credential=lambda name: _stored(credentials.get(name)),
            more_ports=self._guard.ports - {80, 443},
            is_halted=health.refuses_calls if self._is_sending else None,
            note=health.note_call if self._is_sending else None,
            ca_file=trust.ca_file(),
            proxy=settings.WEBHOOK_PROXY,
        )


def _blocks(names: frozenset[str]) -> tuple[dict[str, str], Needs]:
    """The text of these blocks and of those in them, and what all of them need."""
    texts: dict[str, str] = {}
    needs = Needs()
    for _ in range(DEEPEST):
        if not (missing := names - texts.keys()):
            break
        found = dict(usable_blocks().filter(name__in=missing).values_list("name", "content"))
        texts |= found
        inner = Needs.of(filter(None, map(_read, found.values())))
        needs, names = needs | inner, inner.blocks
    return texts, needs


def usable_blocks() -> Any:
    """Content Blocks that messages may print: all but drafts. An archived one goes on working where it is used."""
    return ContentBlock.objects.exclude(state=ContentBlock.State.DRAFT)


def _read(source: str) -> Template | None:
    try:
        return parse(source)
    except LiquidSyntaxProblem:
        return None  # the message says so when it gets there


def _states(profiles: Collection[int], groups: Iterable[str]) -> dict[tuple[int, str], str]:
    keys = [key for group in groups if (key := _uuid(group))]
    rows = SubscriptionState.objects.filter(profile_id__in=profiles, group__key__in=keys)
    return {(row[0], str(row[1])): row[2] for row in rows.values_list("profile_id", "group__key", "state")}


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def _stored(found: Credential | None) -> StoredCredential | None:
    """A credential as Connected Content uses it; None for one of another kind."""
    if found is None or found.kind not in Credential.FOR_CALLS:
        return None
    plain, domain = secrets.unseal(found.sealed_value), found.domain or None
    if found.kind == Credential.Kind.BASIC:
        user, _, password = plain.partition(":")
        return StoredCredential(domain, user, password)
    return StoredCredential(domain, headers=tuple((name, value) for name, value in json.loads(plain)))


class _Catalogs:
    """Catalogs as they are now: versions read once, items kept by version."""

    def __init__(self, kept: OrderedDict[tuple[int, int, str], dict[str, Any] | None]) -> None:
        self._kept = kept
        self._versions = {name: (id, version) for name, id, version in _versions()}
        self._selections: dict[tuple[str, str], list[dict[str, Any]] | None] = {}

    def items(self, catalog: str, ids: Sequence[str]) -> list[dict[str, Any]] | None:
        if catalog not in self._versions:
            return None
        id, version = self._versions[catalog]
        keys = [(id, version, item) for item in ids]
        if missing := [key for key in keys if key not in self._kept]:
            found = catalogs.items(id, {item for _, _, item in missing})
            self._kept.update({key: found.get(key[2]) for key in missing})
        items = [item for key in keys if (item := self._kept.get(key)) is not None]
        while len(self._kept) > _ITEMS_KEPT:
            self._kept.popitem(last=False)
        return items

    def selection(self, catalog: str, name: str) -> list[dict[str, Any]] | None:
        if (catalog, name) not in self._selections:
            found = CatalogSelection.objects.filter(catalog__name=catalog, name=name).first()
            self._selections[catalog, name] = catalogs.selected(found) if found else None
        return self._selections[catalog, name]


def _versions() -> Iterable[tuple[str, int, int]]:
    return Catalog.objects.values_list("name", "id", "version")


def known() -> Services:
    """What exists, for the check before saving: each name asked for is one query. Nothing is fetched or taken."""
    return Services(
        content_block=lambda name: (
            usable_blocks()
            .exclude(state=ContentBlock.State.ARCHIVED)
            .filter(name=name)
            .values_list("content", flat=True)
            .first()
        ),
        credential=lambda name: (
            "known" if Credential.objects.filter(name=name, kind__in=Credential.PRINTABLE).exists() else None
        ),
        catalog_items=lambda catalog, ids: [] if Catalog.objects.filter(name=catalog).exists() else None,
        catalog_selection=lambda catalog, name: (
            [] if CatalogSelection.objects.filter(catalog__name=catalog, name=name).exists() else None
        ),
        is_promotion=lambda name: Promotion.objects.filter(name=name).exists(),
        is_credential=lambda name: Credential.objects.filter(name=name, kind__in=Credential.FOR_CALLS).exists(),
    )
