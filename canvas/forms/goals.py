"""The form of the conversion events: up to four, each with a window."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from canvas import conversions
from canvas.forms.parts import UNITS, Part, choice, number, text
from canvas.forms.rows import TriggersField
from canvas.forms.setup import in_units
from outreach import delays


class GoalForm(Part):
    name = text(_("Name, as reports show it"), max_length=100)
    triggers = TriggersField(label=_("A profile converts when it"), required=False)
    count = number(_("within this time from its entry"))
    unit = choice(_("in"), UNITS, required=False)

    def from_settings(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        count, unit = in_units(int(conversions.window(settings).total_seconds()))
        return super().from_settings(settings) | {"count": count, "unit": unit}

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("triggers") and "count" not in self.errors:
            seconds = self._seconds(cleaned)
            least, most = conversions.LEAST_WINDOW.total_seconds(), conversions.MOST_WINDOW.total_seconds()
            if not least <= seconds <= most:
                self.add_error("count", ValidationError(_("Between 5 minutes and 30 days.")))
        return cleaned

    def _seconds(self, cleaned: Mapping[str, Any]) -> int:
        return int((cleaned.get("count") or 0) * delays.SECONDS.get(cleaned.get("unit") or "days", 0))

    def goal(self, place: int) -> dict[str, Any] | None:
        """What the valid form says; None where it is blank."""
        data = self.cleaned_data
        if not data["triggers"]:
            return None
        name = data["name"] or str(_("Conversion %d")) % place
        return {"name": name, "triggers": data["triggers"], "seconds": self._seconds(data)}


def forms_of(given: Sequence[Mapping[str, Any]], data: Any = None) -> list[GoalForm]:
    """One for each conversion event there can be."""
    rows = [*given, *({} for _n in range(conversions.MOST - len(given)))]
    return [GoalForm(row, data, prefix=f"goal-{place}") for place, row in enumerate(rows)]
