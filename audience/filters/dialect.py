"""How a condition on a value inside a JSON document becomes SQL: what both databases share.

Every piece is guarded by the type of the value (the databases order mixed types differently, and a cast of the wrong
one would end the query), and none is ever NULL, so NOT means what it says. Where a path goes through any element of
a list (`[]`), a piece holds if it holds for one element.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Generic, TypeVar

from audience.filters.conditions import (
    Compare,
    Condition,
    ContainsAny,
    Either,
    Every,
    Filled,
    HasKind,
    HoldsAny,
    IsBoolean,
    Matches,
    Not,
    OnDays,
    OneOf,
    Present,
)
from audience.filters.paths import Each, Path
from audience.filters.sql import Sql, joined, sql

Piece = Present | Filled | HasKind | OneOf | ContainsAny | Matches | Compare | IsBoolean | OnDays | HoldsAny
Node = TypeVar("Node")
"""How one database writes a value inside a document."""


@dataclass
class Dialect(ABC, Generic[Node]):
    """Writes conditions in one database's SQL. `_depth` names the tables of nested lists apart."""

    _depth: int = field(default=0)

    @abstractmethod
    def root(self, document: Sql) -> Node:
        """The whole document."""

    @abstractmethod
    def get(self, node: Node, step: str | int) -> Node:
        """The value under a name of an object or at a place of a list."""

    @abstractmethod
    def elements(self, node: Node, alias: str) -> tuple[Sql, Node]:
        """A FROM clause over the elements of a list (none if it is no list), and the element in it."""

    @abstractmethod
    def piece(self, node: Node, piece: Piece) -> Sql:
        """One question about one value: SQL that is true or false, never NULL."""

    def write(self, document: Sql, path: Path, condition: Condition) -> Sql:
        """The condition on the value at `path`."""
        match condition:
            case Not(inner):
                return sql("(NOT {})", self.write(document, path, inner))
            case Every(conditions):
                return joined(" AND ", [self.write(document, path, each) for each in conditions])
            case Either(conditions):
                return joined(" OR ", [self.write(document, path, each) for each in conditions])
            case _:
                return self.shortcut(document, path, condition) or self.walk(self.root(document), path, condition)

    def shortcut(self, document: Sql, path: Path, piece: Piece) -> Sql | None:
        """A better way to ask this of the whole document, if the database has one."""
        return None

    def walk(self, node: Node, path: Path, piece: Piece) -> Sql:
        """Go down the path, through any element where it says so, and ask there."""
        for position, step in enumerate(path):
            if step is Each.ELEMENT:
                return self.any_element(node, partial(self.walk, path=path[position + 1 :], piece=piece))
            assert not isinstance(step, Each)
            node = self.get(node, step)
        return self.piece(node, piece)

    def any_element(self, node: Node, test: Callable[[Node], Sql]) -> Sql:
        """True if the test (a function of the element) holds for one element of the list."""
        self._depth += 1
        source, element = self.elements(node, f"element_{self._depth}")
        return sql("EXISTS (SELECT 1 FROM {} WHERE {})", source, test(element))
