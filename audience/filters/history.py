"""What filters ask of events, purchases and their summaries.

Lifetime questions read the summaries, which are kept for ever; questions about the last days read the occurrences.
While an event is reacted to, its own rows stay unseen: the history is the one before it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.models import (
    BigIntegerField,
    Case,
    Count,
    DateTimeField,
    Exists,
    Max,
    Min,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    When,
)
from django.db.models.functions import Coalesce

from audience.filters.columns import NOBODY, Column, all_of
from audience.filters.conditions import Compare, Condition, Either, Every, Not, OneOf, Present, Sign
from audience.filters.expressions import EVERYBODY, test_number, test_time
from audience.filters.scope import Scope
from audience.models import CustomEvent, EventSummary, Purchase

Kind = EventSummary.Kind
Occurrences = QuerySet[Any]
AtLeast = Callable[[int], Q]


@dataclass(frozen=True)
class Subject:
    """What happened: events of these names, all purchases, or purchases of these products."""

    kind: str
    names: tuple[str, ...] = ("",)

    def summaries(self) -> "QuerySet[EventSummary]":
        """Each profile's summaries of it."""
        return EventSummary.objects.filter(profile=OuterRef("pk"), kind=self.kind, name__in=self.names)

    def occurrences(self) -> Occurrences:
        """Each profile's occurrences of it, those that must stay unseen included."""
        if self.kind == Kind.EVENT:
            return CustomEvent.objects.filter(profile=OuterRef("pk"), name__in=self.names)
        purchases = Purchase.objects.filter(profile=OuterRef("pk"))
        return purchases.filter(product_id__in=self.names) if self.kind == Kind.PRODUCT else purchases

    def unseen(self, scope: Scope) -> frozenset[int]:
        """The ids of occurrences, of whatever name, that must stay unseen."""
        return scope.unseen.events if self.kind == Kind.EVENT else scope.unseen.purchases

    def seen(self, scope: Scope) -> Occurrences:
        """Each profile's occurrences that count."""
        hidden = self.unseen(scope)
        return self.occurrences().exclude(pk__in=hidden) if hidden else self.occurrences()


def lifetime_count(subject: Subject, scope: Scope, condition: Condition) -> Q:
    """The condition on how often it ever happened; never is 0."""
    if subject.unseen(scope) or len(subject.names) > 1:
        return test_number(_count_before(subject, scope), condition)
    return by_steps(condition, lambda least: Q(Exists(subject.summaries().filter(count__gte=least))))


def count_since(occurrences: Occurrences, condition: Condition) -> Q:
    """The condition on the number of these occurrences of a profile."""
    if occurrences.model is Purchase:
        return test_number(_scalar(occurrences, Sum("quantity")), condition)
    return by_steps(condition, lambda least: Q(Exists(occurrences[least - 1 :])))


def is_most(part: Occurrences, whole: Occurrences) -> Q:
    """Whether more than half of a profile's occurrences belong to a part of them.

    For a part like "longer than 60" that says whether the middle one does; of an even number, the lower one.
    """
    twice = _scalar(part, Count("pk")) * 2
    return test_number(twice - _scalar(whole, Count("pk")), Compare(Sign.MORE, 0))


def by_steps(condition: Condition, at_least: AtLeast) -> Q:
    """A condition on a count, asked only as "at least n": the database stops at the nth row."""
    match condition:
        case Not(inner):
            return ~by_steps(inner, at_least)
        case Every(conditions):
            return all_of(by_steps(each, at_least) for each in conditions)
        case Either((first, Not(Present()))):  # without a value counts as 0, which a count never lacks
            return by_steps(first, at_least)
        case OneOf((int(n),)):
            return _from(n, at_least) & ~_from(n + 1, at_least)
        case Compare(Sign.AT_LEAST, int(n)):
            return _from(n, at_least)
        case Compare(Sign.MORE, int(n)):
            return _from(n + 1, at_least)
        case Compare(Sign.LESS, int(n)):
            return ~_from(n, at_least)
        case Compare(Sign.AT_MOST, int(n)):
            return ~_from(n + 1, at_least)
    raise TypeError(f"{condition} can't be asked of a count")


def _from(least: int, at_least: AtLeast) -> Q:
    return at_least(least) if least > 0 else EVERYBODY


def first_time(subject: Subject, scope: Scope, condition: Condition) -> Q:
    """The condition on when it first happened; a profile that never did it matches nothing but "never"."""
    if not subject.unseen(scope) and len(subject.names) == 1:
        return Q(Exists(subject.summaries().filter(Column("first_at", is_text=False).test(condition))))
    happened = Q(test_number(_count_before(subject, scope), Compare(Sign.MORE, 0)))
    first = _scalar(subject.summaries(), Min("first_at"), DateTimeField())
    return happened & test_time(first, condition)


def last_time(subject: Subject, scope: Scope, condition: Condition) -> Q:
    """The condition on when it last happened."""
    if not subject.unseen(scope) and len(subject.names) == 1:
        return Q(Exists(subject.summaries().filter(Column("last_at", is_text=False).test(condition))))
    return test_time(_last_before(subject, scope), condition)


def _count_before(subject: Subject, scope: Scope) -> Any:
    """How often it happened, without the occurrences that must stay unseen."""
    count = Coalesce(_scalar(subject.summaries(), Sum("count")), 0)
    hidden = subject.unseen(scope)
    if not hidden:
        return count
    rows = subject.occurrences().filter(pk__in=hidden)
    return count - _scalar(rows, Count("pk") if subject.kind == Kind.EVENT else Sum("quantity"))


def _last_before(subject: Subject, scope: Scope) -> Any:
    """When it last happened before. Where older occurrences are pruned already, at least the first time is known."""
    summaries = subject.summaries()
    if not subject.unseen(scope):
        return _scalar(summaries, Max("last_at"), DateTimeField())
    last = _scalar(subject.seen(scope), Max("occurred_at"), DateTimeField())
    first = _scalar(summaries, Min("first_at"), DateTimeField())
    happened = test_number(_count_before(subject, scope), Compare(Sign.MORE, 0))
    return Case(When(happened, then=Coalesce(last, first)), default=None, output_field=DateTimeField())


def _scalar(rows: "QuerySet[Any]", aggregate: Any, output: Any = None) -> Any:
    """One number (0 if there is no row) or time (NULL then) over a profile's rows."""
    grouped = rows.order_by().values("profile").annotate(answer=aggregate).values("answer")
    if output is not None:
        return Subquery(grouped, output_field=output)
    return Coalesce(Subquery(grouped, output_field=BigIntegerField()), 0)


__all__ = ["NOBODY", "Subject", "by_steps", "count_since", "first_time", "last_time", "lifetime_count"]
