"""The time zone of profiles: their own, else the company's."""

from collections.abc import Collection
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from workspace import bulk
from workspace.models import Workspace


def company() -> ZoneInfo:
    return named(Workspace.current().time_zone, "UTC")


def of_profiles(ids: Collection[int]) -> dict[int, ZoneInfo]:
    """By profile id. A missing or unknown zone is the company's. Two queries."""
    fallback = Workspace.current().time_zone
    sql = f"SELECT p.id, p.time_zone FROM audience_profile AS p WHERE {bulk.in_ids('p.id')}"
    return {pk: named(name, fallback) for pk, name in bulk.fetch(sql, [bulk.ids_param(ids)])}


@lru_cache(maxsize=2_000)
def named(name: str, fallback: str) -> ZoneInfo:
    """The zone of that name, or the other one where there is none of it."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo(fallback)
