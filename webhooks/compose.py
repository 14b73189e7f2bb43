"""Turns a content and a profile into a request, or into the reason why there is none.

A content is compiled once for each version and process: its Liquid parsed, its languages laid out. Rendering then only
fills it in. Nothing here raises into the pump: a message that can't be rendered is a Refusal.
"""

import json
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from functools import reduce
from http.client import UNAUTHORIZED
from operator import or_
from typing import Any

import orjson
from django.conf import settings

from webhooks import address, headers
from webhooks.address import BadAddress
from webhooks.claims import Claimed
from webhooks.compiled import Compiled, Header, Pair, Wording, compile_content
from webhooks.egress import Guard
from webhooks.liquid import (
    Aborted,
    LiquidProblem,
    LiquidSyntaxProblem,
    Postponed,
    RenderData,
    Scope,
    Services,
    parse,
)
from webhooks.liquid.template import FETCHES
from webhooks.models import BodyKind, Content, LogKind, Outcome
from webhooks.models.content import PairType
from webhooks.request import Refusal, Request
from webhooks.services import Shelf

MAX_BODY = 1024 * 1024
_FORM = ("application/x-www-form-urlencoded", "application/x-www-form-url-encoded")
_SCHEMES = frozenset({"bearer", "basic"})
_COMPILED_KEPT = 512


class Unrenderable(Exception):
    """This message can't be sent as rendered; the message is a sentence for the log."""


