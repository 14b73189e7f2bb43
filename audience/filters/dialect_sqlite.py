"""Conditions inside JSON text on SQLite."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

from audience import times
from audience.filters.conditions import (
    Compare,
    ContainsAny,
    ElementMeets,
    Filled,
    HasKind,
    HoldsAny,
    IsBoolean,
    Kind,
    Matches,
    Number,
    OnDays,
    OneOf,
    Present,
)
from audience.filters.dialect import Dialect, Piece
from audience.filters.sql import Sql, joined, sql

_TYPES = {Kind.TEXT: ["text"], Kind.NUMBER: ["integer", "real"], Kind.BOOLEAN: ["true", "false"], Kind.LIST: ["array"]}
_TIME_GLOB = "0000-00-00T00:00:00.000Z".replace("0", "[0-9]")


@dataclass(frozen=True, slots=True)
class Node:
    """A value: where it is, as JSON text and a path in it, and its type and content."""

    document: Sql
    path: str
    kind: Sql
    content: Sql


class SQLite(Dialect[Node]):
    def root(self, document: Sql) -> Node:
        return _at(document, "$")

    def get(self, node: Node, step: str | int) -> Node:
        if isinstance(step, int):
            return _at(node.document, f"{node.path}[{step}]")
        if '"' not in step:
            return _at(node.document, f"{node.path}.{json.dumps(step)}")
        # SQLite's paths can't hold a quote, so this name is looked for among the object's names.
        found = "(SELECT {} FROM json_each({}, {}) AS named WHERE named.key = {} AND {} = 'object')"
        parts = (node.document, node.path, step, node.kind)
        kind, content = (sql(found, Sql(f"named.{part}"), *parts) for part in ("type", "value"))
        return Node(_if_nested(kind, content), "$", kind, content)

    def elements(self, node: Node, alias: str) -> tuple[Sql, Node]:
        listed = sql("CASE WHEN {} = 'array' THEN {} END", node.kind, node.content)
        kind, content = Sql(f"{alias}.type"), Sql(f"{alias}.value")
        element = Node(_if_nested(kind, content), "$", kind, content)
        return sql("json_each({}) AS {}", listed, Sql(alias)), element

    def piece(self, node: Node, piece: Piece) -> Sql:
        match piece:
            case Present():
                return sql("COALESCE({} <> 'null', FALSE)", node.kind)
            case Filled():
                empty = sql("({} IN ('text', 'array') AND {} IN ('', '[]'))", node.kind, node.content)
                return sql("(COALESCE({} <> 'null', FALSE) AND NOT {})", node.kind, _or_false(empty))
            case HasKind(Kind.TIME):
                return self._if(node, Kind.TEXT, sql("{} GLOB {}", node.content, _TIME_GLOB))
            case HasKind(kind):
                return _or_false(self._is(node, kind))
            case OneOf(values):
                return self._one_of(node, values)
            case ContainsAny(parts):
                tests = [sql("instr({}, {}) > 0", node.content, part) for part in parts]
                return self._if(node, Kind.TEXT, joined(" OR ", tests))
            case Matches(pattern):
                return self._if(node, Kind.TEXT, sql("hookline_matches({}, {})", pattern, node.content))
            case Compare(sign, datetime() as moment):
                later = sql(f"{{}} {sign.value} {{}}", node.content, times.canonical(moment))
                return joined(" AND ", [self.piece(node, HasKind(Kind.TIME)), _or_false(later)])
            case Compare(sign, int() | float() as number):
                return self._if(node, Kind.NUMBER, sql(f"{{}} {sign.value} {{}}", node.content, number))
            case IsBoolean(value):
                return sql("COALESCE({} = {}, FALSE)", node.kind, json.dumps(value))
            case OnDays(ranges, zone):
                day = sql("hookline_month_day({}, {})", node.content, zone)
                within = joined(" OR ", [sql("{} BETWEEN {} AND {}", day, *each) for each in ranges])
                return sql("(CASE WHEN {} THEN {} ELSE FALSE END)", self.piece(node, HasKind(Kind.TIME)), within)
            case HoldsAny(element):
                return self.any_element(node, lambda each: self.piece(each, element))
            case ElementMeets(demands):
                return self.any_element(node, lambda each: self.meets(each, demands))
            case Compare():
                raise TypeError("inside a document there are times, not dates")
            case _:
                assert_never(piece)

    def _is(self, node: Node, kind: Kind) -> Sql:
        return sql("{} IN {}", node.kind, joined(", ", [sql("{}", name) for name in _TYPES[kind]]))

    def _if(self, node: Node, kind: Kind, test: Sql) -> Sql:
        """The test, asked only of values of the kind."""
        return sql("(CASE WHEN {} THEN {} ELSE FALSE END)", self._is(node, kind), test)

    def _one_of(self, node: Node, values: Iterable[str | Number]) -> Sql:
        texts = [value for value in values if isinstance(value, str)]
        numbers = [value for value in values if not isinstance(value, str)]
        tests = [
            self._if(node, kind, sql("{} IN {}", node.content, joined(", ", [sql("{}", value) for value in some])))
            for kind, some in ((Kind.TEXT, texts), (Kind.NUMBER, numbers))
            if some
        ]
        return joined(" OR ", tests)


def _at(document: Sql, path: str) -> Node:
    kind, content = sql("json_type({}, {})", document, path), sql("json_extract({}, {})", document, path)
    return Node(document, path, kind, content)


def _if_nested(kind: Sql, content: Sql) -> Sql:
    """The content where it is JSON to look into; elsewhere NULL, because SQLite refuses to read a bare text as JSON."""
    return sql("CASE WHEN {} IN ('object', 'array') THEN {} END", kind, content)


def _or_false(test: Sql) -> Sql:
    return sql("COALESCE({}, FALSE)", test)
