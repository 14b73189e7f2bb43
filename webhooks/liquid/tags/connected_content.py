"""`connected_content`: fetches something while the message is rendered."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from liquid.ast import Node
from liquid.expression import Expression
from liquid.tag import Tag
from liquid.token import Token

from webhooks.liquid import suggest
from webhooks.liquid.calls import FORM, JSON, body_of, headers_of
from webhooks.liquid.context import Context
from webhooks.liquid.errors import Fault, Postponed, Refusal
from webhooks.liquid.grammar import checked_name
from webhooks.liquid.limits import LIMITS, Writer
from webhooks.liquid.services import ConnectedContentAnswer, ConnectedContentCall
from webhooks.liquid.tokens import WORD, Tokens
from webhooks.liquid.values import exact, parse_json, text

from .pieces import Pieces, closed_output, pieces, word_end
from .rerender import rerendered

FLAGS = frozenset({"retry", "rerender", "no_cache"})
WITH_WORD = frozenset({"save", "method", "content_type", "basic_auth", "auth_credentials", "cache_max_age", "cache"})
OPTIONS = FLAGS | WITH_WORD | {"headers", "body"}
SHORTEST_CACHE, LONGEST_CACHE = 300, 14_400  # seconds
_OPTION = re.compile(r":(\w*)")
_NEXT_OPTION = re.compile(r"\s:[a-z_]+(?=\s|$)|\{\{|\$\{")
_IN_JSON = re.compile(r'\\.|"|\{\{|\$\{|[{}]', re.DOTALL)


@dataclass(slots=True)
class Options:
    """What a tag's author wrote. `flags` are the options without a value."""

    url: Pieces
    save: str | None = None
    flags: set[str] = field(default_factory=set)
    values: dict[str, Pieces] = field(default_factory=dict)


class ConnectedContentNode(Node):
    """Makes the call, stores or prints the answer. Printing nodes are not blank."""

    __slots__ = ("blank", "options")

    def __init__(self, token: Token, options: Options) -> None:
        super().__init__(token)
        self.options = options
        self.blank = False

    def render_to_output(self, context: Context, buffer: Writer) -> int:
        answer = self._answer(context, self._call(context))
        if not answer.is_good:
            if "retry" in self.options.flags and answer.may_pass:
                raise Postponed(f"Connected Content answered {answer.status} {answer.failure}".strip())
            context.assign(self.options.save or "connected", None)
            return 0
        return self._keep(context, buffer, answer)

    def _call(self, context: Context) -> ConnectedContentCall:
        said = {name: value.evaluate(context).strip() for name, value in self.options.values.items()}
        method = said.get("method", "get").upper()
        if method not in ("GET", "POST"):
            raise Fault("Connected Content can only get or post", self.token)
        headers = headers_of(said.get("headers", "{}"), self.token)
        wanted = headers.pop("content-type", (None, said.get("content_type")))[1]
        kind = wanted or (FORM if method == "POST" else JSON)
        return ConnectedContentCall(
            url=self.options.url.evaluate(context).strip(),
            method=method,
            headers=tuple(pair for name, pair in headers.items() if name != "accept"),
            body=body_of(said["body"], kind) if "body" in said else None,
            content_type=kind,
            accept=headers.get("accept", ("", said.get("content_type", "*/*")))[1],
            credential=said.get("basic_auth") or said.get("auth_credentials"),
            is_basic="basic_auth" in said,
            cache_seconds=_cache_seconds(said.get("cache_max_age", said.get("cache"))),
            is_uncached="no_cache" in self.options.flags,
        )

    def _answer(self, context: Context, call: ConnectedContentCall) -> ConnectedContentAnswer:
        data = context.data
        if call not in data.answers:
            context.use("Connected Content calls", LIMITS.calls)
        return data.answer_to(call)

    def _keep(self, context: Context, buffer: Writer, answer: ConnectedContentAnswer) -> int:
        try:
            value = parse_json(answer.text)
        except ValueError:
            value, is_text = answer.text, True
        else:
            is_text = False
        if "rerender" in self.options.flags:
            value = rerendered(value, context, self.token)
        if is_text and self.options.save is None:
            return buffer.write(text(value))
        if isinstance(value, dict):
            value = {**value, "__http_status_code__": answer.status}
        context.assign(self.options.save or "connected", value)
        return 0

    def expressions(self) -> Iterable[Expression]:
        return [self.options.url, *self.options.values.values()]

    def template_scope(self) -> Iterable[str]:
        return [self.options.save or "connected"]


