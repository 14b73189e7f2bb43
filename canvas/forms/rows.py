"""Fields that are lists of rows: changes of a profile, context variables. Conditions and triggers are outreach's.

They are plain inputs named `<name>-<row>-<column>`; blank rows are dropped.
"""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from canvas.steps import context, user_update
from outreach.forms.rows import (
    ConditionsField,
    ConditionsWidget,
    Row,
    RowsWidget,
    TriggersField,
    TriggersWidget,
    numbers,
    read,
    typed,
)

__all__ = [
    "ChangesWidget",
    "ConditionsField",
    "ConditionsWidget",
    "Row",
    "RowsField",
    "RowsWidget",
    "TriggersField",
    "TriggersWidget",
    "VariablesWidget",
    "numbers",
    "read",
    "typed",
]

# --- changes of the profile, variables of the journey


class ChangesWidget(RowsWidget):
    template_name = "canvas/widgets/changes.html"
    columns = ("attribute", "action", "value")

    def more(self) -> Row:
        return {"actions": ACTIONS}


ACTIONS = (
    ("set", _("becomes")),
    ("increase", _("grows by")),
    ("decrease", _("shrinks by")),
    ("remove", _("is removed")),
)
assert {key for key, _label in ACTIONS} == set(user_update.ACTIONS)


class VariablesWidget(RowsWidget):
    template_name = "canvas/widgets/variables.html"
    columns = ("name", "type", "template")

    def more(self) -> Row:
        return {"types": VARIABLE_TYPES}


VARIABLE_TYPES = (
    ("text", _("text")),
    ("number", _("number")),
    ("boolean", _("true or false")),
    ("time", _("time")),
    ("list", _("list (JSON)")),
    ("object", _("object (JSON)")),
)
assert {key for key, _label in VARIABLE_TYPES} == set(context.TYPES)


class RowsField(forms.Field):
    """Rows as they were typed, without the blank ones. The step's own check says what is wrong with them."""

    def clean(self, value: Any) -> list[Row]:
        return [dict(row) for row in value or [] if str(row.get(self.widget.columns[0]) or "").strip()]

    def has_changed(self, initial: Any, data: Any) -> bool:
        return self.clean(data) != (initial or [])
