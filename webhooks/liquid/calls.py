"""From what a template says of a request to its headers and body, as the original reads them."""

import json
from urllib.parse import parse_qsl

from liquid.token import Token

from .errors import Fault
from .values import parse_json, text

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"


def headers_of(said: str, token: Token) -> dict[str, tuple[str, str]]:
    """Lower-case name -> (name, value), in the author's order. Raises Fault for what is no JSON object of texts."""
    try:
        found = parse_json(said)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise Fault("the headers of a Connected Content call must be a JSON object of texts", token)
    headers = {name.lower(): (name, text(value)) for name, value in found.items()}
    for name, value in headers.values():
        if any(ord(character) < 32 or ord(character) == 127 for character in name + value):
            raise Fault(f"the header '{name}' would contain a line break", token)
    return headers


def body_of(said: str, content_type: str) -> str:
    """The body as sent: under a JSON type, form text becomes a JSON object of texts."""
    if not content_type.lower().startswith(JSON) or _is_json(said) or "=" not in said:
        return said
    pairs = dict(parse_qsl(said, keep_blank_values=True))
    return json.dumps(pairs, ensure_ascii=False, separators=(",", ":"))


def _is_json(said: str) -> bool:
    try:
        parse_json(said)
    except ValueError:
        return False
    return True