def _cache_seconds(said: str | None) -> int | None:
    return None if said is None else min(max(int(exact(said)), SHORTEST_CACHE), LONGEST_CACHE)


class ConnectedContentTag(Tag):
    name = "connected_content"
    block = False

    def parse(self, stream: Tokens) -> Node:
        token = stream.current
        said = stream.free_text(token)
        if not said.value or said.value.startswith(":"):
            raise Refusal("Connected Content needs a URL: {% connected_content https://… %}", token)
        end = word_end(said, said.start_index)
        url = said._replace(value=said.source[said.start_index : end])
        return ConnectedContentNode(token, _options(said, end, Options(pieces(url))))


def _options(said: Token, at: int, options: Options) -> Options:
    source, end = said.source, said.start_index + len(said.value)
    while (at := _past_space(said, at)) < end:
        found = _OPTION.match(source, at, end)
        name = found.group(1) if found else ""
        token = said._replace(value=source[at : word_end(said, at)], start_index=at)
        if not found or name not in OPTIONS:
            raise Refusal(f"unknown option '{token.value}'{suggest.instead(name, OPTIONS)}", token)
        at = found.end()
        if name in FLAGS:
            options.flags.add(name)
        else:
            at = _valued(said, at, name, token, options)
    return options


def _valued(said: Token, at: int, name: str, option: Token, options: Options) -> int:
    """Reads the value of an option; returns where it ends."""
    start = _past_space(said, at)
    stop = (
        _headers_end(said, start)
        if name == "headers"
        else _body_end(said, start)
        if name == "body"
        else word_end(said, start)
    )
    value = said._replace(value=said.source[start:stop], start_index=start)
    if not value.value or (name != "body" and value.value.startswith(":")):
        raise Refusal(f"the option ':{name}' needs a value", option)
    if name == "save":
        options.save = checked_name(value._replace(kind=WORD))
    else:
        options.values[name] = read = pieces(value)
        if name == "method" and read.constant is not None and read.constant.lower() not in ("get", "post"):
            raise Refusal("Connected Content can only get or post", value)
    return stop


def _past_space(said: Token, at: int) -> int:
    end = said.start_index + len(said.value)
    while at < end and said.source[at].isspace():
        at += 1
    return at


def _body_end(said: Token, at: int) -> int:
    """Where a body ends: before the next option, which stands outside of braces."""
    end = said.start_index + len(said.value)
    if said.source.startswith(":", at):
        return at
    while found := _NEXT_OPTION.search(said.source, at, end):
        if found.group() == "{{":
            at = closed_output(said, found.start())
        elif found.group() == "${":
            at = said.source.find("}", found.start(), end) + 1 or end
        else:
            return found.start()
    return end


def _headers_end(said: Token, at: int) -> int:
    """Where the JSON object of headers ends, its strings and outputs skipped. Raises Refusal where it never does."""
    if not said.source.startswith("{", at) or said.source.startswith("{{", at):
        return word_end(said, at)
    start, depth, is_quoted, end = at, 0, False, said.start_index + len(said.value)
    while found := _IN_JSON.search(said.source, at, end):
        mark, at = found.group(), found.end()
        if mark == "{{":
            at = closed_output(said, found.start())
        elif mark == "${":
            at = said.source.find("}", at, end) + 1 or end
        elif mark == '"':
            is_quoted = not is_quoted
        elif mark in "{}" and not is_quoted:
            depth += 1 if mark == "{" else -1
            if not depth:
                return at
    raise Refusal("these headers are never closed: write '}' after the last", said._replace(start_index=start))
