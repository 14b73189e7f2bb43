"""What filters ask of events, purchases and their summaries.

Lifetime questions read the summaries, which are kept for ever; questions about the last days read the occurrences.
While an event is reacted to, its own rows stay unseen: the history is the one before it.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import (
    BigIntegerField,
    Case,
    Count,
    DateTimeField,
    DecimalField,
    Exists,
    F,
    Max,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Coalesce

from audience.filters.columns import Column
from audience.filters.conditions import Compare, Condition, Either, Every, Not, OneOf, Present, Sign
from audience.filters.expressions import EVERYBODY, test_number, test_time
from audience.filters.scope import Scope
from audience.models import CustomEvent, EventSummary, Purchase

Kind = EventSummary.Kind
Occurrences = QuerySet[Any]


@dataclass(frozen=True)
class Subject:
    """What happened: events of a name, purchases, or purchases of some products. No names: any."""

    kind: str
    names: tuple[str, ...] = ("",)

    def summaries(self) -> "QuerySet[EventSummary]":
        """Each profile's summaries of it."""
        return EventSummary.objects.filter(profile=OuterRef("pk"), kind=self.kind, name__in=self.names)

    def occurrences(self, scope: Scope) -> Occurrences:
        """Each profile's occurrences of it, without those that must stay unseen."""
        if self.kind == Kind.EVENT:
            rows: Occurrences = CustomEvent.objects.filter(profile=OuterRef("pk"), name__in=self.names)
            return rows.exclude(pk__in=scope.unseen.events) if scope.unseen.events else rows
        rows = Purchase.objects.filter(profile=OuterRef("pk"))
        rows = rows.filter(product_id__in=self.names) if self.kind == Kind.PRODUCT else rows
        return rows.exclude(pk__in=scope.unseen.purchases) if scope.unseen.purchases else rows

    def unseen(self, scope: Scope) -> Occurrences | None:
        """Each profile's occurrences that must stay unseen; None if there are none at all."""
        if self.kind == Kind.EVENT:
            ids, rows = scope.unseen.events, CustomEvent.objects.filter(name__in=self.names)
        else:
            ids, rows = scope.unseen.purchases, Purchase.objects.all()  # type: ignore[assignment]
            rows = rows.filter(product_id__in=self.names) if self.kind == Kind.PRODUCT else rows
        return rows.filter(pk__in=ids, profile=OuterRef("pk")) if ids else None
