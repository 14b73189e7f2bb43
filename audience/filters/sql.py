"""A piece of SQL with its parameters, so that pieces can be put together safely."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Sql:
    text: str
    params: tuple[Any, ...] = ()


def sql(template: str, *parts: "Sql | Any") -> Sql:
    """Fill each `{}` of the template with the next part: SQL as it is, any other value as a parameter."""
    pieces = [part if isinstance(part, Sql) else Sql("%s", (part,)) for part in parts]
    params = tuple(param for piece in pieces for param in piece.params)
    return Sql(template.format(*(piece.text for piece in pieces)), params)


def joined(glue: str, parts: Iterable[Sql]) -> Sql:
    """The parts in one bracket with `glue` between them; of no parts, what is false."""
    parts = list(parts)
    if not parts:
        return Sql("FALSE")
    params = tuple(param for part in parts for param in part.params)
    return Sql("(" + glue.join(part.text for part in parts) + ")", params)
