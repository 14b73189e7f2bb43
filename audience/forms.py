"""Forms of the audience's admin pages."""

from typing import Any, BinaryIO, cast

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _

from audience import segments, uses
from audience.builder import FiltersField
from audience.imports import columns, encodings, setup
from audience.imports.errors import UnusableFile
from audience.models import Import, Segment


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


class UploadForm(forms.ModelForm):
    """A CSV file. What can't be read at all is refused at once."""

    class Meta:
        model = Import
        fields = ("file", "name", "content", "may_trigger", "makes_segment")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].required = False
        self.fields["name"].help_text = _("Left empty: the name of the file.")

    def clean_file(self) -> UploadedFile:
        file: UploadedFile = self.cleaned_data["file"]
        try:
            encodings.examine(file.chunks())
        except UnusableFile as error:
            raise forms.ValidationError(str(error)) from error
        return file

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if cleaned and cleaned.get("file") and not cleaned.get("name"):
            cleaned["name"] = cleaned["file"].name[:255]
        return cleaned


class ColumnsForm(forms.Form):
    """The encoding of an uploaded file and the types of its columns (inputs `type-0`, `type-1`, …)."""

    encoding = forms.ChoiceField(label=_("encoding"), choices=encodings.CHOICES)

    def __init__(self, source: Import, data: Any = None) -> None:
        super().__init__(data, initial={"encoding": source.encoding})
        self.source = source
        self.problem = ""
        self.columns = self._columns()

    def _columns(self) -> columns.Columns | None:
        if self.data.get("encoding") in dict(encodings.CHOICES):
            self.source.encoding = self.data["encoding"]
        try:
            with self.source.file.open("rb") as file:
                return setup.header(self.source, cast(BinaryIO, file))
        except UnusableFile as error:
            self.problem = str(error)
            return None

    def rows(self) -> list[dict[str, Any]]:
        """For the page: each column with its type and what its first cells hold."""
        if self.columns is None:
            return []
        examples = [row.cells for row in setup.preview(self.source) if not row.fault]
        return [
            {
                "name": name,
                "input": f"type-{place}",
                "type": self.data.get(f"type-{place}", self.columns.types[name]),
                "is_identifier": name == self.columns.identifier,
                "examples": [cells[place] for cells in examples if len(cells) > place and cells[place]],
            }
            for place, name in enumerate(self.columns.names)
        ]

    def chosen_types(self) -> dict[str, str]:
        known = dict(columns.TYPES)
        names = self.columns.names if self.columns else ()
        chosen = {name: self.data.get(f"type-{place}", "") for place, name in enumerate(names)}
        return {name: kind for name, kind in chosen.items() if kind in known and name}

    def clean(self) -> dict[str, Any] | None:
        if self.problem:
            raise forms.ValidationError(self.problem)
        return super().clean()
