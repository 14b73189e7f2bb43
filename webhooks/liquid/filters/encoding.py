"""Filters that write text for other formats: Base64, URLs, JSON."""

import base64
import binascii
import json
import re
from urllib.parse import quote, unquote_plus

from webhooks.liquid.context import Context
from webhooks.liquid.errors import Fault
from webhooks.liquid.values import member, parse_json, text, to_json

from .registry import register

_KEPT_IN_URL = "-_.!~*'();/?:@&=+$,[]"
_KEPT_IN_PARAMETER = "-_.~"


@register("base64_encode", "base64")
def base64_encode(value: object) -> str | None:
    return None if value is None else base64.b64encode(_bytes(value)).decode()


@register("base64_decode")
def base64_decode(value: object) -> str | None:
    if value is None:
        return None
    source = text(value).strip()
    try:
        return base64.b64decode(source + "=" * (-len(source) % 4)).decode()
    except (binascii.Error, ValueError) as error:
        raise Fault("'base64_decode' needs Base64 of UTF-8 text") from error


@register("url_escape")
def url_escape(value: object) -> str:
    """For a whole URL: what separates its parts stays."""
    return quote(_bytes(value), safe=_KEPT_IN_URL)


@register("url_param_escape")
def url_param_escape(value: object) -> str:
    """For one value in a URL."""
    return quote(_bytes(value), safe=_KEPT_IN_PARAMETER)


@register("url_encode")
def url_encode(value: object) -> str:
    return quote(_bytes(value), safe=_KEPT_IN_PARAMETER).replace("%20", "+")


@register("url_decode")
def url_decode(value: object) -> str:
    return unquote_plus(text(value), errors="replace")


def _bytes(value: object) -> bytes:
    """UTF-8; a lone surrogate, which JSON can carry, becomes a question mark."""
    return text(value).encode("utf-8", "replace")


_LONE = re.compile("[\ud800-\udfff]")


@register("json_escape")
def json_escape(value: object, *, context: Context) -> object:
    """Safe between the quotes of a JSON string. Left alone where the whole text becomes JSON afterwards."""
    if context.is_serialised:
        return value
    return _LONE.sub("?", json.dumps(text(value), ensure_ascii=False)[1:-1])


@register("as_json_string", "json")
def as_json_string(value: object) -> str:
    return to_json(value)


@register("json_parse")
def json_parse(value: object) -> object:
    """The value that JSON text stands for; nil for any other text."""
    try:
        return parse_json(text(value))
    except ValueError:
        return None


@register("property_accessor")
def property_accessor(value: object, key: object) -> object:
    return member(value, key)
