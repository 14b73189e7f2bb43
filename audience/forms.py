"""Forms of the audience's admin pages."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from audience import segments, uses
from audience.builder import FiltersField
from audience.models import Segment


class SegmentForm(forms.ModelForm):
    """A segment with the filter builder."""

    filters = FiltersField(label=_("Filters"), required=False, help_text=_("A segment without filters selects nobody."))

    class Meta:
        model = Segment
        fields = ("name", "description", "filters", "teams", "tags", "is_archived", "tracks_size")

    def clean_filters(self) -> dict[str, Any]:
        tree: dict[str, Any] = self.cleaned_data["filters"]
        if way := segments.cycle(self.instance.pk, self.instance.name, tree):
            raise forms.ValidationError(
                _("Segments can't include each other: %(way)s."), params={"way": " → ".join(way)}
            )
        return tree

    def clean_is_archived(self) -> bool:
        is_archived: bool = self.cleaned_data["is_archived"]
        if is_archived and not self.instance.is_archived and (found := uses.of_segment(self.instance)):
            raise forms.ValidationError(
                _("It is used by %(uses)s. Change those first."), params={"uses": uses.in_words(found)}
            )
        return is_archived
