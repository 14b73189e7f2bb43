"""Forms of the audience's admin pages."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, BinaryIO, ClassVar, cast

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.core.validators import validate_email
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextareaWidget

from audience import segments, uses
from audience.builder import FiltersField
from audience.filters.tree import leaves
from audience.imports import columns, encodings, setup
from audience.imports.errors import UnusableFile
from audience.ingest import standard, track
from audience.models import GlobalControl, Import, Profile, Segment, SuppressionList


class SegmentForm(forms.ModelForm):
    """A segment with the filter builder."""

    filters = FiltersField(label=_("Filters"), required=False, help_text=_("A segment without filters selects nobody."))

    class Meta:
        model = Segment
        fields = ("name", "description", "filters", "teams", "tags", "is_archived", "tracks_size")
        widgets = {"description": UnfoldAdminTextareaWidget(attrs={"rows": 2})}

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


class SuppressionListForm(forms.ModelForm):
    """Whom nobody messages. At most five lists are active."""

    filters = FiltersField(label=_("Filters"))

    class Meta:
        model = SuppressionList
        fields = ("name", "description", "filters", "status", "exception_tags", "spares_api")

    def clean_filters(self) -> dict[str, Any]:
        tree: dict[str, Any] = self.cleaned_data["filters"]
        if any(leaf["filter"] in ("segment", "suppression_list") for leaf in leaves(tree)):
            raise forms.ValidationError(_("A suppression list can't include segments or other lists."))
        return tree

    def clean_status(self) -> str:
        status: str = self.cleaned_data["status"]
        active = SuppressionList.objects.filter(status=SuppressionList.Status.ACTIVE).exclude(pk=self.instance.pk)
        if status == SuppressionList.Status.ACTIVE and active.count() >= SuppressionList.MOST_ACTIVE:
            raise forms.ValidationError(
                _("%(most)d lists are active already. Make one of them inactive first."),
                params={"most": SuppressionList.MOST_ACTIVE},
            )
        return status


class GlobalControlForm(forms.ModelForm):
    class Meta:
        model = GlobalControl
        fields = ("percentage", "exclusion_tags")

    def clean(self) -> dict[str, Any] | None:
        if GlobalControl.objects.filter(ended_at=None).exists():
            raise forms.ValidationError(_("There is a global control group. End it first."))
        return super().clean()


class ProfileForm(forms.ModelForm):
    """A profile. What is changed is tracked like what a client sends; what can't be stored is said."""

    NAMES: ClassVar[Mapping[str, str]] = {"date_of_birth": "dob"}  # clients' names, where they differ
    NOT_TRACKED = ("external_id", "custom_attributes")

    class Meta:
        model = Profile
        fields = (
            *("external_id", "email", "phone", "first_name", "last_name", "gender", "date_of_birth", "country"),
            *("home_city", "language", "time_zone", "email_subscribe", "push_subscribe", "custom_attributes"),
        )

    def clean_external_id(self) -> str | None:
        value: str | None = self.cleaned_data["external_id"] or None
        if self.instance.external_id and value is None:
            raise forms.ValidationError(_("An external ID can't be removed."))
        return value

    def clean_email(self) -> str:
        email: str = self.cleaned_data["email"].strip()
        if email:
            validate_email(email)
        return email

    def clean_country(self) -> str:
        return str(self.cleaned_data["country"]).upper()

    def clean_custom_attributes(self) -> dict[str, Any]:
        value = self.cleaned_data["custom_attributes"] or {}
        if not isinstance(value, dict):
            raise forms.ValidationError(_('Custom attributes are a JSON object, for example {"plan": "pro"}.'))
        reserved = sorted(name for name in value if name in standard.READERS or name in standard.CONTROL)
        if reserved:
            raise forms.ValidationError(_("“%(name)s” is a standard attribute."), params={"name": reserved[0]})
        return value

    def track(self, profile: Profile, now: datetime) -> list[str]:
        """Store what was changed, once the profile is there; sentences about what could not be stored."""
        changed = [name for name in self.changed_data if name not in self.NOT_TRACKED]
        sent: dict[str, Any] = {self.NAMES.get(name, name): _as_sent(self.cleaned_data[name]) for name in changed}
        before, after = self.initial.get("custom_attributes") or {}, self.cleaned_data["custom_attributes"]
        sent |= {name: after.get(name) for name in {*before, *after} if before.get(name) != after.get(name)}
        if not sent:
            return []
        batch = track(attributes=[{"braze_id": str(profile.braze_id), **sent}], now=now)
        return [error.type for error in batch.errors]


def _as_sent(value: Any) -> Any:
    """A value as a client would send it; what is blank is removed."""
    return value.isoformat() if isinstance(value, date) else value or None


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
