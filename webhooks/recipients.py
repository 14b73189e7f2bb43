"""Reads the profiles of a batch as rendering needs them: plain rows, without the cost of models."""

from collections.abc import Collection
from typing import Any

import orjson
from django.db import connection

from audience.models import Profile
from webhooks.liquid.context import STANDARD_ATTRIBUTES
from workspace import bulk

COLUMNS = ("id", *sorted({*STANDARD_ATTRIBUTES.values(), "email_subscribe"}), "custom_attributes")


def load(ids: Collection[int]) -> dict[int, dict[str, Any]]:
    """Those of these profiles that exist, by id. One query."""
    if connection.vendor != "postgresql":
        return {row["id"]: row for row in Profile.objects.filter(pk__in=ids).values(*COLUMNS)}
    names = ", ".join(f"p.{name}" for name in COLUMNS)
    rows = bulk.fetch(f"SELECT {names} FROM audience_profile AS p WHERE {bulk.in_ids('p.id')}", [bulk.ids_param(ids)])
    profiles = {row[0]: dict(zip(COLUMNS, row, strict=True)) for row in rows}
    # orjson reads what is beyond 64 bits as a float, which it was: `audience.ingest` stores no such integer.
    for profile in profiles.values():
        profile["custom_attributes"] = orjson.loads(profile["custom_attributes"])
    return profiles
