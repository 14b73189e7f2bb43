"""Conditions on values inside JSON columns, usable in a Q on both databases."""

from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import BooleanField, Expression, F
from django.db.models.sql.compiler import SQLCompiler

from audience.filters.conditions import Condition
from audience.filters.dialect_postgresql import PostgreSQL
from audience.filters.dialect_sqlite import SQLite
from audience.filters.paths import Path
from audience.filters.sql import Sql


class DocumentTest(Expression):
    """Whether the condition holds for the value at `path` of the JSON column `document`; usable in a Q."""

    conditional = True
    output_field = BooleanField()

    def __init__(self, document: str | F, path: Path, condition: Condition) -> None:
        super().__init__(BooleanField())
        self.document: Any = F(document) if isinstance(document, str) else document
        self.path, self.condition = path, condition

    def get_source_expressions(self) -> list[Any]:
        return [self.document]

    def set_source_expressions(self, exprs: Any) -> None:
        [self.document] = exprs

    def as_sql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **extra: Any
    ) -> tuple[str, tuple[Any, ...]]:
        column, params = compiler.compile(self.document)
        dialect = PostgreSQL() if connection.vendor == "postgresql" else SQLite()
        written = dialect.write(Sql(column, tuple(params)), self.path, self.condition)
        return written.text, written.params
