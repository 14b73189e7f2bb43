"""The parts that step pages are made of: a delay, an audience, triggers."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _

from audience.builder import FiltersField
from audience.builder.fields import FiltersWidget
from audience.filters import is_empty
from audience.models import Segment
from canvas import words
from canvas.forms.rows import ConditionsField, RowsWidget, TriggersField, TriggersWidget
from canvas.steps import delay
from outreach import delays
from outreach.delays import Mode

INPUT = {"class": "hl-input hl-short"}
NUMBER = {"class": "hl-input hl-number", "min": 0}
UNITS = (
    ("seconds", _("seconds")),
    ("minutes", _("minutes")),
    ("hours", _("hours")),
    ("days", _("days")),
    ("weeks", _("weeks")),
)
ZONES = (("company", _("the company's time")), ("local", _("the profile's own time")))
DELAYS = (
    (Mode.AFTER, _("for a while")),
    (Mode.DAYS, _("some calendar days, until a time of day")),
    (Mode.WEEKDAY, _("until a weekday and time (today, if it is still ahead)")),
    (Mode.NEXT_WEEKDAY, _("until a weekday and time (never today)")),
    (Mode.DATE, _("until a date and time")),
)
PERSONAL = (delay.PERSONAL, _("as long as an attribute or context variable says"))
AT_ONCE = (Mode.NONE, _("not at all: at once"))
assert set(delays.SECONDS) == {key for key, _label in UNITS}


_GROUPS = (forms.RadioSelect, forms.CheckboxSelectMultiple, FiltersWidget, RowsWidget, TriggersWidget)


class Part(forms.Form):
    """A form that reads and writes settings. `fields_when` says for which choices a field is shown."""

    fields_when: ClassVar[Mapping[str, str]] = {}

    class Media:
        js = ("webhooks/composer.js", "outreach/parts.js")

    def __init__(self, settings: Mapping[str, Any], data: Any = None, prefix: str = "") -> None:
        super().__init__(data, prefix=prefix, initial=self.from_settings(settings))
        self.before = settings

    def from_settings(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        return {name: settings[name] for name in self.base_fields if name in settings}

    def settings(self) -> dict[str, Any]:
        """What the form says, without what is blank."""
        return {name: value for name, value in self.cleaned_data.items() if value not in (None, "")}

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The fields for the page, each with the choice that shows it."""
        return [
            {
                "field": self[name],
                "when": self._when(name),
                "is_box": isinstance(field, forms.BooleanField),
                "is_group": isinstance(field.widget, _GROUPS),
            }
            for name, field in self.fields.items()
        ]

    def _when(self, name: str) -> str:
        rule = self.fields_when.get(name, "")
        return f"{self.add_prefix(rule.partition('=')[0])}={rule.partition('=')[2]}" if rule else ""


def choice(label: Any, choices: Any, **options: Any) -> forms.ChoiceField:
    return forms.ChoiceField(label=label, choices=choices, widget=forms.Select(attrs=INPUT), **options)


def radio(label: Any, choices: Any, **options: Any) -> forms.ChoiceField:
    return forms.ChoiceField(label=label, choices=choices, widget=forms.RadioSelect, **options)


def number(label: Any, **options: Any) -> forms.IntegerField:
    return forms.IntegerField(
        label=label, required=False, widget=forms.NumberInput(attrs=NUMBER), **{"min_value": 0, **options}
    )


def text(label: Any, **options: Any) -> forms.CharField:
    return forms.CharField(
        label=label, required=False, widget=forms.TextInput(attrs=INPUT | {"autocomplete": "off"}), **options
    )


class SecondlessTime(forms.TimeField):
    """A time of day, kept as text: 09:30."""

    widget = forms.TimeInput(attrs=INPUT | {"type": "time"}, format="%H:%M")

    def clean(self, value: Any) -> str:
        found = super().clean(value)
        return f"{found:%H:%M}" if found else ""


class IsoDate(forms.DateField):
    """A date, kept as text."""

    widget = forms.DateInput(attrs=INPUT | {"type": "date"}, format="%Y-%m-%d")

    def clean(self, value: Any) -> str:
        found = super().clean(value)
        return found.isoformat() if found else ""


_CLOCK = f"{Mode.AFTER}|{Mode.DAYS}|{Mode.WEEKDAY}|{Mode.NEXT_WEEKDAY}|{Mode.DATE}"


