"""Tags about the message itself: abort, promotion codes, extras, translations, Content Blocks rendered apart."""

import re
from collections.abc import Iterable

from liquid.ast import BlockNode, Node
from liquid.expression import Expression
from liquid.tag import Tag
from liquid.token import TOKEN_TAG, Token

from webhooks.liquid.context import Context
from webhooks.liquid.errors import Aborted, Refusal
from webhooks.liquid.expressions import Constant
from webhooks.liquid.grammar import ended, value
from webhooks.liquid.limits import Writer
from webhooks.liquid.tokens import STRING, WORD, Tokens

from .blocks import block, closed
from .pieces import Pieces, pieces

MOST_EXTRAS = 1024  # characters of keys and values together
_EXTRA = re.compile(r":key\s+(.*?)\s+:value(?:\s+(.*))?", re.DOTALL)
_TRANSLATION_ID = re.compile(r"[\w.\-]+")


def in_parentheses(stream: Tokens, token: Token) -> str:
    """The literal in a tag's parentheses, without its quotes. Raises Refusal for text outside of parentheses."""
    said = stream.free_text(token)
    inside = said.value
    if not inside:
        return ""
    if not (inside.startswith("(") and inside.endswith(")")):
        raise Refusal(f"write what '{token.value}' is given in parentheses: {{% {token.value}('…') %}}", said)
    inside = inside[1:-1].strip()
    if len(inside) > 1 and inside[0] == inside[-1] and inside[0] in "'\"":
        inside = inside[1:-1]
    return inside


class AbortNode(Node):
    """Ends the message, from wherever it stands."""

    __slots__ = ("reason",)

    def __init__(self, token: Token, reason: str) -> None:
        super().__init__(token)
        self.reason = reason

    def render_to_output(self, context: Context, buffer: Writer) -> int:
        raise Aborted(self.reason)


class AbortTag(Tag):
    name = "abort_message"
    block = False

    def parse(self, stream: Tokens) -> Node:
        token = stream.current
        return AbortNode(token, in_parentheses(stream, token))


class PromotionNode(Node):
    """Prints a code of a list: the same one wherever it stands in the message."""

    __slots__ = ("blank", "list_name")

    def __init__(self, token: Token, list_name: str) -> None:
        super().__init__(token)
        self.list_name = list_name
        self.blank = False

    def render_to_output(self, context: Context, buffer: Writer) -> int:
        codes = context.data.promotions
        if self.list_name not in codes:
            take = context.data.services.promotion
            code = take(self.list_name) if take else None
            if not code:
                raise Aborted(f"no promotion code left in '{self.list_name}'")
            codes[self.list_name] = code
        return buffer.write(codes[self.list_name])


class PromotionTag(Tag):
    name = "promotion"
    block = False

    def parse(self, stream: Tokens) -> Node:
        token = stream.current
        name = in_parentheses(stream, token)
        if not name:
            raise Refusal("name the list of codes: {% promotion('list') %}", token)
        return PromotionNode(token, name)


class MessageExtrasNode(Node):
    """Attaches a key and a value to the message. The first value of a key stays."""

    __slots__ = ("key", "value")

    def __init__(self, token: Token, key: Pieces, value: Pieces) -> None:
        super().__init__(token)
        self.key = key
        self.value = value

    def render_to_output(self, context: Context, buffer: Writer) -> int:
        extras = context.data.extras
        key, value = self.key.evaluate(context).strip(), self.value.evaluate(context).strip()
        room = MOST_EXTRAS - sum(len(k) + len(v) for k, v in extras.items()) - len(key)
        if key not in extras and room >= 0:
            extras[key] = value[:room]
        return 0

    def expressions(self) -> Iterable[Expression]:
        return [self.key, self.value]


class MessageExtrasTag(Tag):
    name = "message_extras"
    block = False

    def parse(self, stream: Tokens) -> Node:
        token = stream.current
        said = stream.free_text(token)
        found = _EXTRA.fullmatch(said.value)
        if not found:
            raise Refusal("write {% message_extras :key name :value text %}", said)
        key, value = (
            said._replace(value=found.group(n) or "", start_index=said.start_index + max(found.start(n), 0))
            for n in (1, 2)
        )
        return MessageExtrasNode(token, pieces(key), pieces(value))


class TranslationNode(Node):
    """Prints the translation for the profile's language, else the text it holds."""

    __slots__ = ("blank", "default", "id")

    def __init__(self, token: Token, id: str, default: BlockNode) -> None:
        super().__init__(token)
        self.id = id
        self.default = default
        self.blank = False

    def render_to_output(self, context: Context, buffer: Writer) -> int:
        translated = self._translated(context)
        if translated is None:
            return self.default.render(context, buffer)
        return buffer.write(context.render_text(translated, self.token, f"the translation '{self.id}'"))

    def _translated(self, context: Context) -> str | None:
        find = context.data.services.translation
        for language in languages(context.data.standard("language")) if find else ():
            if (translated := find(self.id, language)) is not None:  # type: ignore[misc]
                return translated
        return None

    def children(self, static_context: object, *, include_partials: bool = True) -> Iterable[Node]:
        return [self.default]


def languages(language: object) -> list[str]:
    """The translations to look for, best first: `pt_BR` -> `pt-br`, `pt`."""
    exact = str(language or "").lower().replace("_", "-")
    return list(dict.fromkeys(name for name in (exact, exact.split("-")[0]) if name))


class TranslationTag(Tag):
    name = "translation"
    end = "endtranslation"

    def parse(self, stream: Tokens) -> Node:
        token = stream.current
        said = stream.free_text(token)
        if not _TRANSLATION_ID.fullmatch(said.value):
            raise Refusal("a translation needs an id: {% translation greeting %}", token)
        if self.name in stream.inside:
            raise Refusal("translations cannot be nested", token)
        next(stream)
        stream.inside |= {self.name}
        default = block(self, stream, self.end)
        stream.inside -= {self.name}
        closed(stream, token, self.end)
        return TranslationNode(token, said.value, default)


class RenderNode(Node):
    """Prints a Content Block in a scope of its own."""

    __slots__ = ("arguments", "blank", "name")

    def __init__(self, token: Token, name: str, arguments: dict[str, Expression]) -> None:
        super().__init__(token)
        self.name = name
        self.arguments = arguments
        self.blank = False

    def render_to_output(self, context: Context, buffer: Writer) -> int:
        names = {name: argument.evaluate(context) for name, argument in self.arguments.items()}
        return buffer.write(context.isolated(names).block(self.name, self.token))

    def expressions(self) -> Iterable[Expression]:
        return self.arguments.values()


class RenderTag(Tag):
    name = "render"
    block = False

    def parse(self, stream: Tokens) -> Node:
        token = stream.eat(TOKEN_TAG)
        tokens = stream.into_inner(tag=token, eat=False)
        name = value(tokens)
        if not isinstance(name, Constant) or name.token.kind != STRING:
            raise Refusal("name the Content Block in quotes: {% render 'name' %}", name.token)
        return RenderNode(token, str(name.value), dict(_arguments(tokens)))


def _arguments(tokens: Tokens) -> Iterable[tuple[str, Expression]]:
    while tokens.current.kind in (",", WORD):
        if tokens.current.kind == ",":
            next(tokens)
        name = next(tokens)
        if name.kind != WORD or tokens.current.kind != ":":
            raise Refusal("arguments of 'render' are written name: value", name)
        next(tokens)
        yield name.value, value(tokens)

    ended(tokens, "',' or the end")
