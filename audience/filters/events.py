"""Filters on custom events, sessions and purchases."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db.models import Case, DateTimeField, DecimalField, Exists, F, Max, OuterRef, Q, Subquery, Sum, Value, When
from django.db.models.functions import Coalesce, Round
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from audience import money
from audience.filters import history
from audience.filters.base import CUSTOM_DATA, Fault, Filter
from audience.filters.conditions import Compare, Condition, HasKind, Sign
from audience.filters.conditions import Kind as ValueKind
from audience.filters.custom import PROPERTY, Conditions
from audience.filters.documents import DocumentTest
from audience.filters.expressions import test_number, test_time
from audience.filters.fields import Choice, Field, NumberField, Text, Texts
from audience.filters.history import Kind, Subject
from audience.filters.kinds import NUMBER, TIME, Op, Ops, yes_or_no
from audience.filters.scope import Leaf, Scope
from audience.models import EventSummary, Purchase

MAX_WINDOW_DAYS = 30
EVENT = Text("name", _("event"), suggestions="events")
PRODUCT = Texts("products", _("products"), suggestions="products")
_LIFETIME = NumberField("value", _("times"), low=0, high=1_000_000_000, is_whole=True)
_RECENT = NumberField("value", _("times"), low=0, high=50, is_whole=True)
_WINDOW = NumberField("within", _("in the last"), low=1, high=MAX_WINDOW_DAYS * 24, is_whole=True)
_UNIT = Choice("unit", _("unit"), is_optional=True, choices=lambda: [("days", _("days")), ("hours", _("hours"))])


def _counting(field: NumberField) -> Ops:
    """The comparisons of a count."""
    names = {"more": _("more than %(value)s times"), "less": _("fewer than %(value)s times")}
    names |= {"exactly": _("exactly %(value)s times"), "at_least": _("at least %(value)s times")}
    return {name: Op(NUMBER[name].label, words, NUMBER[name].condition, (field,)) for name, words in names.items()}


_COUNT_EVER, _COUNT_RECENT = _counting(_LIFETIME), _counting(_RECENT)
_WHEN: Ops = {name: op for name, op in TIME.items() if op.fields and not name.startswith("in_")}
_SECONDS = NumberField("value", _("seconds"), low=0, high=1_000_000)
_LENGTH: Ops = {
    name: Op(NUMBER[name].label, NUMBER[name].words, NUMBER[name].condition, (_SECONDS,))
    for name in ("more", "less", "exactly", "at_least")
}
_SPENT: Ops = {name: op for name, op in NUMBER.items() if name in ("more", "less", "exactly", "at_least", "at_most")}


class What:
    """Which occurrences a filter is about: its inputs, its words, and its rows."""

    def __init__(self, key: str, label: Any, kind: str, field: Field | None = None, name: str = "") -> None:
        self.key, self.label, self.kind, self.field, self.name = key, label, kind, field, name

    @property
    def fields(self) -> Sequence[Field]:
        return (self.field,) if self.field else ()

    def subject(self, leaf: Leaf) -> Subject:
        if self.field is None:
            return Subject(self.kind, (self.name,))
        value = leaf[self.field.key]
        return Subject(self.kind, tuple(value) if isinstance(value, list) else (value,))

    def words(self, leaf: Leaf) -> str:
        return self.field.words(leaf[self.field.key]) if self.field else str(self.label)


CUSTOM_EVENT = What("custom_event", _("custom event"), Kind.EVENT, EVENT)
PURCHASES = What("purchase", _("purchase"), Kind.PURCHASE)
PRODUCTS = What("product", _("product"), Kind.PRODUCT, PRODUCT)
SESSIONS = What("session", _("session"), Kind.EVENT, name=settings.SESSION_EVENT)


class HistoryFilter(Filter):
    """What filters on occurrences share."""

    group = CUSTOM_DATA

    def __init__(self, name: str, label: Any, what: What) -> None:
        self.name, self.label, self.what = name, label, what

    def subject_fields(self, leaf: Leaf) -> Sequence[Field]:
        return self.what.fields


class LifetimeCount(HistoryFilter):
    """How often it ever happened. Exactly 0 is never."""

    def ops(self, leaf: Leaf) -> Ops:
        return _COUNT_EVER

    def compile(self, leaf: Leaf, scope: Scope) -> Q:
        return history.lifetime_count(self.what.subject(leaf), scope, self.op(leaf).condition(leaf, scope))

    def sentence(self, leaf: Leaf, scope: Scope) -> str:
        what = self.what.words(leaf)
        if leaf["op"] == "exactly" and leaf["value"] == 0:
            return gettext("never %s") % what
        return gettext("%(what)s %(times)s") % {"what": what, "times": self.op(leaf).sentence(leaf)}


class FirstTime(HistoryFilter):
    """When it first happened; who never did it matches neither way."""

    def ops(self, leaf: Leaf) -> Ops:
        return _WHEN

    def compile(self, leaf: Leaf, scope: Scope) -> Q:
        return history.first_time(self.what.subject(leaf), scope, self.op(leaf).condition(leaf, scope))

    def subject(self, leaf: Leaf, scope: Scope) -> str:
        return gettext("first %s") % self.what.words(leaf)


class LastTime(FirstTime):
    """When it last happened."""

    def compile(self, leaf: Leaf, scope: Scope) -> Q:
        return history.last_time(self.what.subject(leaf), scope, self.op(leaf).condition(leaf, scope))

    def subject(self, leaf: Leaf, scope: Scope) -> str:
        return gettext("last %s") % self.what.words(leaf)


class RecentCount(HistoryFilter):
    """X times in the last Y calendar days of UTC (today is day 0) or hours; only occurrences that meet conditions."""

    conditions = Conditions(is_optional=True, row=PROPERTY)

    def ops(self, leaf: Leaf) -> Ops:
        return _COUNT_RECENT

    def further_fields(self, leaf: Leaf) -> Sequence[Field]:
        return (_WINDOW, _UNIT, self.conditions)

    def extra_problems(self, leaf: Leaf, scope: Scope) -> Iterator[Fault]:
        if leaf.get("unit", "days") != "hours" and leaf["within"] > MAX_WINDOW_DAYS:
            yield ("within",), gettext("At most %d days.") % MAX_WINDOW_DAYS
        yield from self.conditions.inner_problems(leaf, scope)

    def compile(self, leaf: Leaf, scope: Scope) -> Q:
        rows = self.what.subject(leaf).seen(scope)
        rows = rows.filter(occurred_at__gte=window_start(leaf, scope), occurred_at__lte=scope.now)
        for each in leaf.get("conditions") or []:
            rows = rows.filter(PROPERTY.compile(each, scope))
        return history.count_since(rows, self.op(leaf).condition(leaf, scope))

    def sentence(self, leaf: Leaf, scope: Scope) -> str:
        conditions = self.conditions.sentences(leaf, scope)
        return gettext("%(what)s %(times)s in the last %(window)s%(conditions)s") % {
            "what": self.what.words(leaf),
            "times": self.op(leaf).sentence(leaf),
            "window": window_words(leaf),
            "conditions": gettext(" where %s") % conditions if conditions else "",
        }


class MedianLength(HistoryFilter):
    """How long sessions were, by their property `duration` (a number of seconds): the middle one of those kept.

    Of an even number it is the shorter one of the two in the middle. Who has none matches nothing.
    """

    def ops(self, leaf: Leaf) -> Ops:
        return _LENGTH

    def compile(self, leaf: Leaf, scope: Scope) -> Q:
        rows = self.what.subject(leaf).seen(scope)
        lengths = rows.filter(_duration(HasKind(ValueKind.NUMBER)))

        def middle_is(sign: Sign) -> Q:
            return history.is_most(lengths.filter(_duration(Compare(sign, leaf["value"]))), lengths)

        match leaf["op"]:
            case "more":
                return middle_is(Sign.MORE)
            case "at_least":
                return middle_is(Sign.AT_LEAST)
            case "exactly":
                return middle_is(Sign.AT_LEAST) & ~middle_is(Sign.MORE)
            case _:
                return Q(Exists(lengths)) & ~middle_is(Sign.AT_LEAST)

    def subject(self, leaf: Leaf, scope: Scope) -> str:
        return gettext("median session duration in seconds")


def _duration(condition: Condition) -> DocumentTest:
    return DocumentTest(PROPERTY.document, ("duration",), condition)


class Bought(HistoryFilter):
    """Ever bought one of some products, or never any of them."""

    def ops(self, leaf: Leaf) -> Ops:
        return yes_or_no(("ever", _("ever")), ("never", _("never")))

    def compile(self, leaf: Leaf, scope: Scope) -> Q:
        condition = NUMBER["more"].condition({"value": 0}, scope)
        bought = history.lifetime_count(self.what.subject(leaf), scope, condition)
        return bought if leaf["op"] == "ever" else ~bought

    def sentence(self, leaf: Leaf, scope: Scope) -> str:
        words = gettext("has bought %s") if leaf["op"] == "ever" else gettext("has never bought %s")
        return words % self.what.words(leaf)


class Spent(HistoryFilter):
    """Money spent, refunds taken off, in the workspace's currency. Money without a rate counts as nothing."""

    def __init__(self, name: str, label: Any, is_recent: bool) -> None:
        super().__init__(name, label, PURCHASES)
        self.is_recent = is_recent

    def ops(self, leaf: Leaf) -> Ops:
        return _SPENT

    def further_fields(self, leaf: Leaf) -> Sequence[Field]:
        return (NumberField("within", _("in the last days"), low=1, high=30, is_whole=True),) if self.is_recent else ()

    def load(self, leaves: Sequence[Leaf]) -> Mapping[Any, Any]:
        return money.rates()

    def compile(self, leaf: Leaf, scope: Scope) -> Q:
        spent = self._recently(leaf, scope) if self.is_recent else self._ever(scope)
        return test_number(Round(spent, precision=4), self.op(leaf).condition(leaf, scope))

    def _recently(self, leaf: Leaf, scope: Scope) -> Any:
        since = window_start(leaf, scope)
        rows = self.what.subject(leaf).seen(scope)
        return self._total(rows.filter(occurred_at__gte=since, occurred_at__lte=scope.now), scope)

    def _ever(self, scope: Scope) -> Any:
        summaries = EventSummary.objects.filter(profile=OuterRef("pk"), kind=Kind.CURRENCY)
        total = _summed(summaries, _in_own_currency("name", F("amount"), self._rates(scope)))
        hidden = scope.unseen.purchases
        if not hidden:
            return total
        return total - self._total(Purchase.objects.filter(profile=OuterRef("pk"), pk__in=hidden), scope)

    def _total(self, purchases: Any, scope: Scope) -> Any:
        return _summed(purchases, _in_own_currency("currency", F("price") * F("quantity"), self._rates(scope)))

    def _rates(self, scope: Scope) -> Mapping[str, Decimal]:
        return scope.loaded[self.name]

    def sentence(self, leaf: Leaf, scope: Scope) -> str:
        words = gettext("money spent in the last %s") % window_words(leaf) if self.is_recent else gettext("money spent")
        return f"{words} {self.op(leaf).sentence(leaf)} {settings.CURRENCY}"