class DelayForm(Part):
    """A delay (`outreach.delays`)."""

    fields_when: ClassVar[Mapping[str, str]] = {
        "count": f"mode={Mode.AFTER}|{Mode.DAYS}",
        "unit": f"mode={Mode.AFTER}",
        "weekday": f"mode={Mode.WEEKDAY}|{Mode.NEXT_WEEKDAY}",
        "date": f"mode={Mode.DATE}",
        "at": f"mode={_CLOCK}|{delay.PERSONAL}",
        "if_passed": f"mode={Mode.WEEKDAY}",
        "zone": f"mode={_CLOCK}|{delay.PERSONAL}",
    }
    mode = radio(_("Wait"), [AT_ONCE, *DELAYS], required=False)
    count = number(_("how many"))
    unit = choice(_("of"), UNITS, required=False)
    weekday = choice(_("weekday"), [*enumerate(words.WEEKDAYS)], required=False)
    date = IsoDate(label=_("date"), required=False)
    at = SecondlessTime(
        label=_("time of day"), required=False, help_text=_("After a while: then until clocks show this. Else empty.")
    )
    if_passed = choice(
        _("if the time is over today"),
        (("", _("wait until next week")), ("same_day", _("go on at once"))),
        required=False,
    )
    zone = choice(_("by the clock of"), ZONES, required=False)

    def from_settings(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        return {"mode": Mode.NONE, "unit": "days"} | super().from_settings(settings)


_PERSONAL_FIELDS = "source name value_is offset offset_unit on_failure default_count default_unit".split()


class StepDelayForm(DelayForm):
    """The delay of a delay step: it may also be personal."""

    fields_when: ClassVar[Mapping[str, str]] = {
        **DelayForm.fields_when,
        **dict.fromkeys(_PERSONAL_FIELDS, f"mode={delay.PERSONAL}"),
        "unit": f"mode={Mode.AFTER}|{delay.PERSONAL}",
    }
    source = choice(
        _("the value is"),
        (("attribute", _("a custom attribute")), ("context", _("a context variable"))),
        required=False,
    )
    name = text(_("its name"))
    value_is = choice(
        _("it holds"),
        (("duration", _("a number (of the unit beside)")), ("date", _("a date or time"))),
        required=False,
    )
    offset = forms.IntegerField(
        label=_("days or hours later than a date says (negative: earlier)"),
        required=False,
        widget=forms.NumberInput(attrs=INPUT),
    )
    offset_unit = choice(_("of these"), UNITS, required=False)
    on_failure = choice(
        _("if the value can't be used"),
        (("exit", _("leave the Canvas")), ("continue", _("go on at once")), ("default", _("wait this long instead"))),
        required=False,
    )
    default_count = number(_("instead"))
    default_unit = choice(_("of"), UNITS, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        modes = self.fields["mode"]
        assert isinstance(modes, forms.ChoiceField)
        modes.choices = [*DELAYS, PERSONAL]
        self.order_fields(["mode", "source", "name", "value_is", "count", "unit"])

    def from_settings(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        default = settings.get("default") or {}
        return super().from_settings(settings) | {
            "value_is": settings.get("as", "duration"),
            "offset_unit": settings.get("offset_unit", "days"),
            "default_count": default.get("count"),
            "default_unit": default.get("unit", "days"),
        }

    def settings(self) -> dict[str, Any]:
        found = super().settings()
        count, unit = found.pop("default_count", None), found.pop("default_unit", "days")
        found["as"] = found.pop("value_is", "duration")
        if found.get("mode") != delay.PERSONAL:
            found = {name: value for name, value in found.items() if name in DelayForm.base_fields}
        elif count is not None:
            found["default"] = {"count": count, "unit": unit}
        return found


class AudienceForm(Part):
    """Segments, filters and conditions on the journey's own values; all must hold."""

    segments = forms.ModelMultipleChoiceField(
        label=_("in all of these segments"),
        queryset=Segment.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    filters = FiltersField(
        label=_("and these filters"), required=False, help_text=_("Without any filter, this asks nothing.")
    )
    context = ConditionsField(label=_("and these values of the journey"), required=False)

    def __init__(self, settings: Mapping[str, Any], data: Any = None, prefix: str = "") -> None:
        super().__init__(settings, data, prefix)
        chosen = self.fields["segments"]
        assert isinstance(chosen, forms.ModelMultipleChoiceField)
        kept = Segment.objects.filter(pk__in=[*(settings.get("segments") or ())])
        chosen.queryset = (Segment.objects.filter(is_archived=False) | kept).order_by("name")
        if not chosen.queryset.exists():
            del self.fields["segments"]

    @property
    def gone(self) -> int:
        """How many of the chosen segments were deleted: saving drops them."""
        chosen = set(self.before.get("segments") or ())
        return len(chosen) - Segment.objects.filter(pk__in=chosen).count()

    def settings(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        if chosen := self.cleaned_data.get("segments"):
            found["segments"] = [segment.pk for segment in chosen]
        if not is_empty(self.cleaned_data.get("filters")):
            found["filters"] = self.cleaned_data["filters"]
        if leaves := self.cleaned_data.get("context"):
            found["context"] = leaves
        return found


class TriggersForm(Part):
    """What to wait for. One of them is enough."""

    triggers = TriggersField(label=_("the profile"), required=False)

    def settings(self) -> dict[str, Any]:
        return {"triggers": self.cleaned_data["triggers"]}


class ExitTimingForm(Part):
    """When an exit event takes effect."""

    exits_at_once = radio(
        _("Who does one of these leaves"),
        (("now", _("at once")), ("later", _("at the end of the step it is in"))),
    )
