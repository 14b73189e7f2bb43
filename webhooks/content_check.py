"""Says what is wrong with a composed webhook, field by field. Used by the composer, by tests and at launch."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from webhooks import headers, success
from webhooks.address import BadAddress, clean
from webhooks.compiled import header_value
from webhooks.compose import the_guard
from webhooks.liquid import LiquidSyntaxProblem
from webhooks.liquid.check import check
from webhooks.models import BodyKind, Content, ContentOverride, Method
from webhooks.models.content import Success
from webhooks.services import known

_ORIGIN = re.compile(r"\s*\w+://[^/?#{}\s]+(?=[/?#])")  # scheme, host and port, where they are written out


@dataclass(frozen=True)
class Problem:
    """A sentence about a field of the content; `language` names the override it is in."""

    field: str
    text: str
    language: str = ""

    @property
    def sentence(self) -> str:
        return f"[{self.language}] {self.text}" if self.language else self.text


def problems(content: Content, overrides: Iterable[ContentOverride] | None = None) -> list[Problem]:
    """Everything that keeps this webhook from being sent; empty when it can be.

    Its languages are those of the database unless `overrides` are given.
    """
    found = [*_url_problems(content.url), *_header_problems(content.headers), *_body_problems(content)]
    found += _success_problems(content)
    for language, texts in (content.translations or {}).items():
        for id, text in texts.items():
            found += liquid_problems("translations", f"{id}, {language}", text)
    for override in content.overrides.all() if overrides is None else overrides:
        found += override_problems(override)
    return found


def override_problems(override: ContentOverride) -> list[Problem]:
    """What is wrong with one language's URL and body."""
    found = [*(_url_problems(override.url) if override.url.strip() else ()), *_wording_problems(override)]
    return [Problem(problem.field, problem.text, override.language) for problem in found]


def _url_problems(url: str) -> Iterator[Problem]:
    if not url.strip():
        yield Problem("url", _("Enter the address to call."))
        return
    yield from liquid_problems("url", _("Webhook URL"), url)
    if problem := address_problem(url):
        yield Problem("url", problem)


def address_problem(url: str) -> str:
    """Why this address can't be called, as far as it is written out; empty where only rendering shows it."""
    if "{%" in url or "{{" in url.split("?")[0]:
        literal = _ORIGIN.match(url)
        if literal is None:
            return ""
        url = literal[0]
    try:
        clean(url, the_guard())
    except BadAddress as bad:
        return str(bad)
    return ""


def _header_problems(lines: Iterable[Mapping[str, Any]]) -> Iterator[Problem]:
    seen: set[str] = set()
    for line in lines:
        name = line.get("name", "")
        if problem := headers.name_problem(name):
            yield Problem("headers", problem)
        if name.lower() in seen:
            yield Problem("headers", _("The header %(name)s is there twice.") % {"name": name})
        seen.add(name.lower())
        value = header_value(line)
        if line.get("is_secret") and not value.strip():
            yield Problem("headers", _("The secret value of the header %(name)s is missing.") % {"name": name})
        if "{" not in value and (problem := headers.value_problem(name, value.strip())):
            yield Problem("headers", problem)
        yield from liquid_problems("headers", _("header %(name)s") % {"name": name}, value)


def _success_problems(content: Content) -> Iterator[Problem]:
    test, path = content.success_test, content.success_path
    if path and (problem := success.path_problem(path)):
        yield Problem("success_path", problem)
    if test in (Success.EQUALS, Success.CONTAINS, Success.LACKS) and not content.success_value.strip():
        yield Problem("success_value", _("Enter the value to look for."))
    if test in (Success.EQUALS, Success.EXISTS, Success.ABSENT) and not path.strip():
        yield Problem("success_path", _("Say which value, for example status."))


def _body_problems(content: Content) -> Iterator[Problem]:
    if content.method == Method.GET:
        return
    if content.body_kind == BodyKind.RAW:
        yield from liquid_problems("raw_body", _("Raw text"), content.raw_body)
    else:
        yield from _pair_problems(content.pairs)


def _wording_problems(override: ContentOverride) -> Iterator[Problem]:
    yield from liquid_problems("raw_body", _("Raw text"), override.raw_body)
    yield from _pair_problems(override.pairs)


def _pair_problems(pairs: Iterable[Mapping[str, Any]]) -> Iterator[Problem]:
    seen: set[str] = set()
    for pair in pairs:
        key, value = str(pair.get("key", "")).strip(), str(pair.get("value", ""))
        if not key:
            if value:
                yield Problem("pairs", _("A value has no key: %(value)s") % {"value": value[:60]})
            continue
        if key in seen:
            yield Problem("pairs", _("The key %(key)s is there twice.") % {"key": key})
        seen.add(key)
        yield from liquid_problems("pairs", key, key)
        yield from liquid_problems("pairs", key, value)


def liquid_problems(field: str, name: str, source: str) -> Iterator[Problem]:
    """The syntax error of a template, or the first name in it that doesn't exist, with line and column."""
    try:
        check(source, known())
    except LiquidSyntaxProblem as problem:
        yield Problem(
            field,
            _("%(name)s, line %(line)s, column %(column)s: %(message)s")
            % {"name": name, "line": problem.line, "column": problem.column, "message": problem.message},
        )