def _in_own_currency(code: str, amount: Any, rates: Mapping[str, Decimal]) -> Any:
    cases = [When(**{code: each}, then=amount * Value(rate, output_field=_money())) for each, rate in rates.items()]
    return Case(*cases, default=_nothing(), output_field=_money())


def _summed(rows: Any, amount: Any) -> Any:
    total = rows.order_by().values("profile").annotate(answer=Sum(amount, output_field=_money())).values("answer")
    return Coalesce(Subquery(total, output_field=_money()), _nothing())


def _money() -> DecimalField:
    return DecimalField(max_digits=40, decimal_places=14)


def _nothing() -> Value:
    return Value(Decimal(0), output_field=_money())


class LastActive(Filter):
    """When the profile last did anything."""

    name = "last_active"
    label = _("last active")
    group = CUSTOM_DATA

    def ops(self, leaf: Leaf) -> Ops:
        return _WHEN

    def compile(self, leaf: Leaf, scope: Scope) -> Q:
        rows = EventSummary.objects.filter(profile=OuterRef("pk"), kind__in=(Kind.EVENT, Kind.PURCHASE))
        last = rows.order_by().values("profile").annotate(answer=Max("last_at")).values("answer")
        return test_time(Subquery(last, output_field=DateTimeField()), self.op(leaf).condition(leaf, scope))


