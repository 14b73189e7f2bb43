"""What every filter is: one small class that says what it asks for, whether it is filled in, what it selects, and how
it reads. The builder page, the validator and the compiler all work from it.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from audience.filters.fields import Choice, Field
from audience.filters.kinds import Op, Ops
from audience.filters.scope import Leaf, Scope

PROFILE = _("Profile")
CUSTOM_DATA = _("Custom data")
MESSAGES = _("Messages")
LISTS = _("Lists")
GROUPS = (PROFILE, CUSTOM_DATA, MESSAGES, LISTS)

Fault = tuple[tuple[str | int, ...], str]
"""Where inside a leaf something is wrong, and a sentence."""


class Filter(ABC):
    """One filter. `name` is what the tree calls it, `label` what people do; `group` is its place in the builder."""

    name: str
    label: Any
    group: Any = PROFILE

    @abstractmethod
    def ops(self, leaf: Leaf) -> Ops:
        """The operators it offers, given the leaf so far (a type may be chosen in it)."""

    @abstractmethod
    def compile(self, leaf: Leaf, scope: Scope) -> Q:
        """The profiles it selects. The condition is true or false for each, never NULL, so it can be negated."""

    def subject_fields(self, leaf: Leaf) -> Sequence[Field]:
        """Inputs before the operator: which attribute, which event."""
        return ()

    def further_fields(self, leaf: Leaf) -> Sequence[Field]:
        """Inputs after the operator's own: a window of days, conditions on properties."""
        return ()

    def subject(self, leaf: Leaf, scope: Scope) -> str:
        """What the sentence is about."""
        return str(self.label)

    def load(self, leaves: Sequence[Leaf]) -> Mapping[Any, Any]:
        """What `compile` and `problems` need from the database for all leaves of a tree, in a query or two.

        It is theirs as `scope.loaded[name]`.
        """
        return {}

    def extra_problems(self, leaf: Leaf, scope: Scope) -> Iterator[Fault]:
        """What is wrong beyond single inputs. Asked once every input is right by itself."""
        return iter(())

    def op(self, leaf: Leaf) -> Op:
        return self.ops(leaf)[leaf["op"]]

    def op_field(self, leaf: Leaf) -> Field:
        return Choice("op", _("comparison"), choices=lambda: [(key, op.label) for key, op in self.ops(leaf).items()])

    def fields(self, leaf: Leaf) -> list[Field]:
        """Every input for the leaf as it stands, in order."""
        chosen = leaf.get("op")
        op = self.ops(leaf).get(chosen) if isinstance(chosen, str) else None
        own = op.fields if op else ()
        return [*self.subject_fields(leaf), self.op_field(leaf), *own, *self.further_fields(leaf)]

    def problems(self, leaf: Leaf, scope: Scope) -> list[Fault]:
        """What is wrong with the leaf."""
        faults = [(field.key, field.problem(leaf.get(field.key))) for field in self.fields(leaf)]
        found: list[Fault] = [((key,), fault) for key, fault in faults if fault]
        return found or [*self.extra_problems(leaf, scope)]

    def sentence(self, leaf: Leaf, scope: Scope) -> str:
        return f"{self.subject(leaf, scope)} {self.op(leaf).sentence(leaf)}"


registry: dict[str, Filter] = {}


def register(*filters: Filter) -> None:
    """Offer filters under their names. Higher apps call this when they start."""
    for each in filters:
        registry[each.name] = each
