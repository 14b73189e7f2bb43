"""A content read once: its Liquid parsed, its languages laid out. Rendering then only fills it in."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from webhooks.liquid import Template, parse
from webhooks.models import Content, ContentOverride, Method
from webhooks.models.content import PairType
from webhooks.services import Needs, Translations
from webhooks.success import Condition, condition_of
from workspace import secrets


@dataclass(frozen=True, slots=True)
class Pair:
    key: Template
    value: Template
    kind: str
    omits_blank: bool


@dataclass(frozen=True, slots=True)
class Wording:
    """What a language changes: URL and body."""

    url: Template
    pairs: tuple[Pair, ...]
    raw: Template


@dataclass(frozen=True, slots=True)
class Header:
    name: str
    value: Template
    is_secret: bool


@dataclass(frozen=True, slots=True)
class Compiled:
    """A content with its Liquid parsed. `wordings` by lower-case language; "" is the default."""

    method: str
    body_kind: str
    sends_body: bool
    headers: tuple[Header, ...]
    wordings: Mapping[str, Wording]
    secrets: tuple[str, ...]
    needs: Needs
    translations: Translations
    condition: Condition | None = None
    certificate: str = ""  # PEM blocks of a client certificate and its key

    @property
    def changing_headers(self) -> tuple[Header, ...]:
        """Those that hold Liquid."""
        return tuple(header for header in self.headers if not header.value.is_static)

    @property
    def templates(self) -> list[Template]:
        """Every text of it."""
        return _templates(self.headers, self.wordings.values())

    def wording(self, language: str) -> Wording:
        """Exact locale, then base language, then default; case and `_`/`-` don't matter (campaigns, section 14)."""
        tag = language.replace("_", "-").lower()
        return self.wordings.get(tag) or self.wordings.get(tag.partition("-")[0]) or self.wordings[""]


def compile_content(content: Content, overrides: Iterable[ContentOverride] | None = None) -> Compiled:
    """Parse every field of a content and its overrides (those of the database unless given).

    Raises LiquidSyntaxProblem.
    """
    default = Wording(parse(content.url), _pairs(content.pairs), parse(content.raw_body))
    wordings = {"": default}
    for override in content.overrides.all() if overrides is None else overrides:
        wordings[override.language.replace("_", "-").lower()] = Wording(
            parse(override.url) if override.url.strip() else default.url,
            _pairs(override.pairs) if override.pairs else default.pairs,
            parse(override.raw_body) if override.raw_body.strip() else default.raw,
        )
    values = [(h["name"], header_value(h), bool(h.get("is_secret"))) for h in content.headers]
    lines = tuple(Header(name, parse(value), secret) for name, value, secret in values)
    return Compiled(
        method=content.method,
        body_kind=content.body_kind,
        sends_body=content.method != Method.GET and (content.method != Method.DELETE or content.sends_body_on_delete),
        headers=lines,
        wordings=wordings,
        secrets=tuple(value for _, value, secret in values if secret),
        needs=Needs.of(_templates(lines, wordings.values())),
        translations={
            language.replace("_", "-").lower(): texts for language, texts in (content.translations or {}).items()
        },
        condition=condition_of(content),
        certificate=secrets.unseal(held.sealed_value) if (held := content.client_certificate) else "",
    )


def _templates(headers: Iterable[Header], wordings: Iterable[Wording]) -> list[Template]:
    found = [header.value for header in headers]
    for wording in wordings:
        found += [wording.url, wording.raw]
        for pair in wording.pairs:
            found += [pair.key, pair.value]
    return found


def header_value(header: Mapping[str, Any]) -> str:
    """A header's template; a secret one is opened."""
    return secrets.unseal(header["value"]) if header.get("is_secret") else str(header.get("value", ""))


def _pairs(pairs: Iterable[Mapping[str, Any]]) -> tuple[Pair, ...]:
    return tuple(
        Pair(parse(p["key"]), parse(str(p.get("value", ""))), p.get("type", PairType.TEXT), bool(p.get("omit_blank")))
        for p in pairs
        if p.get("key")
    )
