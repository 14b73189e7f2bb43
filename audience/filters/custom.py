"""Filters on custom attributes: flat, nested, and several conditions on one element of a list of objects."""

from collections.abc import Sequence

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from audience.filters import paths
from audience.filters.base import CUSTOM_DATA, Filter
from audience.filters.documents import DocumentTest
from audience.filters.fields import Choice, Field, PathField, Text
from audience.filters.kinds import BY_KIND, KIND_LABELS, Ops
from audience.filters.scope import Leaf, Scope

NAME = Text("name", _("attribute"), suggestions="attributes")
TYPE = Choice("type", _("type"), choices=lambda: KIND_LABELS)
DOCUMENT = "custom_attributes"


class CustomAttribute(Filter):
    """A value of a custom attribute; with a path, one inside it (`pets`, `[].name`)."""

    name = "custom_attribute"
    label = _("custom attribute")
    group = CUSTOM_DATA

    def subject_fields(self, leaf: Leaf) -> Sequence[Field]:
        return (NAME, PathField(), TYPE)

    def ops(self, leaf: Leaf) -> Ops:
        kind = leaf.get("type")
        return BY_KIND.get(kind, {}) if isinstance(kind, str) else {}

    def compile(self, leaf: Leaf, scope: Scope) -> Q:
        condition = self.op(leaf).condition(leaf, scope)
        return Q(DocumentTest(DOCUMENT, path_of(leaf), condition))

    def subject(self, leaf: Leaf, scope: Scope) -> str:
        return shown_path(leaf)


def path_of(leaf: Leaf) -> paths.Path:
    """The whole path, the attribute's name first."""
    return (leaf["name"], *paths.parse(leaf.get("path") or ""))


def shown_path(leaf: Leaf) -> str:
    path = leaf.get("path") or ""
    return f"{leaf['name']}{'' if not path or path.startswith('[') else '.'}{path}"


CUSTOM: tuple[Filter, ...] = (CustomAttribute(),)