class Composer:
    """Keeps compiled contents by version, for a process. Not thread-safe."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._shelf = Shelf(guard, is_sending=True)
        self._kept: OrderedDict[tuple[int, int], Compiled | LiquidSyntaxProblem] = OrderedDict()

    def compiled(self, content_ids: Iterable[int]) -> dict[int, Compiled | LiquidSyntaxProblem]:
        """The current versions of these contents, by id. One query, and two more for what is new. Missing: absent."""
        versions = dict(Content.objects.filter(id__in=set(content_ids)).values_list("id", "version"))
        new = [id for id, version in versions.items() if (id, version) not in self._kept]
        rows = Content.objects.filter(id__in=new).select_related("client_certificate").prefetch_related("overrides")
        for content in rows if new else ():
            versions[content.id] = content.version
            self._keep(content)
        return {id: self._kept[id, version] for id, version in versions.items() if (id, version) in self._kept}

    def _keep(self, content: Content) -> None:
        try:
            self._kept[content.id, content.version] = compile_content(content)
        except LiquidSyntaxProblem as problem:
            self._kept[content.id, content.version] = problem
        while len(self._kept) > _COMPILED_KEPT:
            self._kept.popitem(last=False)

    def services(
        self, batch: Sequence[Claimed], contents: Mapping[int, Compiled | LiquidSyntaxProblem], now: datetime
    ) -> dict[int, Services]:
        """What rendering may ask for, by message id, for those messages whose templates ask. A few queries a batch."""
        asking = [
            (message, compiled)
            for message in batch
            if isinstance(compiled := contents.get(message.content_id), Compiled) and compiled.needs
        ]
        if not asking:
            return {}
        needs = reduce(or_, {id(compiled): compiled.needs for _, compiled in asking}.values())
        supply = self._shelf.lay_out(needs, {message.profile_id for message, _ in asking}, now)
        return {m.id: supply.services(m.id, m.profile_id, compiled.translations) for m, compiled in asking}

    def request(
        self, compiled: Compiled | LiquidSyntaxProblem | None, data: RenderData, language: str = ""
    ) -> Request | Refusal:
        """The request for one profile, or why there is none."""
        if compiled is None:
            return Refusal(Outcome.FAILED, "content_missing", "The webhook was deleted", LogKind.WEBHOOK_ERROR)
        if isinstance(compiled, LiquidSyntaxProblem):
            return _liquid_refusal(compiled)
        return render(compiled, data, self._guard, language)


def secrets_of(compiled: Compiled, services: Services | None) -> tuple[str, ...]:
    """Every secret value that may be in the request, also in one that was rendered before and kept."""
    find = services.credential if services else None
    named = [find(name) for name in sorted(compiled.needs.credentials)] if find else []
    return (*compiled.secrets, *filter(None, named))


def waits(compiled: Compiled, services: Services) -> bool:
    """Whether rendering may wait for Connected Content, so that it belongs on a thread of its own.

    Rendering is safe on threads: compiled contents and services are only read, and each message has data of its own.
    Catalogs and promotion codes use the thread's own database connection, which whoever ends the thread closes.
    """
    if services.is_slow or FETCHES & compiled.needs.tags:
        return True
    is_asked = bool(compiled.needs.blocks)
    return is_asked and any(parse(text.source, services.content_block).is_slow for text in compiled.templates)


def render(compiled: Compiled, data: RenderData, guard: Guard, language: str = "") -> Request | Refusal:
    """Fill a compiled content in. URL, each header and the body have scopes of their own; `data` is shared.

    Where Connected Content was refused with 401 after answers came from the cache (a token that was revoked), those are
    dropped and the message is rendered again, once.
    """
    result = _render(compiled, data, guard, language)
    if data.calls and any(answer.status == UNAUTHORIZED for _, answer in data.calls) and data.forget_cached():
        return _render(compiled, data, guard, language)
    return result


def refresh(compiled: Compiled, request: Request, data: RenderData) -> Request | Refusal:
    """A request of an earlier attempt with the headers that hold Liquid rendered again (supplement, section 2).

    Tokens and signatures made from a time run out within the hours of retrying; method, URL, body and the other
    headers keep their bytes.
    """
    renewed = {header.name.lower() for header in compiled.changing_headers}
    kept = [line for line in request.headers if line[0].lower() not in renewed]
    return _made(lambda: request._replace(headers=(*kept, *_headers(compiled.changing_headers, data))))


def _render(compiled: Compiled, data: RenderData, guard: Guard, language: str) -> Request | Refusal:
    return _made(lambda: _request(compiled, data, guard, language))


def _request(compiled: Compiled, data: RenderData, guard: Guard, language: str) -> Request:
    wording = compiled.wording(language)
    where = address.clean(wording.url.render(data), guard)
    lines = _headers(compiled.headers, data)
    body, inferred = _body(compiled, wording, data, _content_type(lines))
    if inferred:
        lines.append(("Content-Type", inferred))
    return Request(compiled.method, where.url, where.host, tuple(lines), body, compiled.certificate)


def _made(make: Callable[[], Request]) -> Request | Refusal:
    """What that makes, or why it can't be made."""
    try:
        return make()
    except Aborted as abort:
        return Refusal(Outcome.ABORTED, "liquid_abort", abort.reason, LogKind.ABORTED)
    except Postponed as postponed:
        return Refusal("", "postponed", postponed.reason, LogKind.CONNECTED_CONTENT_ERROR)
    except BadAddress as bad:
        kind = LogKind.GUARD_REFUSED if "port" in str(bad) else LogKind.WEBHOOK_ERROR
        return Refusal(Outcome.FAILED, "bad_url", str(bad), kind)
    except LiquidProblem as problem:
        return _liquid_refusal(problem)
    except Unrenderable as problem:
        return Refusal(Outcome.FAILED, "unusable_request", str(problem), LogKind.WEBHOOK_ERROR)


def _liquid_refusal(problem: LiquidProblem) -> Refusal:
    where = f" (line {problem.line}, column {problem.column})" if problem.line else ""
    return Refusal(Outcome.FAILED, "render_error", f"{problem.message}{where}", LogKind.LIQUID_ERROR)


def _headers(templates: Iterable[Header], data: RenderData) -> list[tuple[str, str]]:
    lines: list[tuple[str, str]] = []
    size = 0
    for header in templates:
        value = header.value.render(data).strip()
        problem = headers.value_problem(header.name, value)
        if not problem and value.lower() in _SCHEMES and header.name.lower() == "authorization":
            problem = "no credential came out for the Authorization header"
        if problem:
            raise Unrenderable(problem)
        size += len(header.name) + (len(value) if value.isascii() else len(value.encode())) + 4
        if value:
            lines.append((header.name, value))
    if size > headers.MAX_BYTES:
        raise Unrenderable(f"headers are {size} bytes, limit {headers.MAX_BYTES}")
    return lines


