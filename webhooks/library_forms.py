"""Forms of what templates draw from: Content Blocks, catalogs, selections, promotion codes."""

from collections.abc import Iterator, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminTextareaWidget

from audience.imports.errors import UnusableFile
from webhooks import blocks, catalogs, uploads
from webhooks.catalogs import BadCondition
from webhooks.content_check import liquid_problems
from webhooks.models import Catalog, CatalogSelection, ContentBlock, Promotion
from webhooks.models.library import PLAIN

MOST_ITEMS = 100_000
MOST_CODES = 1_000_000
MOST_SHOWN = 5
LONGEST_CODE = 255


class ContentBlockForm(forms.ModelForm):
    class Meta:
        model = ContentBlock
        fields = ("name", "description", "content", "state", "teams", "tags")
        widgets = {
            "content": UnfoldAdminTextareaWidget(attrs={"rows": 14, "spellcheck": "false", "dir": "auto"}),
            "description": UnfoldAdminTextareaWidget(attrs={"rows": 2}),
        }

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if cleaned is None or self.errors:
            return cleaned
        name = self.instance.name or cleaned["name"]
        for problem in liquid_problems("content", str(_("Content")), cleaned["content"]):
            self.add_error("content", problem.text)
        if not self.errors and (way := blocks.circle(name, cleaned["content"])):
            self.add_error("content", _("Content Blocks can't include each other: %s.") % " → ".join(way))
        self._check_state(cleaned["state"])
        return cleaned

    def _check_state(self, state: str) -> None:
        before = self.initial.get("state")
        if not self.instance.pk or state == before:
            return
        if state == ContentBlock.State.DRAFT:
            self.add_error("state", _("A block that was active can't become a draft again."))
        elif state == ContentBlock.State.ARCHIVED and (found := list(blocks.users(self.instance))):
            shown = ", ".join(f"“{blocks.title(user)}”" for user in found[:MOST_SHOWN])
            self.add_error("state", _("It is used by %s. Change those first.") % shown)


class CatalogForm(forms.ModelForm):
    """A catalog; its items come from a CSV file, whose first column is `id`."""

    file = forms.FileField(
        label=_("Import items from CSV"),
        required=False,
        widget=UnfoldAdminFileFieldWidget,
        help_text=_("First column: id. Items that are there already get the new values; others stay as they are."),
    )

    class Meta:
        model = Catalog
        fields = ("name", "description")

    found: Sequence[dict[str, Any]] = ()
    header: Sequence[str] = ()

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file:
            try:
                self.header, self.found = _items(uploads.cells(file, MOST_ITEMS))
            except UnusableFile as unusable:
                raise forms.ValidationError(str(unusable)) from unusable
        return file


def _items(rows: Iterator[list[str]]) -> tuple[list[str], list[dict[str, Any]]]:
    """Header and typed items. Raises UnusableFile."""
    header = [cell.strip() for cell in next(rows, [])]
    if not header or header[0] != "id":
        raise UnusableFile(_("The first column must be called id."))
    if len(set(header)) < len(header) or len(header) > Catalog.MOST_FIELDS:
        raise UnusableFile(_("Each column needs a name of its own, and there may be at most 500."))
    for name in header:
        if not PLAIN.search(name):
            raise UnusableFile(_("“%s” can't be a column's name: use letters (A–Z), digits, - and _.") % name)
    found = list(rows)
    for row in found:
        if not PLAIN.search(row[0].strip()):
            raise UnusableFile(_("“%s” can't be an id: use letters (A–Z), digits, - and _.") % row[0])
    return header, catalogs.typed(header, found)


class SelectionForm(forms.ModelForm):
    class Meta:
        model = CatalogSelection
        fields = ("name", "conditions", "sort_by", "is_descending", "limit")
        widgets = {"conditions": UnfoldAdminTextareaWidget(attrs={"rows": 2, "spellcheck": "false"})}

    def clean_conditions(self) -> str:
        text: str = self.cleaned_data["conditions"]
        try:
            catalogs.conditions(text)
        except BadCondition as bad:
            raise forms.ValidationError(str(bad)) from bad
        return text

    def clean_sort_by(self) -> str:
        name: str = self.cleaned_data["sort_by"].strip()
        if name and (not PLAIN.search(name) or "__" in name):
            raise forms.ValidationError(_("Use the name of a field."))
        return name

    def clean_limit(self) -> int:
        limit: int = self.cleaned_data["limit"]
        if not 1 <= limit <= CatalogSelection.MOST_ITEMS:
            raise forms.ValidationError(_("From 1 to 50."))
        return limit


class PromotionForm(forms.ModelForm):
    """A list; its codes come from a CSV file, one a row."""

    file = forms.FileField(
        label=_("Import codes from CSV"),
        required=False,
        widget=UnfoldAdminFileFieldWidget,
        help_text=_("One code a row, in the first column. Codes that are there already are left out."),
    )

    class Meta:
        model = Promotion
        fields = ("name", "description", "expires_at")

    codes: Sequence[str] = ()

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file:
            try:
                self.codes = [row[0].strip() for row in uploads.cells(file, MOST_CODES) if row[0].strip()]
            except UnusableFile as unusable:
                raise forms.ValidationError(str(unusable)) from unusable
            if long := next((code for code in self.codes if len(code) > LONGEST_CODE), None):
                raise forms.ValidationError(_("A code is longer than 255 characters: %s…") % long[:40])
        return file
