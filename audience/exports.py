"""Profiles as CSV: everything that is known of each, in cells that no spreadsheet computes."""

import csv
from collections.abc import Iterator, Sequence

from django.db.models import QuerySet

from audience import spreadsheet
from audience.models import Attribute, Profile

CHUNK = 2_000
STANDARD = (
    *("external_id", "braze_id", "email", "phone", "first_name", "last_name", "gender", "date_of_birth", "country"),
    *("home_city", "language", "time_zone", "email_subscribe", "push_subscribe", "random_bucket", "created_at"),
    *("first_session_at", "last_session_at"),
)


class _Echo:
    """A file whose `write` hands the text back."""

    def write(self, text: str) -> str:
        return text


def known_attributes() -> list[str]:
    """The custom attributes that are exported unless others are chosen."""
    return [*Attribute.objects.filter(is_blocked=False).values_list("name", flat=True)]


def lines(profiles: "QuerySet[Profile]", custom: Sequence[str]) -> Iterator[str]:
    """The CSV line by line, the header first, in order of age. Never more than a chunk is held in memory."""
    writer = csv.writer(_Echo())
    labels = (f"custom.{name}" if name in STANDARD else name for name in custom)
    yield "\ufeff" + writer.writerow([*STANDARD, *map(spreadsheet.cell, labels)])
    after = 0
    while chunk := [*profiles.filter(pk__gt=after).order_by("pk")[:CHUNK]]:
        after = chunk[-1].pk
        for profile in chunk:
            values = [getattr(profile, name) for name in STANDARD]
            values += [profile.custom_attributes.get(name) for name in custom]
            yield writer.writerow(map(spreadsheet.cell, values))
