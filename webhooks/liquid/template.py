"""A template as the rest of the house holds it: read once, rendered for many messages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache

from liquid.exceptions import LiquidError

from .analysis import Uses, uses
from .context import DEEPEST_BLOCK, Context, RenderData, Scope
from .dialect import has_liquid
from .env import CACHED_TEMPLATES, Bound, bound
from .errors import Aborted, LiquidSyntaxProblem, Postponed, RenderProblem, as_problem
from .limits import LIMITS, Buffer

FETCHES = frozenset({"connected_content"})
FindBlock = Callable[[str], str | None]


@dataclass(frozen=True, slots=True, eq=False)
class Template:
    """A template that was read.

    `uses`: the names, tags and Content Blocks it mentions. `is_static`: there is no Liquid in it. `is_slow`: rendering
    may wait for an answer from elsewhere, so it must not happen where others would wait too.
    """

    source: str
    bound: Bound
    uses: Uses
    is_static: bool
    is_slow: bool

    def render(self, data: RenderData, *, scope: Scope | None = None) -> str:
        """The text for one message. Raises Aborted, Postponed or RenderProblem, and nothing else.

        With a scope, variables set by earlier renderings in it are seen, and this one's stay.
        """
        if self.is_static:
            return self.source
        context = self._context(data, scope)
        buffer = Buffer(LIMITS.output)
        data.budget.start()
        try:
            self.bound.render_with_context(context, buffer)
            buffer.check()
            return encodable(buffer.getvalue())
        except (Aborted, Postponed):
            raise
        except LiquidError as error:
            raise as_problem(RenderProblem, error) from error
        except Exception as error:
            raise RenderProblem(f"this template cannot be rendered: {error}") from error
        finally:
            data.budget.stop()

    def _context(self, data: RenderData, scope: Scope | None) -> Context:
        if scope is None:
            return Context(self.bound, data=data)
        if scope.context is None:
            scope.context = Context(self.bound, data=data)
        scope.context.is_serialised = scope.is_serialised
        return scope.context


def encodable(text: str) -> str:
    """The text with question marks for lone surrogates, which JSON data can carry and UTF-8 cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace").decode()
    return text


def parse(source: str, content_block: FindBlock | None = None) -> Template:
    """The template of a text, from the cache where it was read before.

    `content_block` gives a block's text by name: with it, `is_slow` looks into the blocks; without it, a template that
    mentions any counts as slow. Raises LiquidSyntaxProblem with line and column where the text cannot be read.
    """
    try:
        template = _parse(source)
    except LiquidError as error:
        raise as_problem(LiquidSyntaxProblem, error) from error
    except RecursionError as error:
        raise LiquidSyntaxProblem("this template nests too deeply") from error
    if content_block is None or not template.uses.blocks or _fetches(template):
        return template
    return replace(template, is_slow=_blocks_fetch(template, content_block, DEEPEST_BLOCK))


@lru_cache(maxsize=CACHED_TEMPLATES)
def _parse(source: str) -> Template:
    template = bound(source)
    found = uses(template.nodes)
    is_slow = bool(found.blocks or found.tags & FETCHES)
    return Template(source, template, found, not has_liquid(source), is_slow)


def _fetches(template: Template) -> bool:
    return bool(template.uses.tags & FETCHES)


def _blocks_fetch(template: Template, content_block: FindBlock, depth: int) -> bool:
    """Whether a block, or a block in it, fetches. One that is missing or broken ends the message, which is quick."""
    for name in {name for name, _ in template.uses.blocks} if depth else ():
        source = content_block(name)
        try:
            block = _parse(source or "")
        except LiquidError:
            continue
        if _fetches(block) or _blocks_fetch(block, content_block, depth - 1):
            return True
    return False


def render(source: str, data: RenderData, *, scope: Scope | None = None) -> str:
    """Parse and render at once: raises what either does."""
    return parse(source).render(data, scope=scope)