def window_start(leaf: Leaf, scope: Scope) -> datetime:
    """Where "in the last" begins: so many UTC calendar days before today, or so many hours ago."""
    if leaf.get("unit") == "hours":
        return scope.now - timedelta(hours=leaf["within"])
    return scope.start_of_utc_day(leaf["within"])


def window_words(leaf: Leaf) -> str:
    if leaf.get("unit") == "hours":
        return ngettext("%d hour", "%d hours", leaf["within"]) % leaf["within"]
    return ngettext("%d day", "%d days", leaf["within"]) % leaf["within"]


EVENTS: tuple[Filter, ...] = (
    LifetimeCount("custom_event_count", _("custom event, ever"), CUSTOM_EVENT),
    FirstTime("custom_event_first", _("custom event, first time"), CUSTOM_EVENT),
    LastTime("custom_event_last", _("custom event, last time"), CUSTOM_EVENT),
    RecentCount("custom_event_recent", _("custom event, in the last days"), CUSTOM_EVENT),
    LifetimeCount("purchase_count", _("purchases, ever"), PURCHASES),
    FirstTime("purchase_first", _("first purchase"), PURCHASES),
    LastTime("purchase_last", _("last purchase"), PURCHASES),
    RecentCount("purchase_recent", _("purchases, in the last days"), PURCHASES),
    Bought("product_bought", _("bought a product"), PRODUCTS),
    LastTime("product_last", _("last bought a product"), PRODUCTS),
    RecentCount("product_recent", _("bought a product, in the last days"), PRODUCTS),
    Spent("money_spent", _("money spent, ever"), is_recent=False),
    Spent("money_spent_recent", _("money spent, in the last days"), is_recent=True),
    LifetimeCount("session_count", _("sessions, ever"), SESSIONS),
    FirstTime("session_first", _("first session"), SESSIONS),
    LastTime("session_last", _("last session"), SESSIONS),
    RecentCount("session_recent", _("sessions, in the last days"), SESSIONS),
    MedianLength("session_median", _("median session duration"), SESSIONS),
    LastActive(),
)
