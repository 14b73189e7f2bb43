"""Forms of a Canvas's own pages: its settings, its start, its variants."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextareaWidget

from audience.builder import FiltersField
from canvas.forms.parts import INPUT, UNITS, choice, number
from canvas.forms.rows import TriggersField
from canvas.models import Cadence, Canvas, Entry, Reentry
from outreach import delays
from outreach.forms.schedule import QUIET, SCHEDULE, ScheduleInputs, WallClockField
from outreach.models import Status, Subscribed

MOST_SECONDS = 720 * 86_400


class CanvasForm(ScheduleInputs):
    """The settings. `edited_version` is the version the page was opened with: a stale page is refused."""

    edited_version = forms.IntegerField(required=False, widget=forms.HiddenInput)
    filters = FiltersField(label=_("Additional filters"), required=False)
    triggers = TriggersField(label=_("A profile enters when it"), required=False)
    start_at = WallClockField(label=_("Start"), required=False, help_text=_("Empty: as soon as it is launched."))
    end_at = WallClockField(label=_("Entry ends"), required=False, help_text=_("Empty: nobody is turned away."))
    reentry_count = number(_("Time until then"), help_text=_("Only for “after a time of your choice”."))
    reentry_unit = choice(_("in"), UNITS, required=False)

    class Meta:
        model = Canvas
        fields = (
            *("name", "description", "teams", "tags", "to_everyone", "segments", "filters", "entry", "start_at"),
            *("end_at", *SCHEDULE, "triggers", "reentry", "entry_limit", "entry_cadence"),
            *(*QUIET, "obeys_caps", "counts_for_caps", "subscribed", "subscription_group"),
        )
        widgets = {"description": UnfoldAdminTextareaWidget(attrs={"rows": 2})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.instance.pk:
            return
        self.fields["edited_version"].initial = self.instance.version
        count, unit = in_units(self.instance.reentry_seconds)
        self.fields["reentry_count"].initial, self.fields["reentry_unit"].initial = count, unit
        if self.instance.status != Status.DRAFT:
            self.fields["entry"].disabled = True
            self.fields["entry"].help_text = _("Stays as it was launched.")

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean() or {}
        self._refuse_stale(cleaned.get("edited_version"))
        if cleaned.get("to_everyone") and (cleaned.get("segments") or cleaned.get("filters")):
            self.add_error("to_everyone", _("Choose either all profiles, or segments and filters."))
        self._read_reentry(cleaned)
        self.check_schedule(cleaned, is_scheduled=cleaned.get("entry") == Entry.SCHEDULED)
        self.check_quiet_hours(cleaned)
        self._check_subscription(cleaned)
        if cleaned.get("entry_cadence") == Cadence.RUN and cleaned.get("entry") != Entry.SCHEDULED:
            self.add_error("entry_cadence", _("Only a scheduled Canvas has runs to count by."))
        start, end = cleaned.get("start_at"), cleaned.get("end_at")
        if start and end and end <= start:
            self.add_error("end_at", _("The end lies before the start."))
        return cleaned

    def _check_subscription(self, cleaned: dict[str, Any]) -> None:
        if cleaned.get("subscribed") == Subscribed.GROUP and not cleaned.get("subscription_group"):
            self.add_error("subscription_group", _("Choose the group."))

    def _refuse_stale(self, opened: int | None) -> None:
        if not self.instance.pk or opened is None:
            return
        current = Canvas.objects.filter(pk=self.instance.pk).values_list("version", "updated_at").first()
        if current and current[0] != opened:
            raise ValidationError(
                _("Somebody else saved this Canvas at %(time)s UTC. Reload the page before you save."),
                params={"time": f"{current[1]:%H:%M:%S}"},
            )

    def _read_reentry(self, cleaned: dict[str, Any]) -> None:
        if cleaned.get("reentry") != Reentry.AFTER:
            return
        if cleaned.get("reentry_count") is None:
            self.add_error("reentry_count", _("Say how long. 0 lets a profile enter again at once."))
            return
        seconds = cleaned["reentry_count"] * delays.SECONDS[cleaned.get("reentry_unit") or "days"]
        if seconds > MOST_SECONDS:
            self.add_error("reentry_count", _("At most 720 days."))
        self.instance.reentry_seconds = min(seconds, MOST_SECONDS)


def in_units(seconds: int) -> tuple[int, str]:
    """Seconds in the largest unit that holds them without a rest."""
    for unit, size in sorted(delays.SECONDS.items(), key=lambda pair: -pair[1]):
        if seconds and seconds % size == 0:
            return seconds // size, unit
    return seconds, "days"


class NewCanvasForm(forms.Form):
    """A name, and what to start from."""

    name = forms.CharField(label=_("Name"), max_length=255, widget=forms.TextInput(attrs=INPUT | {"autofocus": True}))
    template = forms.ChoiceField(label=_("Start from"), widget=forms.RadioSelect)

    def __init__(self, templates: Iterable[tuple[str, Any, Any]], data: Any = None) -> None:
        super().__init__(data, initial={"template": ""})
        offered = [("", _("a blank Canvas"), _("Only the entry; you add every step.")), *templates]
        field = self.fields["template"]
        assert isinstance(field, forms.ChoiceField)
        field.choices, field.required = [(key, name) for key, name, _purpose in offered], False
        self._purposes = [purpose for _key, _name, purpose in offered]

    def starts(self) -> list[tuple[Any, Any]]:
        """Each choice, as its input, with what it is for."""
        return list(zip(self["template"], self._purposes, strict=True))


class VariantsForm(forms.Form):
    """Names and shares of the variants that are there."""

    selects = forms.BooleanField(
        label=_("Move the shares towards the better variant by itself (intelligent selection)"),
        required=False,
        help_text=_("Twice a day, by the first conversion event. Profiles are then drawn anew each time they enter."),
    )

    def __init__(self, variants: Any, data: Any = None, *, selects: bool = False) -> None:
        super().__init__(data, initial={"selects": selects})
        self.variants = list(variants)
        for variant in self.variants:
            self.fields[f"name-{variant.pk}"] = forms.CharField(
                label=_("Name"), max_length=100, initial=variant.name, widget=forms.TextInput(attrs=INPUT)
            )
            self.fields[f"share-{variant.pk}"] = number(_("Share (%)"), initial=variant.share, max_value=100)

    @property
    def rows(self) -> list[tuple[Any, Any, Any]]:
        return [(v, self[f"name-{v.pk}"], self[f"share-{v.pk}"]) for v in self.variants]

    @property
    def given(self) -> dict[int, tuple[str, int]]:
        """Name and share by variant id."""
        data = self.cleaned_data
        return {v.pk: (data[f"name-{v.pk}"], data[f"share-{v.pk}"] or 0) for v in self.variants}
