"""Filters on lists of people: other segments, imports, suppression lists, the global control group."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from audience.filters import tree
from audience.filters.base import LISTS, Filter
from audience.filters.columns import any_of
from audience.filters.conditions import Present
from audience.filters.fields import Field, References, listed
from audience.filters.kinds import Op, Ops
from audience.filters.scope import Leaf, Scope
from audience.models import Segment

LEVELS = 3


def in_or_out(field: Field, inside: Any, outside: Any, words_in: Any, words_out: Any) -> Ops:
    """The operators "in" and "not in" for a list of rows."""
    fields = (field,)
    return {
        "in": Op(inside, words_in, lambda leaf, scope: Present(), fields),
        "not_in": Op(outside, words_out, lambda leaf, scope: Present(), fields),
    }


class SegmentMembership(Filter):
    """In any of some segments, or in none of them. Included up to three levels deep, never in a circle."""

    name = "segment"
    label = _("segment membership")
    group = LISTS

    def ops(self, leaf: Leaf) -> Ops:
        field = References("segments", _("segments"), choices=_segments)
        return in_or_out(field, _("is in any of"), _("is in none of"), "%(segments)s", "%(segments)s")

    def extra_problems(self, leaf: Leaf, scope: Scope) -> Iterator[tuple[str, str]]:
        for key in leaf["segments"]:
            rules = scope.segments.get(key)
            if rules is None:
                yield "segments", gettext("Segment %d no longer exists.") % key
            elif rules.is_archived:
                yield "segments", gettext("Segment “%s” is archived.") % rules.name
            elif key in scope.inside:
                yield "segments", gettext("Segments include each other: %s.") % self._way(key, scope)
            elif len(scope.inside) >= LEVELS:
                yield "segments", gettext("Segments include each other more than %d levels deep.") % LEVELS
            else:
                yield from self._inner_problems(key, scope)

    def _inner_problems(self, key: int, scope: Scope) -> Iterator[tuple[str, str]]:
        rules = scope.segments[key]
        if tree.is_empty(rules.tree):
            yield "segments", gettext("Segment “%s” has no filters: it selects nobody.") % rules.name
        for problem in tree.faults(rules.tree, scope.within(key)):
            yield (
                "segments",
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


def _segments() -> Sequence[tuple[int, str]]:
    return [*Segment.objects.filter(is_archived=False).values_list("pk", "name")]


MEMBERSHIP: tuple[Filter, ...] = (SegmentMembership(),)
