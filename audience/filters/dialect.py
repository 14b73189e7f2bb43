"""How a condition on a value inside a JSON document becomes SQL: what both databases share.

Every piece is guarded by the type of the value (the databases order mixed types differently, and a cast of the wrong
one would end the query), and none is ever NULL, so NOT means what it says. Where a path goes through any element of
a list (`[]`), a piece holds if it holds for one element.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Generic, TypeVar

from audience.filters.conditions import (
    Compare,
    Condition,
    ContainsAny,
    Either,
    ElementMeets,
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

Piece = (
    Present | Filled | HasKind | OneOf | ContainsAny | Matches | Compare | IsBoolean | OnDays | HoldsAny | ElementMeets
)
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
        """The condition on the value at `path` of the document.

        Through `[]` one element has to satisfy all that is asked together; what is negated, no element may.
        """
        root, is_one = self.root(document), Each.ELEMENT not in path

        def ask(asked: Condition) -> Sql:
            shortcut = self.shortcut(document, path, asked)
            return shortcut or self.walk(root, path, lambda node: self.combined(asked, partial(self.piece, node)))

        return self.combined(condition, ask, is_split=is_one)

    def meets(self, element: Node, demands: Sequence[tuple[Path, Condition]]) -> Sql:
        """All the demands on one element of a list."""
        return joined(" AND ", [self.inside(element, path, condition) for path, condition in demands])

    def inside(self, element: Node, path: Path, condition: Condition) -> Sql:
        """A demand on what is at the path inside an element."""

        def ask(asked: Condition) -> Sql:
            return self.walk(element, path, lambda node: self.combined(asked, partial(self.piece, node)))

        return self.combined(condition, ask, is_split=Each.ELEMENT not in path)

    def combined(self, condition: Condition, ask: Callable[[Any], Sql], is_split: bool = True) -> Sql:
        """NOT, AND and OR of what is asked. Unless split, positive conditions joined by AND are asked at once."""
        match condition:
            case Not(inner):
                return sql("(NOT {})", self.combined(inner, ask, is_split))
            case Every(conditions) if is_split or any(isinstance(each, Not) for each in conditions):
                return joined(" AND ", [self.combined(each, ask, is_split) for each in conditions])
            case Either(conditions):
                return joined(" OR ", [self.combined(each, ask, is_split) for each in conditions])
            case _:
                return ask(condition)

    def shortcut(self, document: Sql, path: Path, asked: Condition) -> Sql | None:
        """A better way to ask this of the whole document, if the database has one."""
        return None

    def walk(self, node: Node, path: Path, test: Callable[[Node], Sql]) -> Sql:
        """Go down the path, through any element where it says so, and test there."""
        for position, step in enumerate(path):
            if step is Each.ELEMENT:
                return self.any_element(node, partial(self.walk, path=path[position + 1 :], test=test))
            assert not isinstance(step, Each)
            node = self.get(node, step)
        return test(node)

    def any_element(self, node: Node, test: Callable[[Node], Sql]) -> Sql:
        """True if the test holds for one element of the list."""
        self._depth += 1
        source, element = self.elements(node, f"element_{self._depth}")
        return sql("EXISTS (SELECT 1 FROM {} WHERE {})", source, test(element))
