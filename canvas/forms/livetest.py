"""The form of a live test: who walks, how fast, along which variant, with which entry properties."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audience import search
from canvas.forms.parts import INPUT, NUMBER
from canvas.forms.tryout import JsonField
from canvas.livetest.twin import MOST_FACTOR, MOST_PEOPLE, Wanted
from canvas.models import Canvas


class PeopleForm(forms.Form):
    """Those who are let into a test; `inside` are the profiles that are in it already."""

    people = forms.CharField(
        label=gettext_lazy("Test profiles, one a line: external ID, email, phone or alias"),
        widget=forms.Textarea(attrs={"class": "hl-input", "rows": 4, "spellcheck": "false", "autocomplete": "off"}),
    )
    variant = forms.ChoiceField(label=gettext_lazy("Variant"), required=False, widget=forms.Select(attrs=INPUT))
    properties = JsonField(label=gettext_lazy("Entry properties"), required=False, initial="")

    auto_id = "id_more_%s"

    def __init__(self, canvas: Canvas, data: Any = None, inside: frozenset[int] = frozenset()) -> None:
        super().__init__(data, auto_id=self.auto_id)
        self.inside = inside
        arms = canvas.variants.filter(is_removed=False, is_control=False)
        chosen = self.fields["variant"]
        assert isinstance(chosen, forms.ChoiceField)
        chosen.choices = [("", _("one after the other")), *((str(arm.pk), arm.name) for arm in arms)]

    def clean_people(self) -> list[int]:
        """The ids of the profiles, each once, in the order they were named."""
        names = [line.strip() for line in self.cleaned_data["people"].splitlines() if line.strip()]
        if len(names) > MOST_PEOPLE:
            raise ValidationError(_("At most %d profiles can be in a test.") % MOST_PEOPLE)
        found: dict[int, None] = {}
        problems: list[str] = []
        for name in names:
            ids = list(search.named(name).values_list("pk", flat=True)[:2])
            if len(ids) == 1:
                found[ids[0]] = None
            else:
                text = (
                    _("Several profiles are called “%s”: name an external ID.")
                    if ids
                    else _("No profile is called “%s”.")
                )
                problems.append(text % name)
        if len(self.inside | found.keys()) > MOST_PEOPLE:
            problems.append(_("At most %d profiles can be in a test.") % MOST_PEOPLE)
        if problems:
            raise ValidationError(problems)
        return list(found)

    def wanted(self) -> Wanted:
        """What the valid form asks for."""
        data = self.cleaned_data
        variant = int(data["variant"]) if data["variant"] else None
        return Wanted(data["people"], data.get("time_factor") or 1, data["properties"], variant)


class StartForm(PeopleForm):
    """A new test."""

    time_factor = forms.IntegerField(
        label=gettext_lazy("Times faster"),
        help_text=gettext_lazy("1440: a day becomes a minute. 60: an hour becomes a minute. 1: real time."),
        min_value=1,
        max_value=MOST_FACTOR,
        initial=MOST_FACTOR,
        widget=forms.NumberInput(attrs=NUMBER),
    )
    auto_id = "id_start_%s"
    field_order = ("people", "time_factor", "variant", "properties")
