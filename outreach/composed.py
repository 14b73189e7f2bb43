"""Reads the webhook that an API call composes. Nothing is stored here."""

import json
from collections.abc import Mapping
from typing import Any

from audience.ingest import ItemError
from audience.ingest.errors import Refused, not_valid, required
from outreach.errors import UnusableCall
from webhooks import headers
from webhooks.compiled import compile_content
from webhooks.content_check import address_problem
from webhooks.liquid import LiquidSyntaxProblem
from webhooks.models import BodyKind, Content, Method


def webhook(messages: Any) -> tuple[Content, list[ItemError]]:
    """The webhook among the messages, and a word on each channel that there isn't here. Raises UnusableCall."""
    given = messages if isinstance(messages, Mapping) else {}
    others = [name for name, value in given.items() if name != "webhook" and value is not None]
    errors = [ItemError(f"The channel '{name[:100]}' is not supported", "messages", n) for n, name in enumerate(others)]
    if not given.get("webhook"):
        raise UnusableCall("No message to send", errors)
    try:
        return _content(given["webhook"]), errors
    except Refused as error:
        raise UnusableCall(f"Bad Request: messages.webhook: {error}") from error
    except LiquidSyntaxProblem as problem:
        where = f"line {problem.line}, column {problem.column}"
        raise UnusableCall(f"Bad Request: messages.webhook: {problem.message} ({where})") from problem


def variation_of(messages: Any) -> str:
    """The variation that the webhook names, if any."""
    found = messages.get("webhook") if isinstance(messages, Mapping) else None
    value = found.get("message_variation_id") if isinstance(found, Mapping) else None
    return value if isinstance(value, str) else ""


def _content(raw: Any) -> Content:
    """The webhook object as a content, not saved. Raises Refused and LiquidSyntaxProblem."""
    if not isinstance(raw, Mapping):
        raise Refused("must be an object")
    url, method, body = raw.get("url"), raw.get("request_method"), raw.get("body")
    if not url:
        raise Refused(required("url"))
    if not isinstance(url, str) or not ("{" in url or url.lower().startswith(("http://", "https://"))):
        raise Refused(not_valid("url"))
    if problem := address_problem(url):
        raise Refused(f"{not_valid('url')}: {problem}")
    if not method:
        raise Refused(required("request_method"))
    if not isinstance(method, str) or method.upper() not in Method.values:
        raise Refused(not_valid("request_method"))
    if isinstance(body, dict | list):
        body = json.dumps(body, ensure_ascii=False)
    if not isinstance(body, str | None):
        raise Refused(not_valid("body"))
    content = Content(
        url=url,
        method=method.upper(),
        body_kind=BodyKind.RAW,
        raw_body=body or "",
        headers=_headers(raw),
        sends_body_on_delete=bool(body),
    )
    compile_content(content, overrides=())
    return content


def _headers(raw: Mapping[str, Any]) -> list[dict[str, Any]]:
    given = raw.get("request_headers") or {}
    if not isinstance(given, Mapping):
        raise Refused(not_valid("request_headers"))
    for name, value in given.items():
        if not isinstance(value, str | int | float) or (problem := headers.name_problem(name)):
            raise Refused(f"'request_headers' is not valid: {problem if isinstance(value, str) else name[:100]}")
    return [{"name": name, "value": str(value), "is_secret": False} for name, value in given.items()]
