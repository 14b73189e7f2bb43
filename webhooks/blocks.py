"""Content Blocks: what uses one, and whether blocks go in a circle."""

from collections.abc import Iterable, Iterator

from django.db.models import Q, TextField
from django.db.models.functions import Cast

from webhooks import owners
from webhooks.compiled import compile_content
from webhooks.liquid import LiquidSyntaxProblem, parse
from webhooks.models import Content, ContentBlock


def mentioned(source: str) -> frozenset[str]:
    """The names of the blocks that a text prints; none of a text that can't be read."""
    try:
        return frozenset(name for name, _ in parse(source).uses.blocks)
    except LiquidSyntaxProblem:
        return frozenset()


def circle(name: str, source: str) -> list[str] | None:
    """The way from a block with this text back to itself, or None. One query for each level of blocks."""
    ways = {inner: [name, inner] for inner in sorted(mentioned(source))}
    seen: set[str] = set()
    while ways:
        if name in ways:
            return ways[name]
        seen |= ways.keys()
        rows = ContentBlock.objects.filter(name__in=ways).values_list("name", "content")
        ways = {
            inner: [*ways[block], inner]
            for block, content in rows
            for inner in sorted(mentioned(content))
            if inner not in seen
        }
    return None


def users(block: ContentBlock) -> Iterator[Content | ContentBlock]:
    """The webhooks and blocks that print this block."""
    others = ContentBlock.objects.exclude(pk=block.pk).exclude(state=ContentBlock.State.ARCHIVED)
    for other in others.filter(content__contains=block.name):
        if block.name in mentioned(other.content):
            yield other
    yield from (content for content in _candidates(block.name) if block.name in _of_content(content))


def _candidates(name: str) -> Iterable[Content]:
    """Webhooks whose text holds the name; secret headers can't be searched, so all that have one."""
    texts = ["url", "raw_body", "pairs_text", "headers_text"]
    texts += ["overrides__url", "overrides__raw_body", "other_pairs_text"]
    test = Q(headers_text__contains='"is_secret": true')
    for text in texts:
        test |= Q(**{f"{text}__contains": name})
    rows = Content.objects.alias(
        pairs_text=Cast("pairs", TextField()),
        headers_text=Cast("headers", TextField()),
        other_pairs_text=Cast("overrides__pairs", TextField()),
    )
    ids = rows.filter(test).values("pk")
    return Content.objects.filter(pk__in=ids).order_by("pk").prefetch_related("overrides")


def _of_content(content: Content) -> frozenset[str]:
    try:
        return compile_content(content).needs.blocks
    except LiquidSyntaxProblem:
        return frozenset()


def title(user: Content | ContentBlock) -> str:
    """What to call it where it is listed."""
    owner = owners.of(user) if isinstance(user, Content) else None
    return owner.title if owner else str(user)
