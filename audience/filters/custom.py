"""Filters on custom attributes: flat, nested, and several conditions on one element of a list of objects."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from audience.filters import paths
from audience.filters.base import CUSTOM_DATA, Fault, Filter
from audience.filters.conditions import Condition, ElementMeets, Filled, Not, Present
from audience.filters.documents import DocumentTest
from audience.filters.fields import Choice, Field, PathField, Text
from audience.filters.kinds import BY_KIND, KIND_LABELS, Ops, yes_or_no
from audience.filters.scope import Leaf, Scope

NAME = Text("name", _("attribute"), suggestions="attributes")
TYPE = Choice("type", _("type"), choices=lambda: KIND_LABELS)
MAX_CONDITIONS = 10


class DocumentFilter(Filter):
    """A value inside a JSON document, by name, path and type."""

    document: str
    group = CUSTOM_DATA

    def ops(self, leaf: Leaf) -> Ops:
        kind = leaf.get("type")
        return BY_KIND.get(kind, {}) if isinstance(kind, str) else {}

    def condition(self, leaf: Leaf, scope: Scope) -> Condition:
        return self.op(leaf).condition(leaf, scope)

    def compile(self, leaf: Leaf, scope: Scope) -> Q:
        return Q(DocumentTest(self.document, self.path(leaf), self.condition(leaf, scope)))

    def path(self, leaf: Leaf) -> paths.Path:
        """The whole path, the name first."""
        return (leaf["name"], *paths.parse(leaf.get("path") or ""))

    def subject(self, leaf: Leaf, scope: Scope) -> str:
        path = leaf.get("path") or ""
        return f"{leaf['name']}{'' if not path or path.startswith('[') else '.'}{path}"


class CustomAttribute(DocumentFilter):
    """A value of a custom attribute; with a path, one inside it (`pets`, `[].name`)."""

    name = "custom_attribute"
    label = _("custom attribute")
    document = "custom_attributes"

    def subject_fields(self, leaf: Leaf) -> Sequence[Field]:
        return (NAME, PathField(), TYPE)


class Property(DocumentFilter):
    """A condition on a property of an event or purchase. Not a filter by itself: it stands in others' `conditions`."""

    name = "property"
    label = _("property")
    document = "properties"

    def subject_fields(self, leaf: Leaf) -> Sequence[Field]:
        return (Text("name", _("property"), suggestions="properties"), PathField(), TYPE)

    def condition(self, leaf: Leaf, scope: Scope) -> Condition:
        """For properties blank means absent: an empty text is a value."""
        match super().condition(leaf, scope):
            case Filled():
                return Present()
            case Not(Filled()):
                return Not(Present())
            case condition:
                return condition


class InElement(DocumentFilter):
    """A condition inside one element of a list of objects."""

    name = "in_element"
    label = _("value")

    def subject_fields(self, leaf: Leaf) -> Sequence[Field]:
        return (Text("name", _("key")), PathField(), TYPE)


PROPERTY = Property()
IN_ELEMENT = InElement()


@dataclass(frozen=True)
class Conditions(Field):
    """Conditions that hold all at once, each with its own inputs (those of `row`)."""

    key: str = "conditions"
    label: Any = _("conditions")
    row: DocumentFilter = PROPERTY
    widget: ClassVar[str] = "conditions"

    def fault(self, value: Any) -> str | None:
        if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
            return gettext("“%s” is a list.") % self.label
        if len(value) > MAX_CONDITIONS:
            return gettext("At most %d conditions.") % MAX_CONDITIONS
        return None

    def words(self, value: Any) -> str:
        return ""

    def inner_problems(self, leaf: Leaf, scope: Scope) -> Iterator[Fault]:
        """What is wrong inside the conditions."""
        for place, each in enumerate(leaf.get(self.key) or []):
            for key, sentence in self.row.problems(each, scope):
                yield (self.key, place, *key), sentence

    def sentences(self, leaf: Leaf, scope: Scope) -> str:
        return gettext(" and ").join(self.row.sentence(each, scope) for each in leaf.get(self.key) or [])


class ElementFilter(Filter):
    """One and the same element of a list of objects meets several conditions."""

    name = "custom_attribute_element"
    label = _("element of a list of objects")
    group = CUSTOM_DATA
    conditions = Conditions(row=IN_ELEMENT)

    def subject_fields(self, leaf: Leaf) -> Sequence[Field]:
        return (NAME, PathField())

    def ops(self, leaf: Leaf) -> Ops:
        return yes_or_no(("has", _("one element meets")), ("has_not", _("no element meets")))

    def further_fields(self, leaf: Leaf) -> Sequence[Field]:
        return (self.conditions,)

    def extra_problems(self, leaf: Leaf, scope: Scope) -> Iterator[Fault]:
        return self.conditions.inner_problems(leaf, scope)

    def compile(self, leaf: Leaf, scope: Scope) -> Q:
        demands = [(IN_ELEMENT.path(each), IN_ELEMENT.condition(each, scope)) for each in leaf["conditions"]]
        path = (leaf["name"], *paths.parse(leaf.get("path") or ""))
        found = Q(DocumentTest("custom_attributes", path, ElementMeets(demands)))
        return found if leaf["op"] == "has" else ~found

    def sentence(self, leaf: Leaf, scope: Scope) -> str:
        words = gettext("%(list)s has an element whose %(conditions)s")
        if leaf["op"] == "has_not":
            words = gettext("%(list)s has no element whose %(conditions)s")
        return words % {"list": leaf["name"], "conditions": self.conditions.sentences(leaf, scope)}


CUSTOM: tuple[Filter, ...] = (CustomAttribute(), ElementFilter())
