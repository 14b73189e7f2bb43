"""Filters on messages: received, last received, converted, in a control group (campaigns specification, 4.5)."""

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from django.db.models import DateTimeField, Exists, Max, OuterRef, Q, QuerySet, Subquery
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from audience.filters import MESSAGES, Filter, Leaf, Scope
from audience.filters.base import Fault
from audience.filters.expressions import test_time
from audience.filters.fields import Field, References, listed
from audience.filters.kinds import TIME, Ops, yes_or_no
from outreach.models import ControlEntry, Conversion, Outreach, Status, Variant
from webhooks.models import Receipt
from workspace.models import Tag

WHEN: Ops = {name: op for name, op in TIME.items() if op.fields and not name.startswith("in_")}
RECEIVED = ("received", _("has received")), ("not_received", _("has not received"))


def received() -> "QuerySet[Receipt]":
    """What the profile of the outer query received with a 2xx."""
    return Receipt.objects.filter(profile=OuterRef("pk"), received_at__isnull=False)


def latest(rows: "QuerySet[Any]", column: str) -> Subquery:
    """The latest of the profile's rows."""
    last = rows.order_by().values("profile").annotate(answer=Max(column)).values("answer")
    return Subquery(last, output_field=DateTimeField())


def outreach_choices() -> Sequence[tuple[int, str]]:
    rows = Outreach.objects.exclude(status=Status.ARCHIVED).order_by("name")
    return [*rows.values_list("pk", "name")]


def _campaign_choices() -> Sequence[tuple[int, str]]:
    rows = Outreach.objects.exclude(status=Status.ARCHIVED).filter(campaign__isnull=False).order_by("name")
    return [*rows.values_list("pk", "name")]


def _variant_choices() -> Sequence[tuple[int, str]]:
    rows = Variant.objects.filter(is_removed=False, is_control=False, outreach__campaign__isnull=False)
    rows = rows.exclude(outreach__status=Status.ARCHIVED).order_by("outreach__name", "position")
    return [(pk, f"{outreach} – {name}") for pk, outreach, name in rows.values_list("pk", "outreach__name", "name")]


def _tag_choices() -> Sequence[tuple[int, str]]:
    return [*Tag.objects.values_list("pk", "name")]


OUTREACH = References("ids", _("campaigns and Canvases"), model=Outreach, choices=outreach_choices)
CAMPAIGNS = References("ids", _("campaigns"), model=Outreach, choices=_campaign_choices)
VARIANTS = References("ids", _("variants"), model=Variant, choices=_variant_choices)
TAGS = References("ids", _("tags"), model=Tag, choices=_tag_choices)


class OfRows(Filter):
    """A filter on some rows, which a leaf names by their ids."""

    group = MESSAGES

    def __init__(self, name: str, label: Any, field: References) -> None:
        self.name, self.label, self.field = name, label, field

    def rows(self, ids: Iterable[int]) -> Iterable[Any]:
        return self.field.rows().filter(pk__in=ids)

    def load(self, leaves: Sequence[Leaf]) -> Mapping[Any, Any]:
        ids = {key for leaf in leaves if isinstance(leaf.get("ids"), list) for key in leaf["ids"] if type(key) is int}
        return {row.pk: row for row in self.rows(ids)}

    def extra_problems(self, leaf: Leaf, scope: Scope) -> Iterator[Fault]:
        for key in leaf["ids"]:
            if key not in scope.loaded[self.name]:
                kind = self.field.model._meta.verbose_name
                yield ("ids",), gettext("%(kind)s %(id)d no longer exists.") % {"kind": str(kind), "id": key}

    def names(self, leaf: Leaf, scope: Scope) -> str:
        return listed([scope.loaded[self.name][key].name for key in leaf["ids"]], gettext("or"))


class Whether(OfRows):
    """Yes or no: `answers` has both as (key, words)."""

    def __init__(self, name: str, label: Any, field: References, answers: Any) -> None:
        super().__init__(name, label, field)
        self.answers = answers

    def ops(self, leaf: Leaf) -> Ops:
        return yes_or_no(*self.answers, self.field)

    @abstractmethod
    def matching(self, leaf: Leaf, scope: Scope) -> "QuerySet[Any]":
        """The rows of the outer query's profile that make it a yes."""

    def compile(self, leaf: Leaf, scope: Scope) -> Q:
        found = Q(Exists(self.matching(leaf, scope)))
        return found if leaf["op"] == self.answers[0][0] else ~found

    def sentence(self, leaf: Leaf, scope: Scope) -> str:
        return f"{dict(self.answers)[leaf['op']]} {self.names(leaf, scope)}"


class LastTime(OfRows):
    """When it last happened with any of the rows; whom it never happened to matches neither way.

    `words` come before their names in a sentence.
    """

    def __init__(self, name: str, label: Any, field: References, words: Any) -> None:
        super().__init__(name, label, field)
        self.words = words

    def ops(self, leaf: Leaf) -> Ops:
        return WHEN

    def subject_fields(self, leaf: Leaf) -> Sequence[Field]:
        return (self.field,)

    @abstractmethod
    def when(self, leaf: Leaf, scope: Scope) -> Subquery:
        """The moment, NULL where it never happened."""

    def compile(self, leaf: Leaf, scope: Scope) -> Q:
        return test_time(self.when(leaf, scope), self.op(leaf).condition(leaf, scope))

    def subject(self, leaf: Leaf, scope: Scope) -> str:
        return f"{self.words} {self.names(leaf, scope)}"


