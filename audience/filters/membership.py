"""Filters on lists of people: other segments, imports, suppression lists, the global control group."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.db.models import Exists, Model, OuterRef, Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from audience.filters import tree
from audience.filters.base import LISTS, Fault, Filter
from audience.filters.columns import Column, all_of, any_of
from audience.filters.conditions import Condition, Every, Filled, HasKind, Not, Present
from audience.filters.fields import Field, References, Text, listed
from audience.filters.kinds import TEXT, Op, Ops, yes_or_no
from audience.filters.scope import Leaf, Scope
from audience.models import (
    Alias,
    GlobalControl,
    Import,
    ImportedProfile,
    Segment,
    SubscriptionGroup,
    SubscriptionState,
    SuppressionList,
)

LEVELS = 3


class SegmentMembership(Filter):
    """In any of some segments, or in none of them. Included up to three levels deep, never in a circle."""

    name = "segment"
    label = _("segment membership")
    group = LISTS

    def ops(self, leaf: Leaf) -> Ops:
        field = References("segments", _("segments"), model=Segment, choices=_segments)
        return yes_or_no(("in", _("is in any of")), ("not_in", _("is in none of")), field)

    def extra_problems(self, leaf: Leaf, scope: Scope) -> Iterator[Fault]:
        for key in leaf["segments"]:
            rules = scope.segments.get(key)
            if rules is None:
                yield ("segments",), gettext("Segment %d no longer exists.") % key
            elif rules.is_archived:
                yield ("segments",), gettext("Segment “%s” is archived.") % rules.name
            elif key in scope.inside:
                yield ("segments",), gettext("Segments include each other: %s.") % self._way(key, scope)
            elif len(scope.inside) >= LEVELS:
                yield ("segments",), gettext("Segments include each other more than %d levels deep.") % LEVELS
            else:
                yield from self._inner_problems(key, scope)

    def _inner_problems(self, key: int, scope: Scope) -> Iterator[Fault]:
        rules = scope.segments[key]
        if tree.is_empty(rules.tree):
            yield ("segments",), gettext("Segment “%s” has no filters: it selects nobody.") % rules.name
        for problem in tree.faults(rules.tree, scope.within(key)):
            yield (
                ("segments",),
                gettext("Segment “%(name)s”: %(problem)s")
                % {
                    "name": rules.name,
                    "problem": problem.sentence,
                },
            )

    def _way(self, key: int, scope: Scope) -> str:
        way = (*scope.inside[scope.inside.index(key) :], key)
        return " → ".join(scope.segments[each].name for each in way)

    def compile(self, leaf: Leaf, scope: Scope) -> Q:
        inside = any_of(tree.compile(scope.segments[key].tree, scope.within(key)) for key in leaf["segments"])
        return inside if leaf["op"] == "in" else ~inside

    def sentence(self, leaf: Leaf, scope: Scope) -> str:
        names = [scope.segments[key].name for key in leaf["segments"]]
        words = gettext("in segment %s") if leaf["op"] == "in" else gettext("not in segment %s")
        return words % listed(names, gettext("or"))


class RowsFilter(Filter):
    """Has to do with one of some rows (imports, lists, groups) that must exist."""

    model: type[Model]

    def load(self, leaves: Sequence[Leaf]) -> Mapping[Any, Any]:
        ids = {key for leaf in leaves if isinstance(leaf.get("ids"), list) for key in leaf["ids"] if type(key) is int}
        return {row.pk: row for row in self.model._default_manager.filter(pk__in=ids)}

    def extra_problems(self, leaf: Leaf, scope: Scope) -> Iterator[Fault]:
        for key in leaf["ids"]:
            if key not in scope.loaded[self.name]:
                yield ("ids",), gettext("%(what)s %(id)d no longer exists.") % {"what": self.label, "id": key}

    def names(self, leaf: Leaf, scope: Scope) -> str:
        return listed([str(scope.loaded[self.name][key]) for key in leaf["ids"]], gettext("or"))


class Imported(RowsFilter):
    """Created or updated by one of some imports."""

    name = "imported"
    label = _("imported from CSV")
    group = LISTS
    model = Import

    def ops(self, leaf: Leaf) -> Ops:
        field = References("ids", _("files"), model=Import, choices=_imports)
        return yes_or_no(("in", _("in any of")), ("not_in", _("in none of")), field)

    def compile(self, leaf: Leaf, scope: Scope) -> Q:
        found = Q(Exists(ImportedProfile.objects.filter(profile=OuterRef("pk"), source__in=leaf["ids"])))
        return found if leaf["op"] == "in" else ~found

    def sentence(self, leaf: Leaf, scope: Scope) -> str:
        words = gettext("imported from %s") if leaf["op"] == "in" else gettext("not imported from %s")
        return words % self.names(leaf, scope)


class SubscriptionGroupState(RowsFilter):
    """Subscribed to, left, or never said anything about one of some groups."""

    name = "subscription_group"
    label = _("subscription group")
    model = SubscriptionGroup

    def ops(self, leaf: Leaf) -> Ops:
        field = References("ids", _("groups"), model=SubscriptionGroup, choices=_groups)
        labels = {
            "subscribed": _("subscribed to"),
            "unsubscribed": _("unsubscribed from"),
            "never_set": _("never set for"),
        }
        return {name: Op(label, label, lambda leaf, scope: Present(), (field,)) for name, label in labels.items()}

    def compile(self, leaf: Leaf, scope: Scope) -> Q:
        states = SubscriptionState.objects.filter(profile=OuterRef("pk"))
        if leaf["op"] == "never_set":
            return any_of(~Q(Exists(states.filter(group=key))) for key in leaf["ids"])
        return Q(Exists(states.filter(group__in=leaf["ids"], state=leaf["op"])))

    def sentence(self, leaf: Leaf, scope: Scope) -> str:
        return f"{self.op(leaf).label} {self.names(leaf, scope)}"


class Suppressed(RowsFilter):
    """On one of some suppression lists, whether active or not."""

    name = "suppression_list"
    label = _("suppression list")
    group = LISTS
    model = SuppressionList

    def ops(self, leaf: Leaf) -> Ops:
        field = References("ids", _("lists"), model=SuppressionList, choices=_suppression_lists)
        return yes_or_no(("in", _("on any of")), ("not_in", _("on none of")), field)

    def extra_problems(self, leaf: Leaf, scope: Scope) -> Iterator[Fault]:
        yield from super().extra_problems(leaf, scope)
        for row in scope.loaded[self.name].values():
            if any(inner["filter"] in ("segment", self.name) for inner in tree.leaves(row.filters)):
                yield ("ids",), gettext("“%s” is built from other lists or segments; use those themselves.") % row
            for problem in tree.faults(row.filters, scope):
                yield ("ids",), f"{row}: {problem.sentence}"

    def compile(self, leaf: Leaf, scope: Scope) -> Q:
        found = any_of(tree.compile(scope.loaded[self.name][key].filters, scope) for key in leaf["ids"])
        return found if leaf["op"] == "in" else ~found

    def sentence(self, leaf: Leaf, scope: Scope) -> str:
        words = gettext("on suppression list %s") if leaf["op"] == "in" else gettext("not on suppression list %s")
        return words % self.names(leaf, scope)


class InGlobalControl(Filter):
    """Belongs to the global control group that runs at the moment; with none running, nobody does."""

    name = "global_control"
    label = _("global control group")
    group = LISTS

    def ops(self, leaf: Leaf) -> Ops:
        return yes_or_no(("in", _("is in")), ("not_in", _("is not in")))

    def load(self, leaves: Sequence[Leaf]) -> Mapping[Any, Any]:
        running = GlobalControl.objects.filter(ended_at__isnull=True).values_list("ranges", flat=True)
        return {"ranges": [pair for ranges in running for pair in ranges]}

    def compile(self, leaf: Leaf, scope: Scope) -> Q:
        found = in_ranges(scope.loaded[self.name]["ranges"])
        return found if leaf["op"] == "in" else ~found

    def sentence(self, leaf: Leaf, scope: Scope) -> str:
        return (
            gettext("in the global control group") if leaf["op"] == "in" else gettext("not in the global control group")
        )


def in_ranges(ranges: Sequence[Sequence[int]]) -> Q:
    """The profiles whose random bucket lies in one of the ranges, both ends included."""
    return any_of(Q(random_bucket__range=(first, last)) for first, last in ranges)


class AliasName(Filter):
    """The name of an alias, under any label or one."""

    name = "alias"
    label = _("alias")

    def ops(self, leaf: Leaf) -> Ops:
        return TEXT

    def subject_fields(self, leaf: Leaf) -> Sequence[Field]:
        return (Text("label", _("label (any if empty)"), is_optional=True),)

    def compile(self, leaf: Leaf, scope: Scope) -> Q:
        aliases = Alias.objects.filter(profile=OuterRef("pk"))
        if leaf.get("label"):
            aliases = aliases.filter(label=leaf["label"])

        def has(condition: Condition) -> Q:
            match condition:
                case Not(inner):
                    return ~has(inner)
                case Every(conditions):
                    return all_of(map(has, conditions))
                case HasKind() | Filled():
                    return Q(Exists(aliases))
            return Q(Exists(aliases.filter(Column("name").test(condition))))

        return has(self.op(leaf).condition(leaf, scope))

    def subject(self, leaf: Leaf, scope: Scope) -> str:
        return gettext("alias %s") % leaf["label"] if leaf.get("label") else gettext("alias")


def _segments() -> Sequence[tuple[int, str]]:
    return [*Segment.objects.filter(is_archived=False).values_list("pk", "name")]


def _imports() -> Sequence[tuple[int, str]]:
    rows = Import.objects.filter(is_dry_run=False).order_by("-created_at").values_list("pk", "name", "created_at")
    return [(pk, f"{name} ({created_at:%Y-%m-%d})") for pk, name, created_at in rows[:500]]


def _groups() -> Sequence[tuple[int, str]]:
    return [*SubscriptionGroup.objects.filter(is_archived=False).values_list("pk", "name")]


def _suppression_lists() -> Sequence[tuple[int, str]]:
    return [*SuppressionList.objects.exclude(status=SuppressionList.Status.ARCHIVED).values_list("pk", "name")]


MEMBERSHIP: tuple[Filter, ...] = (
    AliasName(),
    SubscriptionGroupState(),
    SegmentMembership(),
    Imported(),
    Suppressed(),
    InGlobalControl(),
)
