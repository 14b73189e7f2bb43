"""Fields that are lists of rows: conditions on properties, and triggers.

They are plain inputs named `<name>-<row>-<column>`; blank rows are dropped.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from audience.filters.kinds import BY_KIND, KIND_LABELS
from outreach import matching, properties

Row = dict[str, Any]
_BETWEEN = re.compile(r"\s*(?:\.\.|;|\n| to )\s*")
MOST_ROWS = 100


class RowsWidget(forms.Widget):
    """A table of inputs; `blank` rows are added at the end. JavaScript only adds rows (webhooks/composer.js)."""

    columns: ClassVar[Sequence[str]] = ()
    blank = 1

    def value_from_datadict(self, data: Mapping[str, Any], files: Any, name: str) -> list[Row]:
        return [{c: data.get(f"{name}-{n}-{c}", "") for c in self.columns} for n in numbers(data, name)]

    def value_omitted_from_data(self, data: Mapping[str, Any], files: Any, name: str) -> bool:
        return not numbers(data, name)

    def get_context(self, name: str, value: Any, attrs: Any) -> Row:
        rows = [self.shown(row) for row in value or []]
        rows = [row for row in rows if any(row.get(column) for column in self.columns[:1])]
        return super().get_context(name, None, attrs) | {"rows": rows + [{} for _n in range(self.blank)], **self.more()}

    def shown(self, row: Row) -> Row:
        """A row of the settings, or one that was typed, as its inputs show it."""
        return row

    def more(self) -> Row:
        return {}


def numbers(data: Mapping[str, Any], name: str) -> list[int]:
    """The rows that were sent."""
    pattern = re.compile(re.escape(name) + r"-(\d{1,4})-")
    found = {int(match[1]) for key in data if (match := pattern.match(key))}
    return sorted(found)[:MOST_ROWS]


# --- conditions on properties

SAME = (
    ("same_as:context", _("is the same as the journey's")),
    ("differs_from:context", _("is not the journey's")),
    ("same_as:attribute", _("is the same as the profile's")),
    ("differs_from:attribute", _("is not the profile's")),
)
SAME_AS_TRIGGER = (
    ("same_as:trigger", _("is the same as the trigger's")),
    ("differs_from:trigger", _("is not the trigger's")),
)


def comparisons(same: Sequence[tuple[str, Any]] = SAME) -> list[tuple[Any, list[tuple[str, Any]]]]:
    """Every comparison, by type of value."""
    own = [(label, [(f"{kind}:{op}", BY_KIND[kind][op].label) for op in BY_KIND[kind]]) for kind, label in KIND_LABELS]
    return [*own, (_("another value"), [*same])] if same else own


def typed(leaf: Mapping[str, Any]) -> Row:
    """A condition as its inputs show it."""
    if "test" in leaf:
        return dict(leaf)
    if leaf.get("op") in properties.COMPARISONS:
        return {"name": leaf["name"], "test": f"{leaf['op']}:{leaf['source']}", "value": leaf.get("other", "")}
    fields = BY_KIND[leaf["type"]][leaf["op"]].fields
    value = " .. ".join(field.show(leaf.get(field.key)) for field in fields)
    return {"name": leaf["name"], "test": f"{leaf['type']}:{leaf['op']}", "value": value}


def read(row: Mapping[str, Any]) -> Row | None:
    """The condition that was typed; None for a blank row. What can't be read is left for the check to name."""
    name = str(row.get("name") or "").strip()
    if not name:
        return None
    first, _colon, second = str(row.get("test") or "").partition(":")
    value = str(row.get("value") or "").strip()
    if first in properties.COMPARISONS:
        return {"name": name, "op": first, "source": second, "other": value}
    op = BY_KIND.get(first, {}).get(second)
    parts = _BETWEEN.split(value, 1) if op and len(op.fields) == 2 else [value]
    given = {field.key: field.read([part]) for field, part in zip(op.fields, parts, strict=False)} if op else {}
    return {"name": name, "type": first, "op": second, **given}