def _from(leaf: Leaf, loaded: Mapping[int, Outreach]) -> "QuerySet[Receipt]":
    return received().filter(sender__in=[loaded[key].sender_id for key in leaf["ids"]])


class Received(Whether):
    """Received any of some campaigns or Canvases, or none of them."""

    def matching(self, leaf: Leaf, scope: Scope) -> "QuerySet[Receipt]":
        return _from(leaf, scope.loaded[self.name])


class LastReceivedFrom(LastTime):
    """When the profile last received any of some campaigns or Canvases; others don't matter."""

    def when(self, leaf: Leaf, scope: Scope) -> Subquery:
        return latest(_from(leaf, scope.loaded[self.name]), "received_at")


class ReceivedVariant(Whether):
    """Received one of some variants, or none of them."""

    def matching(self, leaf: Leaf, scope: Scope) -> "QuerySet[Receipt]":
        return received().filter(variant__in=leaf["ids"])


class Converted(Whether):
    """Converted from any of some campaigns, or from none; control groups are never counted."""

    def matching(self, leaf: Leaf, scope: Scope) -> "QuerySet[Conversion]":
        return Conversion.objects.filter(profile=OuterRef("pk"), outreach__in=leaf["ids"], is_control=False)


class InControl(Whether):
    """Was held back from any of some campaigns as their control group, or from none."""

    def matching(self, leaf: Leaf, scope: Scope) -> "QuerySet[ControlEntry]":
        return ControlEntry.objects.filter(profile=OuterRef("pk"), outreach__in=leaf["ids"])


def _tagged(leaf: Leaf, tags: Mapping[int, Tag]) -> "QuerySet[Receipt]":
    """Received from anything that carries one of the tags now, or a tag below them."""
    names = [tags[key].name.lower() for key in leaf["ids"]]
    family = [pk for pk, tag in tags.items() if any(f"{tag.name.lower()}/".startswith(f"{name}/") for name in names)]
    return received().filter(sender__in=Outreach.objects.filter(tags__in=family).values("sender_id"))


class ReceivedTagged(Whether):
    """Received anything with one of some tags, or nothing with any of them."""

    def rows(self, ids: Iterable[int]) -> Iterable[Any]:
        return Tag.objects.all()  # those below are asked about, too

    def matching(self, leaf: Leaf, scope: Scope) -> "QuerySet[Receipt]":
        return _tagged(leaf, scope.loaded[self.name])

    def sentence(self, leaf: Leaf, scope: Scope) -> str:
        if leaf["op"] == "received":
            return gettext("received something tagged %s") % self.names(leaf, scope)
        return gettext("received nothing tagged %s") % self.names(leaf, scope)


class LastReceivedTagged(LastTime):
    """When the profile last received anything with one of some tags."""

    def rows(self, ids: Iterable[int]) -> Iterable[Any]:
        return Tag.objects.all()

    def when(self, leaf: Leaf, scope: Scope) -> Subquery:
        return latest(_tagged(leaf, scope.loaded[self.name]), "received_at")


class LastReceived(Filter):
    """When the profile last received anything at all; who never did matches neither way."""

    name = "last_received"
    label = _("last received any message")
    group = MESSAGES

    def ops(self, leaf: Leaf) -> Ops:
        return WHEN

    def compile(self, leaf: Leaf, scope: Scope) -> Q:
        return test_time(latest(received(), "received_at"), self.op(leaf).condition(leaf, scope))


class LastInControl(Filter):
    """When the profile was last held back from a campaign as its control group."""

    name = "last_in_control"
    label = _("last enrolled in any control group")
    group = MESSAGES

    def ops(self, leaf: Leaf) -> Ops:
        return WHEN

    def compile(self, leaf: Leaf, scope: Scope) -> Q:
        entries = ControlEntry.objects.filter(profile=OuterRef("pk"))
        return test_time(latest(entries, "entered_at"), self.op(leaf).condition(leaf, scope))


class ReceivedAnything(Filter):
    """Whether the profile ever received anything."""

    name = "received_anything"
    label = _("ever received anything")
    group = MESSAGES
    answers = ("ever", _("has received something")), ("never", _("has never received anything"))

    def ops(self, leaf: Leaf) -> Ops:
        return yes_or_no(*self.answers)

    def compile(self, leaf: Leaf, scope: Scope) -> Q:
        found = Q(Exists(received()))
        return found if leaf["op"] == "ever" else ~found

    def sentence(self, leaf: Leaf, scope: Scope) -> str:
        return str(dict(self.answers)[leaf["op"]])


FILTERS: tuple[Filter, ...] = (
    Received("received_outreach", _("received a campaign or Canvas"), OUTREACH, RECEIVED),
    LastReceivedFrom("last_received_outreach", _("last received a campaign or Canvas"), OUTREACH, _("last received")),
    ReceivedVariant("received_variant", _("received a variant of a campaign"), VARIANTS, RECEIVED),
    LastReceived(),
    ReceivedAnything(),
    ReceivedTagged("received_tag", _("received from anything with a tag"), TAGS, RECEIVED),
    LastReceivedTagged(
        "last_received_tag", _("last received from anything with a tag"), TAGS, _("last received something tagged")
    ),
    Converted(
        "converted",
        _("converted from a campaign"),
        CAMPAIGNS,
        (("in", _("has converted from")), ("not_in", _("has not converted from"))),
    ),
    InControl(
        "in_control",
        _("in a campaign's control group"),
        CAMPAIGNS,
        (("in", _("is in the control group of")), ("not_in", _("is not in the control group of"))),
    ),
    LastInControl(),
)
