"""The Conversions tab: up to four events, each within a time."""

from typing import Any

from django import forms
from django.forms.models import BaseInlineFormSet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from campaigns.forms.base import UNITS, in_units
from campaigns.forms.delivery import choice, number
from outreach import delays
from outreach.forms.rows import TriggersField, TriggersWidget
from outreach.models import ConversionEvent, Status

CONVERTING = ("event", "purchase", "session")
LONGEST_WINDOW = 30 * 86_400


class ConversionForm(forms.ModelForm):
    what = TriggersField(
        label=gettext_lazy("A profile converts when it"),
        required=False,
        widget=TriggersWidget(same=(), kinds=CONVERTING),
    )
    count = number(gettext_lazy("within"))
    unit = choice(gettext_lazy("of"), UNITS)

    class Meta:
        model = ConversionEvent
        fields = ("position",)
        widgets = {"position": forms.HiddenInput}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["position"].required = False
        event = self.instance
        self.fields["what"].initial = [event.trigger] if event.pk else []
        self.fields["count"].initial, self.fields["unit"].initial = in_units(event.window_seconds)

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean() or {}
        triggers = cleaned.get("what") or []
        if len(triggers) > 1:
            self.add_error("what", _("One event each; add another conversion event for the second."))
        seconds = (cleaned.get("count") or 0) * delays.SECONDS[cleaned.get("unit") or "days"]
        if triggers and not 60 <= seconds <= LONGEST_WINDOW:
            self.add_error("count", _("Choose a time from one minute to 30 days."))
        if triggers:
            self.instance.trigger, self.instance.window_seconds = triggers[0], min(max(seconds, 60), LONGEST_WINDOW)
        return cleaned


class ConversionFormSet(BaseInlineFormSet):
    """Blank rows are left out; the others are numbered in order."""

    def save(self, commit: bool = True) -> Any:
        self.new_objects, self.changed_objects, self.deleted_objects = [], [], []
        if self.instance.status != Status.DRAFT:
            return []
        kept = [f for f in self.forms if f.cleaned_data.get("what") and f not in self.deleted_forms]
        ConversionEvent.objects.filter(outreach=self.instance).exclude(
            pk__in=[f.instance.pk for f in kept if f.instance.pk]
        ).delete()
        ConversionEvent.objects.filter(outreach=self.instance).update(position=100)
        for n, event in enumerate(ConversionEvent.objects.filter(outreach=self.instance)):
            ConversionEvent.objects.filter(pk=event.pk).update(position=100 + n)
        for position, form in enumerate(kept):
            form.instance.outreach, form.instance.position = self.instance, position
            form.instance.save()
        return [form.instance for form in kept]
