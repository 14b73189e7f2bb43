"""Any list of the admin as a CSV file: the columns that the list shows, or those its admin class names for it."""

import csv
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import label_for_field, lookup_field
from django.core.exceptions import ObjectDoesNotExist
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.utils import timezone
from django.utils.html import strip_tags
from django.utils.translation import gettext_lazy as _

from audience import spreadsheet

CHUNK = 2_000


class _Line:
    """A file that hands back what is written to it."""

    def write(self, text: str) -> str:
        return text


@admin.action(description=_("Download as CSV"), permissions=["view"])
def download(site: Any, request: HttpRequest, rows: "QuerySet[Any]") -> HttpResponseBase:
    """The rows, streamed: a million of them are never held in memory."""
    answer = StreamingHttpResponse(_lines(site, request, rows), content_type="text/csv; charset=utf-8")
    name = f"{site.opts.model_name}-{timezone.localtime():%Y-%m-%d-%H%M}.csv"
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _lines(site: Any, request: HttpRequest, rows: "QuerySet[Any]") -> Iterator[str]:
    writer = csv.writer(_Line())
    columns = getattr(site, "csv_columns", None) or site.get_list_display(request)
    yield "\ufeff" + writer.writerow([str(label_for_field(name, site.model, site)) for name in columns])
    for row in rows.iterator(chunk_size=CHUNK):
        yield writer.writerow([spreadsheet.cell(_value(site, row, name)) for name in columns])


def _value(site: Any, row: Any, name: str) -> Any:
    """What the list shows, in plain text; choices in words, moments in UTC."""
    try:
        field, _attribute, value = lookup_field(name, row, site)
    except ObjectDoesNotExist:
        return ""
    if field is not None and getattr(field, "choices", None):
        return str(getattr(row, f"get_{name}_display")())
    if isinstance(value, tuple):  # unfold's labels: (key, words)
        value = value[-1]
    return value if isinstance(value, datetime | bool | int | float | dict | list | None) else strip_tags(str(value))
