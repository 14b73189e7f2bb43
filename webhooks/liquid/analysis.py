"""What a template mentions, found without rendering it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from liquid.ast import Node
from liquid.expression import Expression
from liquid.token import TOKEN_TAG, Token

from .expressions import Attribute, ContentBlock, Filtered, Namespace, Variable
from .tags.messages import RenderNode


@dataclass(frozen=True, slots=True)
class Name:
    """A name of the message's data, where it stands: `namespace` is '' for standard attributes."""

    namespace: str
    name: str
    token: Token = field(compare=False)


@dataclass(frozen=True, slots=True)
class Uses:
    """`attributes` are names of the message's data, `variables` names without `${}`, `assigned` those set here.

    `wholes` are the namespaces used as one object, so any of their names may be.
    """

    attributes: tuple[Name, ...]
    wholes: frozenset[str]
    variables: tuple[Token, ...]
    assigned: tuple[tuple[str, Token], ...]
    blocks: tuple[tuple[str, Token], ...]
    tags: frozenset[str]
    filters: frozenset[str]

    def of(self, namespace: str) -> frozenset[str]:
        """The names used of one namespace."""
        return frozenset(found.name for found in self.attributes if found.namespace == namespace)


def uses(nodes: Iterable[Node]) -> Uses:
    """What these nodes, and all they hold, mention."""
    every = list(walk(nodes))
    found = [part for part in every if isinstance(part, Node)]
    return Uses(
        attributes=tuple(_attributes(every)),
        wholes=frozenset(part.name for part in every if isinstance(part, Namespace) and not _fixed_key(part)),
        variables=tuple(part.token for part in every if type(part) is Variable),
        assigned=tuple((str(name), node.token) for node in found for name in node.template_scope()),
        blocks=tuple((part.name, part.token) for part in every if isinstance(part, ContentBlock | RenderNode)),
        tags=frozenset(node.token.value for node in found if node.token.kind == TOKEN_TAG),
        filters=frozenset(call.name for part in every if isinstance(part, Filtered) for call in part.calls),
    )


def _attributes(parts: list[Node | Expression]) -> Iterator[Name]:
    for part in parts:
        if isinstance(part, Attribute):
            yield Name(part.namespace, part.name, part.token)
        elif isinstance(part, Namespace) and _fixed_key(part):
            yield Name(part.name, str(part.path[0]), part.token)


def _fixed_key(part: Namespace) -> bool:
    return bool(part.path) and isinstance(part.path[0], str)


def walk(nodes: Iterable[Node]) -> Iterator[Node | Expression]:
    """Every node and expression, outer ones first."""
    for node in nodes:
        yield node
        for expression in node.expressions():
            yield from _inside(expression)
        yield from walk(node.children(None, include_partials=False))


def _inside(expression: Expression) -> Iterator[Expression]:
    yield expression
    for child in expression.children():
        yield from _inside(child)