def _content_type(lines: Iterable[tuple[str, str]]) -> str:
    return next((value.lower() for name, value in lines if name.lower() == "content-type"), "")


def _body(compiled: Compiled, wording: Wording, data: RenderData, declared: str) -> tuple[bytes | None, str]:
    """The body and, where none is declared, the content type to infer from it (webhooks specification, 6.3)."""
    if not compiled.sends_body:
        return None, ""
    if compiled.body_kind == BodyKind.PAIRS:
        text = json.dumps(_object(wording.pairs, data), ensure_ascii=False, separators=(",", ":"))
        inferred = "" if declared else "application/json"
    else:
        text, inferred = _raw(wording, data, declared)
    body = text.encode("utf-8", "replace")
    if len(body) > MAX_BODY:
        raise Unrenderable(f"body is {len(body) / 1024 / 1024:.1f} MiB, limit 1 MiB")
    return body, inferred


def _raw(wording: Wording, data: RenderData, declared: str) -> tuple[str, str]:
    text = wording.raw.render(data)
    stripped = text.strip()
    if not declared:
        inferred = _inferred(stripped)
        return (stripped if "json" in inferred or "xml" in inferred else text), inferred
    if "json" in declared and not _parses(stripped):
        raise Unrenderable("the body is declared as JSON but does not parse as JSON")
    return (stripped if "json" in declared or "xml" in declared or declared.startswith(_FORM) else text), ""


def _inferred(text: str) -> str:
    if not text:
        return ""
    if text[0] in "{[" and _parses(text):
        return "application/json"
    return "application/xml" if text.startswith(("<?xml", "<soap")) else "text/plain; charset=utf-8"


def _parses(text: str) -> bool:
    for loads in (orjson.loads, json.loads):  # the second, four times as slow, takes a little more
        with suppress(ValueError, RecursionError):
            loads(text)
            return True
    return False


def _object(pairs: Iterable[Pair], data: RenderData) -> dict[str, Any]:
    """The JSON object of the pairs, built as data so that it is valid whatever the values hold."""
    scope = Scope()
    result: dict[str, Any] = {}
    for pair in pairs:
        scope.is_serialised = True
        key = pair.key.render(data, scope=scope).replace("\x00", "")
        scope.is_serialised = pair.kind == PairType.TEXT
        text = pair.value.render(data, scope=scope)
        if pair.omits_blank and not text.strip():
            continue
        if key in result:
            raise Unrenderable(f"two keys came out as {key[:100]}")
        result[key] = text.replace("\x00", "") if pair.kind == PairType.TEXT else _typed(pair.kind, key, text.strip())
    return result


def _typed(kind: str, key: str, text: str) -> Any:
    """The text as that type; blank is null. Raises Unrenderable."""
    if not text:
        return None
    match kind:
        case PairType.NULL:
            return None
        case PairType.BOOLEAN if text.lower() in ("true", "false"):
            return text.lower() == "true"
        case PairType.NUMBER if (number := _number(text)) is not None:
            return number
        case PairType.JSON if _parses(text):
            return json.loads(text)
    names = {PairType.NUMBER: "a number", PairType.BOOLEAN: "true or false", PairType.JSON: "valid JSON"}
    raise Unrenderable(f"{key} is not {names[PairType(kind)]}: {text[:100]}")


def _number(text: str) -> int | float | None:
    try:
        number = json.loads(text)
    except ValueError:
        return None
    return number if isinstance(number, int | float) and not isinstance(number, bool) and number == number else None


def the_guard() -> Guard:
    """The egress guard this deployment's settings describe."""
    return Guard.allowing(settings.WEBHOOK_ALLOWED_NETWORKS, settings.WEBHOOK_ALLOWED_PORTS)
