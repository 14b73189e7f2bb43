"""Conditions inside `jsonb`. Equality along plain names becomes containment, which a GIN index can answer."""

import json
from collections.abc import Iterable
from datetime import datetime
from typing import assert_never

from audience import times
from audience.filters.conditions import (
    Compare,
    Condition,
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
from audience.filters.paths import Path
from audience.filters.sql import Sql, joined, sql

_TYPES = {Kind.TEXT: "string", Kind.NUMBER: "number", Kind.BOOLEAN: "boolean", Kind.LIST: "array"}
_CONTAINED_AT_MOST = 8  # more alternatives are quicker as one IN
# A moment that a cast to timestamptz accepts whatever the year; 29 February is read from the text instead.
_CASTABLE = (
    r"^(000[1-9]|00[1-9][0-9]|0[1-9][0-9]{2}|[1-9][0-9]{3})-"
    r"((0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])|(0[13-9]|1[0-2])-(29|30)|(0[13578]|1[02])-31)"
    r"T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]\.[0-9]{3}Z$"
)


class PostgreSQL(Dialect[Sql]):
    """A node is an expression of type jsonb, SQL NULL where nothing is."""

    def root(self, document: Sql) -> Sql:
        return document

    def get(self, node: Sql, step: str | int) -> Sql:
        found = sql("({} -> {})", node, step)
        if isinstance(step, str):
            return found
        # A scalar that is a whole document counts as a list of one to PostgreSQL's operator.
        return sql("(CASE WHEN jsonb_typeof({}) = 'array' THEN {} END)", node, found)

    def elements(self, node: Sql, alias: str) -> tuple[Sql, Sql]:
        listed = sql("CASE WHEN jsonb_typeof({}) = 'array' THEN {} ELSE '[]'::jsonb END", node, node)
        return sql("jsonb_array_elements({}) AS {}(value)", listed, Sql(alias)), Sql(f"{alias}.value")

    def shortcut(self, document: Sql, path: Path, asked: Condition) -> Sql | None:
        names = [step for step in path if isinstance(step, str)]
        match asked:
            case OneOf(values) if len(names) == len(path):
                found: list[object] = [*values]
            case HoldsAny(OneOf(values)) if len(names) == len(path):
                found = [[value] for value in values]
            case _:
                return None
        if len(found) > _CONTAINED_AT_MOST or not found:
            return None
        return joined(" OR ", [sql("{} @> {}::jsonb", document, json.dumps(_nested(names, value))) for value in found])

    def piece(self, node: Sql, piece: Piece) -> Sql:
        match piece:
            case Present():
                return sql("COALESCE(jsonb_typeof({}) <> 'null', FALSE)", node)
            case Filled():
                return sql("COALESCE({} NOT IN ('null'::jsonb, '\"\"'::jsonb, '[]'::jsonb), FALSE)", node)
            case HasKind(Kind.TIME):
                return self._if(node, Kind.TEXT, sql("({} #>> '{{}}') ~ {}", node, times.CANONICAL))
            case HasKind(kind):
                return sql("COALESCE(jsonb_typeof({}) = {}, FALSE)", node, _TYPES[kind])
            case OneOf(values):
                return self._one_of(node, values)
            case ContainsAny(parts):
                tests = [sql("strpos({} #>> '{{}}', {}) > 0", node, part) for part in parts]
                return self._if(node, Kind.TEXT, joined(" OR ", tests))
            case Matches(pattern):
                return self._if(node, Kind.TEXT, sql("({} #>> '{{}}') ~ {}", node, pattern))
            case Compare(sign, datetime() as moment):
                later = sql(f"({{}} #>> '{{{{}}}}') COLLATE \"C\" {sign.value} {{}}", node, times.canonical(moment))
                return joined(" AND ", [self.piece(node, HasKind(Kind.TIME)), later])
            case Compare(sign, int() | float() as number):
                return self._if(node, Kind.NUMBER, sql(f"({{}})::numeric {sign.value} {{}}", node, _numeric(number)))
            case IsBoolean(value):
                return sql("COALESCE({} = {}::jsonb, FALSE)", node, json.dumps(value))
            case OnDays(ranges, zone):
                return self._on_days(node, ranges, zone)
            case HoldsAny(element):
                return self.any_element(node, lambda each: self.piece(each, element))
            case ElementMeets(demands):
                return self.any_element(node, lambda each: self.meets(each, demands))
            case Compare():
                raise TypeError("inside a document there are times, not dates")
            case _:
                assert_never(piece)

    def _if(self, node: Sql, kind: Kind, test: Sql) -> Sql:
        """The test, asked only of values of the kind."""
        return sql("CASE WHEN jsonb_typeof({}) = {} THEN {} ELSE FALSE END", node, _TYPES[kind], test)

    def _one_of(self, node: Sql, values: Iterable[str | Number]) -> Sql:
        literals = [sql("{}::jsonb", json.dumps(value)) for value in values]
        return sql("COALESCE({} IN {}, FALSE)", node, joined(", ", literals))

    def _on_days(self, node: Sql, ranges: Iterable[tuple[str, str]], zone: str) -> Sql:
        text = sql("({} #>> '{{}}')", node)
        local = sql("to_char({}::timestamptz AT TIME ZONE {}, 'MM-DD')", text, zone)
        day = sql(
            "CASE WHEN {} NOT LIKE {} AND {} ~ {} THEN {} ELSE substr({}, 6, 5) END",
            *(text, "%T00:00:00.000Z", text, _CASTABLE, local, text),
        )
        within = joined(" OR ", [sql('({}) COLLATE "C" BETWEEN {} AND {}', day, *each) for each in ranges])
        return sql("CASE WHEN {} THEN {} ELSE FALSE END", self.piece(node, HasKind(Kind.TIME)), within)


def _nested(names: Iterable[str], value: object) -> object:
    for name in reversed([*names]):
        value = {name: value}
    return value


def _numeric(number: Number) -> Sql:
    return sql("{}::numeric", repr(number))
