"""Form fields for lists of rows: key–value pairs and headers. They work without JavaScript; it only adds rows."""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextareaWidget

from webhooks.masking import MASK
from webhooks.models.content import PairType
from workspace.secrets import seal

EMPTY_ROWS = 2


class RowsWidget(forms.Widget):
    """A table of inputs named `<name>-<row>-<column>`."""

    columns: ClassVar[Sequence[str]] = ()

    def value_from_datadict(self, data: Mapping[str, Any], files: Any, name: str) -> list[dict[str, str]]:
        rows = sorted({int(n) for key in data if (n := _row_number(key, name)) is not None})
        return [{column: data.get(f"{name}-{row}-{column}", "") for column in self.columns} for row in rows]

    def value_omitted_from_data(self, data: Mapping[str, Any], files: Any, name: str) -> bool:
        return not any(_row_number(key, name) is not None for key in data)

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        filled = [row for row in value or [] if row.get(self.columns[0]) or row.get("value")]
        rows = filled + [{} for _ in range(EMPTY_ROWS)]
        context = super().get_context(name, None, attrs)
        context["rows"], context["types"] = rows, PairType.choices
        return context


def _row_number(key: str, name: str) -> int | None:
    head, _, rest = key.partition(f"{name}-")
    number = rest.split("-", 1)[0]
    return int(number) if not head and number.isdigit() else None


class PairsWidget(RowsWidget):
    template_name = "webhooks/widgets/pairs.html"
    columns = ("key", "value", "type", "omit_blank")


class HeadersWidget(RowsWidget):
    template_name = "webhooks/widgets/headers.html"
    columns = ("name", "value", "is_secret")

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        shown = [row | {"value": MASK} if row.get("is_secret") else row for row in value or []]
        return super().get_context(name, shown, attrs)


class PairsField(forms.Field):
    """Rows of {"key", "value", "type", "omit_blank"}; empty rows are dropped."""

    widget = PairsWidget

    def to_python(self, value: Any) -> list[dict[str, Any]]:
        return [
            {
                "key": row["key"].strip(),
                "value": row["value"],
                "type": row["type"] or PairType.TEXT,
                "omit_blank": bool(row["omit_blank"]),
            }
            for row in value or []
            if row["key"].strip() or row["value"]
        ]

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(self.to_python(data) != (initial or []))


class HeadersField(forms.Field):
    """Rows of {"name", "value", "is_secret"}. A secret value is sealed; the mask stands for "as it was"."""

    widget = HeadersWidget

    def to_python(self, value: Any) -> list[dict[str, Any]]:
        return [
            {"name": row["name"].strip(), "value": row["value"].strip(), "is_secret": bool(row["is_secret"])}
            for row in value or []
            if row["name"].strip() or row["value"].strip()
        ]

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(self.to_python(data) != (initial or []))


class TranslationsField(forms.CharField):
    """A CSV table, `id` and a column a language, as {language: {id: text}}."""

    widget = UnfoldAdminTextareaWidget(attrs={"rows": 4, "spellcheck": "false", "dir": "auto"})

    def prepare_value(self, value: Any) -> Any:
        if not isinstance(value, Mapping):
            return value
        ids = list(dict.fromkeys(id for texts in value.values() for id in texts))
        table = io.StringIO()
        rows = csv.writer(table, lineterminator="\n")
        if ids:
            rows.writerow(["id", *value])
        rows.writerows([id, *(texts.get(id, "") for texts in value.values())] for id in ids)
        return table.getvalue()

    def to_python(self, value: Any) -> Any:
        header, *rows = list(csv.reader(io.StringIO(value or ""))) or [[]]
        languages = [cell.strip().replace("_", "-") for cell in header[1:]]
        if header and (header[0].strip() != "id" or not languages or len(set(languages)) < len(languages)):
            raise forms.ValidationError(_("The first line must be id and the languages, for example: id,de,pt-BR"))
        rows = [row for row in rows if any(row)]
        if len({row[0].strip() for row in rows}) < len(rows) or any(len(row) > len(header) for row in rows):
            raise forms.ValidationError(_("Each id may be there once, with at most one text a language."))
        return {
            language: {row[0].strip(): row[n] for row in rows if n < len(row) and row[n]}
            for n, language in enumerate(languages, 1)
        }

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(self.prepare_value(initial or {}).splitlines() != (data or "").splitlines())


def seal_headers(rows: Sequence[dict[str, Any]], before: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Rows ready to store: new secret values sealed, masked ones taken over from `before` by name.

    Raises ValidationError where a masked value has nothing to stand for.
    """
    kept = {row["name"].lower(): row["value"] for row in before if row.get("is_secret")}
    return [_sealed(row, kept) for row in rows]


def _sealed(row: dict[str, Any], kept: Mapping[str, str]) -> dict[str, Any]:
    if row["value"] != MASK:
        return row | {"value": seal(row["value"])} if row["is_secret"] else row
    if row["name"].lower() in kept and row["is_secret"]:
        return row | {"value": kept[row["name"].lower()]}
    raise forms.ValidationError(
        _("Type the value of the header %(name)s again; a hidden value can't be renamed or shown."),
        params={"name": row["name"]},
    )