class ConditionsWidget(RowsWidget):
    template_name = "outreach/widgets/conditions.html"
    columns = ("name", "test", "value")

    def __init__(self, attrs: Any = None, same: Sequence[tuple[str, Any]] = SAME) -> None:
        super().__init__(attrs)
        self.same = same

    def shown(self, row: Row) -> Row:
        return typed(row)

    def more(self) -> Row:
        return {"tests": comparisons(self.same)}


class ConditionsField(forms.Field):
    """Conditions on properties (`outreach.properties`). What is wrong with one is refused."""

    widget = ConditionsWidget

    def clean(self, value: Any) -> list[Row]:
        leaves = [leaf for row in value or [] if (leaf := read(row))]
        faults = [fault for leaf in leaves for _key, fault in properties.problems(leaf)]
        if faults:
            raise ValidationError(list(dict.fromkeys(faults)))
        return leaves

    def has_changed(self, initial: Any, data: Any) -> bool:
        return [leaf for row in data or [] if (leaf := read(row))] != (initial or [])


# --- triggers


class TriggersWidget(forms.Widget):
    """A block of inputs for each trigger, and a blank one to add another. `same`: values to compare properties with."""

    template_name = "outreach/widgets/triggers.html"

    def __init__(self, attrs: Any = None, same: Sequence[tuple[str, Any]] = SAME, kinds: Sequence[str] = ()) -> None:
        super().__init__(attrs)
        self.same, self.kinds = same, kinds or [*matching.KINDS]

    def value_from_datadict(self, data: Mapping[str, Any], files: Any, name: str) -> list[Row]:
        return [_trigger(data, f"{name}-{n}") for n in numbers(data, name)]

    def value_omitted_from_data(self, data: Mapping[str, Any], files: Any, name: str) -> bool:
        return not numbers(data, name)

    def get_context(self, name: str, value: Any, attrs: Any) -> Row:
        given = [each for each in value or [] if each.get("kind")]
        blocks = [self._block(name, n, trigger) for n, trigger in enumerate([*given, {}])]
        return super().get_context(name, None, attrs) | {
            "blocks": blocks[:-1],
            "blank": blocks[-1],
            "kinds": [(key, matching.KINDS[key][1]) for key in self.kinds],
        }

    def _block(self, name: str, number: int, trigger: Row) -> Row:
        conditions = ConditionsWidget(same=self.same)
        inner = f"{name}-{number}-conditions"
        leaves = [*(trigger.get("conditions") or []), *(trigger.get("rows") or [])]
        return {
            **trigger,
            "prefix": f"{name}-{number}-",
            "count": len(leaves),
            "conditions": conditions.get_context(inner, leaves, {}) | {"widget": {"name": inner}},
        }


def _trigger(data: Mapping[str, Any], prefix: str) -> Row:
    own = {key: data.get(f"{prefix}-{key}", "").strip() for key in ("kind", "name", "to", "join")}
    return own | {"rows": ConditionsWidget().value_from_datadict(data, {}, f"{prefix}-conditions")}


class TriggersField(forms.Field):
    """What to wait for (`outreach.matching`). A trigger without a kind is dropped; one that is wrong is refused."""

    widget = TriggersWidget

    def clean(self, value: Any) -> list[Row]:
        triggers = [self._read(each) for each in value or [] if each.get("kind")]
        if faults := [fault for trigger in triggers for fault in matching.problems(trigger)]:
            raise ValidationError(list(dict.fromkeys(faults)))
        if self.required and not triggers:
            raise ValidationError(self.error_messages["required"])
        return triggers

    def _read(self, each: Row) -> Row:
        conditions = [leaf for row in each.get("rows") or [] if (leaf := read(row))]
        given = {key: each[key] for key in ("kind", "name", "to", "join") if each.get(key)}
        return given | ({"conditions": conditions} if conditions else {})

    def has_changed(self, initial: Any, data: Any) -> bool:
        return [self._read(each) for each in data or [] if each.get("kind")] != (initial or [])
