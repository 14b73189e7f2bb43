"""Names a template reads that nobody sets."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from .context import NEVER_SET, OTHER_CHANNELS, STANDARD_ATTRIBUTES
from .errors import position
from .suggest import near
from .template import Template

BUILT_IN = frozenset({"now", "today", "event_name", "forloop", "tablerowloop", "items"})


@dataclass(frozen=True, slots=True)
class Undeclared:
    """A name, as the author wrote it, that will be blank; `meant` is a near match among the known ones.

    `namespace` is "" for standard attributes and None for a variable that is set nowhere.
    """

    name: str
    meant: str | None
    line: int
    column: int
    namespace: str | None = None


def undeclared(template: Template, known: Mapping[str, Collection[str]]) -> list[Undeclared]:
    """The names read of namespaces in `known` that are not in it, and variables set nowhere, in the author's order.

    `known` maps a namespace to its names, for example {"custom_attribute": {"plan"}}; namespaces that are not in it
    are not looked at. Standard attributes are known without being named.
    """
    found = [*_attributes(template, known), *_variables(template)]
    return sorted(found, key=lambda name: (name.line, name.column))


def _attributes(template: Template, known: Mapping[str, Collection[str]]) -> list[Undeclared]:
    everything = {"": STANDARD_ATTRIBUTES.keys() | NEVER_SET, **dict.fromkeys(OTHER_CHANNELS, ()), **known}
    found = []
    for used in template.uses.attributes:
        names = everything.get(used.namespace)
        if used.namespace in OTHER_CHANNELS or names is None or used.name in names:
            continue
        line, column = position(template.source, used.token.start_index)
        found.append(Undeclared(used.name, near(used.name, names), line, column, used.namespace))
    return found


def _variables(template: Template) -> list[Undeclared]:
    declared = BUILT_IN | {name for name, _ in template.uses.assigned}
    found = []
    for token in template.uses.variables:
        if token.value not in declared and not template.uses.blocks:
            line, column = position(template.source, token.start_index)
            found.append(
                Undeclared(token.value, near(token.value, declared | STANDARD_ATTRIBUTES.keys()), line, column)
            )
    return found
