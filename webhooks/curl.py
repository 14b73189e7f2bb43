"""Webhooks as curl commands and back: to try one elsewhere, and to begin one from what an API's documentation shows.

Libraries that read curl commands were looked at; the one on PyPI rests since 2021 and knows neither --json nor -G.
"""

import argparse
import base64
import json
import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn
from urllib.parse import quote

from django.utils.translation import gettext as _

from webhooks.masking import is_secret_header
from webhooks.models.content import BodyKind, Method, PairType

LONGEST = 100_000  # characters
_QUOTED = re.compile(r"""\$'((?:[^'\\]|\\.)*)'|'[^']*'|"(?:[^"\\]|\\.)*"|\\\r?\n|\\.""", re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", "'": "'", '"': '"', "a": "\a", "b": "\b", "f": "\f", "v": "\v"}
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|.)", re.DOTALL)
_FLAGS = "-s -S -L -k -v -i -f -g -N -# -4 -6 --silent --show-error --location --insecure --verbose --include --fail"
_FLAGS += " --compressed --http1.1 --http2 --http2-prior-knowledge --globoff --no-buffer --progress-bar --path-as-is"
_WITH_VALUE = "-o -m -x -w -c --output --max-time --connect-timeout --proxy --write-out --cookie-jar --retry --cacert"


class NotCurl(ValueError):
    """This is no curl command that can be read; the message says why."""


@dataclass(frozen=True, slots=True)
class Command:
    """A request as a curl command says it. `left_out` names what has no place in a webhook."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...] = ()
    body: str = ""
    left_out: tuple[str, ...] = ()


def written(method: str, url: str, headers: Iterable[Sequence[str]], body: str) -> str:
    """The command that makes this request, ready for a shell."""
    parts = [f"curl -X {method} {shlex.quote(url)}"]
    parts += [f"-H {shlex.quote(f'{name}: {value}')}" for name, value in headers]
    if body:
        parts.append(f"--data-raw {shlex.quote(body)}")
    return " \\\n  ".join(parts)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise NotCurl(_("This curl command can't be read: %s") % message)


def _parser() -> _Parser:
    parser = _Parser(add_help=False, allow_abbrev=False, prefix_chars="-")
    add = parser.add_argument
    add("words", nargs="*")
    add("-X", "--request")
    add("--url", action="append", default=[])
    add("-H", "--header", action="append", default=[])
    add("-d", "--data", "--data-raw", "--data-binary", "--data-ascii", action="append", default=[], dest="data")
    add("--data-urlencode", action="append", default=[])
    add("--json", action="append", default=[])
    add("-u", "--user")
    add("-A", "--user-agent")
    add("-e", "--referer")
    add("-b", "--cookie")
    add("-F", "--form", action="append", default=[])
    add("-G", "--get", action="store_true")
    add("-I", "--head", action="store_true")
    for flag in _FLAGS.split():
        add(flag, action="store_true", dest="ignored")
    for flag in _WITH_VALUE.split():
        add(flag, dest="ignored_value")
    return parser


def read(text: str) -> Command:
    """What the command says. Raises NotCurl."""
    if len(text) > LONGEST:
        raise NotCurl(_("This is too long for a curl command."))
    try:
        words = shlex.split(_plain(text.strip()))
    except ValueError as error:
        raise NotCurl(_("A quotation mark is not closed.")) from error
    if not words or words[0].rsplit("/", 1)[-1] not in ("curl", "curl.exe"):
        raise NotCurl(_("Paste a command that begins with curl."))
    found, _unknown = _parser().parse_known_args(words[1:])
    urls = [*found.url, *found.words]
    if not urls:
        raise NotCurl(_("The command has no address."))
    return _command(found, urls[0])


def _plain(text: str) -> str:
    """Without line continuations, and with $'…' as ordinary quotes."""
    return _QUOTED.sub(_plainly, text)


def _plainly(found: re.Match[str]) -> str:
    if found[1] is not None:
        return shlex.quote(_ESCAPE.sub(_unescaped, found[1]))
    return " " if found[0].endswith("\n") and found[0].startswith("\\") else found[0]


def _unescaped(escape: re.Match[str]) -> str:
    code = escape[1]
    if code[0] in "ux" and len(code) > 1:
        return chr(int(code[1:], 16))
    return _ESCAPES.get(code, code)


def _command(found: argparse.Namespace, url: str) -> Command:
    data = [*found.data, *map(_encoded, found.data_urlencode)]
    body = "".join(found.json) or "&".join(data)
    if found.get and data:
        url, body = f"{url}{'&' if '?' in url else '?'}{body}", ""
    headers = [(name.strip(), value.strip()) for name, _colon, value in (h.partition(":") for h in found.header)]
    headers += _implied(found, {name.lower() for name, _value in headers}, has_form=bool(data and body))
    method = (found.request or ("POST" if body else "GET")).upper()
    if method not in Method.values:
        raise NotCurl(_("Webhooks use POST, GET, PUT, PATCH or DELETE, not %s.") % method)
    left_out = ("--form",) if found.form else ()
    return Command(method, _with_scheme(url), tuple(headers), body, left_out)


def _implied(found: argparse.Namespace, there: set[str], *, has_form: bool) -> list[tuple[str, str]]:
    """The headers that options and curl itself add."""
    added = []
    if found.user:
        added.append(("Authorization", f"Basic {base64.b64encode(found.user.encode()).decode()}"))
    for name, value in (("User-Agent", found.user_agent), ("Referer", found.referer), ("Cookie", found.cookie)):
        added += [(name, value)] if value else []
    if found.json:
        added += [("Content-Type", "application/json"), ("Accept", "application/json")]
    elif has_form:
        added.append(("Content-Type", "application/x-www-form-urlencoded"))
    return [(name, value) for name, value in added if name.lower() not in there]


def _encoded(part: str) -> str:
    name, equals, value = part.partition("=")
    return f"{name}={quote(value)}" if equals and name else quote(value or name)


def _with_scheme(url: str) -> str:
    return url if "://" in url or url.startswith("{") else f"http://{url}"


# --- into the composer


def fields(command: Command) -> dict[str, Any]:
    """The composer's fields that say the same: an object as JSON pairs, anything else as raw text."""
    pairs = _pairs(command.body)
    headers = [
        {"name": name, "value": value, "is_secret": is_secret_header(name)}
        for name, value in command.headers
        if name and not (pairs and name.lower() == "content-type")
    ]
    return {
        "url": command.url,
        "method": command.method,
        "headers": headers,
        "body_kind": BodyKind.RAW if command.body and not pairs else BodyKind.PAIRS,
        "pairs": pairs,
        "raw_body": "" if pairs else command.body,
        "sends_body_on_delete": command.method == Method.DELETE and bool(command.body),
    }


def _pairs(body: str) -> list[dict[str, str]]:
    try:
        found = json.loads(body)
    except ValueError:
        return []
    if not isinstance(found, Mapping):
        return []
    return [{"key": str(key), **_typed(value)} for key, value in found.items()]


def _typed(value: Any) -> dict[str, str]:
    match value:
        case None:
            return {"type": PairType.NULL, "value": ""}
        case bool():
            return {"type": PairType.BOOLEAN, "value": "true" if value else "false"}
        case int() | float():
            return {"type": PairType.NUMBER, "value": json.dumps(value)}
        case str():
            return {"type": PairType.TEXT, "value": value}
        case _other:
            return {"type": PairType.JSON, "value": json.dumps(value, ensure_ascii=False)}
