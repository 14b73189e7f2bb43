"""The environment: python-liquid through its own extension points, and the process's cache of read templates.

Templates that were read are immutable and shared by threads; whatever changes while rendering is in the context.
"""

from collections.abc import Callable, Iterator
from functools import cache, lru_cache

from liquid import BoundTemplate, Environment, Mode
from liquid.ast import Node
from liquid.exceptions import LiquidInterrupt
from liquid.parser import get_parser
from liquid.tag import Tag
from liquid.token import TOKEN_CONTENT, Token

from . import dialect
from .context import Context
from .errors import Fault, Refusal
from .limits import LIMITS, Writer
from .program import Program, place
from .tags import FETCHING, TAGS
from .tokens import Tokens

CACHED_TEMPLATES = 512


class Bound(BoundTemplate):
    """The library's template; `Template` is what others hold."""

    context_class = Context

    def __init__(self, env: Environment, nodes: list[Node], *args: object, **kwargs: object) -> None:
        super().__init__(env, nodes, *args, **kwargs)
        self.program = Program(nodes)

    def render_with_context(
        self, context: Context, buffer: Writer, *args: object, partial: bool = False, **kwargs: object
    ) -> None:
        """Write the template's output. Raises Fault or another LiquidError with a place; Aborted and Postponed pass.

        No names are added for a partial: a Content Block sees and sets the variables of its place.
        """
        try:
            self.program.run(context, buffer)
        except LiquidInterrupt as interrupt:
            if partial and context.loops:
                raise
            raise Fault(f"'{interrupt}' stands outside of a loop", place(interrupt)) from interrupt
        except RecursionError as error:
            raise Fault("this nests too deeply", place(error)) from error


class Dialect(Environment):
    """The dialect's tags and grammar. One that may not fetch leaves the tags that do as text."""

    template_class = Bound

    def __init__(self, *, may_fetch: bool = True) -> None:
        self.may_fetch = may_fetch
        self.block_nesting_limit = LIMITS.nesting
        super().__init__(tolerance=Mode.STRICT)

    def __hash__(self) -> int:
        return id(self)  # the library keeps parsers by environment, and would mix ours up

    def setup_tags_and_filters(self, *, extra: bool = False) -> None:
        for tag in TAGS:
            self.add_tag(tag)
        for tag in FETCHING:
            self.tags[tag.name] = tag(self) if self.may_fetch else AsText(self)

    def tokenizer(self) -> Callable[[str], Iterator[Token]]:
        return dialect.scan

    def _parse(self, source: str) -> list[Node]:
        return get_parser(self).parse(Tokens(dialect.scan(source)))

    def inner(self, source: str, *, may_fetch: bool = True) -> Bound:
        """Text that is rendered inside another template. Raises LiquidError where it is none."""
        return bound(source, may_fetch)


class AsText(Tag):
    """Prints the tag as it is written."""

    block = False

    def parse(self, stream: Tokens) -> Node:
        token = stream.current
        stream.free_text(token)
        start, end = token.source.rfind("{%", 0, token.start_index), token.source.find("%}", token.start_index)
        literal = token._replace(kind=TOKEN_CONTENT, value=token.source[start : end + 2], start_index=start)
        return self.env.tags[TOKEN_CONTENT].parse(Tokens(iter([literal])))


@cache
def environment(may_fetch: bool = True) -> Dialect:
    return Dialect(may_fetch=may_fetch)


@lru_cache(maxsize=CACHED_TEMPLATES)
def bound(source: str, may_fetch: bool = True) -> Bound:
    """The library's template of a text. Raises LiquidError with a place for what cannot be read."""
    if len(source) > LIMITS.source:
        raise Refusal(f"this text is too long: at most {LIMITS.source:,} characters are allowed", None)
    template = environment(may_fetch).from_string(source)
    assert isinstance(template, Bound)
    return template
