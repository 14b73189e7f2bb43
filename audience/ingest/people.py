"""Applies attribute objects to profiles in memory, in order, and writes all changed profiles in one statement."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.db import connection

from audience.ingest import standard, values
from audience.ingest.errors import NotStored
from audience.ingest.items import MAX_ATTRIBUTES, AttributesItem
from audience.models import Attribute, Profile
from workspace import bulk

Type = Attribute.Type
COLUMNS: Mapping[str, str] = {
    "email": "text",
    "phone": "text",
    "unformatted_phone": "text",
    "first_name": "text",
    "last_name": "text",
    "gender": "text",
    "date_of_birth": "date",
    "country": "text",
    "home_city": "text",
    "language": "text",
    "time_zone": "text",
    "email_subscribe": "text",
    "email_subscribe_at": "timestamptz",
    "push_subscribe": "text",
    "push_subscribe_at": "timestamptz",
    "first_session_at": "timestamptz",
    "last_session_at": "timestamptz",
    "updated_at": "timestamptz",
    "custom_attributes": "jsonb",
    "other_attributes": "jsonb",
}
"""What an update writes, with PostgreSQL's type."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a custom attribute of that name; a new one has just got its first value."""

    type: str
    is_blocked: bool = False
    is_new: bool = False


@dataclass(slots=True)
class Applied:
    """What one object did: by attribute the old and the new value, and what it could not do."""

    changes: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    is_dirty: bool = False  # the profile has to be written


def apply(item: AttributesItem, profile: Profile, known: dict[str, Known], now: datetime) -> Applied:
    """Change the profile in memory as the object says. The first value of an attribute decides its type in `known`."""
    applied = Applied(warnings=[*item.warnings])
    _apply_standard(item, profile, applied, now)
    for name, value in item.kept.items():
        applied.is_dirty |= profile.other_attributes.get(name) != value
        _put(profile.other_attributes, name, value)
    for name, change in item.custom.items():
        try:
            value = change(profile.custom_attributes.get(name))
            if name in item.texts and name in known and known[name].type == Type.TEXT:
                value = values.bounded_text(item.texts[name])
            _apply_custom(profile, name, value, known, applied)
        except NotStored as error:
            applied.warnings.append(f"'{name}' {error}")
    applied.is_dirty |= bool(applied.changes)
    return applied


def _apply_standard(item: AttributesItem, profile: Profile, applied: Applied, now: datetime) -> None:
    ordered = sorted(item.standard.items(), key=lambda pair: pair[0] == "phone")  # read with the country known
    for name, value in ordered:
        column = standard.READERS[name][0]
        before = getattr(profile, column)
        if name == "phone":
            raw = profile.unformatted_phone
            standard.set_phone(profile, value)
            value = profile.phone
            applied.is_dirty |= raw != profile.unformatted_phone
        else:
            setattr(profile, column, value)
        if value != before:
            applied.changes[name] = (_plain(before), _plain(value))
            if name in ("email_subscribe", "push_subscribe"):
                setattr(profile, f"{name}_at", now)


def _apply_custom(profile: Profile, name: str, value: Any, known: dict[str, Known], applied: Applied) -> None:
    before = profile.custom_attributes.get(name)
    if value == before and type(value) is type(before):
        return
    if value is not None:
        _check(profile, name, value, known.get(name))
        known.setdefault(name, Known(values.type_of(value), is_new=True))
    _put(profile.custom_attributes, name, value)
    applied.changes[name] = (before, value)


def _check(profile: Profile, name: str, value: Any, known: Known | None) -> None:
    values.small_enough(value)
    if name not in profile.custom_attributes and len(profile.custom_attributes) >= MAX_ATTRIBUTES:
        raise NotStored(f"is not stored: a profile has at most {MAX_ATTRIBUTES:,} custom attributes")
    if known and known.is_blocked:
        raise NotStored("is blocked")
    if known and not _fits(value, known.type):
        raise NotStored(f"must be of type {known.type}")


def _fits(value: Any, type_: str) -> bool:
    return (value == [] and type_ == Type.OBJECTS) or values.type_of(value) == type_


def _put(target: dict[str, Any], name: str, value: Any) -> None:
    if value is None:
        target.pop(name, None)
    else:
        target[name] = value


def _plain(value: Any) -> Any:
    """A column's value as JSON holds it; what is not set is null."""
    return value.isoformat() if isinstance(value, date) else value or None


def save(profiles: Iterable[Profile], now: datetime) -> None:
    """Write the profiles in one statement, in id order."""
    rows = [_row(profile, now) for profile in sorted(profiles, key=lambda profile: profile.pk)]
    if not rows:
        return
    assigned = ", ".join(f"{name} = u.{name}" for name in COLUMNS)
    bulk.execute(
        f"UPDATE audience_profile SET {assigned} FROM {bulk.rows_as_table({'id': 'bigint', **COLUMNS})} "
        "WHERE audience_profile.id = u.id",
        [bulk.as_json(rows)],
    )


def record_sessions(starts: Iterable[tuple[int, datetime]]) -> None:
    """Widen each profile's span of sessions to these starts, in one statement."""
    spans: dict[int, tuple[datetime, datetime]] = {}
    for profile, moment in starts:
        first, last = spans.get(profile, (moment, moment))
        spans[profile] = (min(first, moment), max(last, moment))
    if not spans:
        return
    least, greatest = ("LEAST", "GREATEST") if connection.vendor == "postgresql" else ("MIN", "MAX")
    rows = [{"id": pk, "first": first, "last": last} for pk, (first, last) in sorted(spans.items())]
    source = bulk.rows_as_table({"id": "bigint", "first": "timestamptz", "last": "timestamptz"})
    bulk.execute(
        f"UPDATE audience_profile SET first_session_at = {least}(COALESCE(first_session_at, u.first), u.first), "
        f"last_session_at = {greatest}(COALESCE(last_session_at, u.last), u.last) "
        f"FROM {source} WHERE audience_profile.id = u.id",
        [bulk.as_json(rows)],
    )


def _row(profile: Profile, now: datetime) -> dict[str, Any]:
    row = {name: getattr(profile, name) for name in COLUMNS}
    birth = profile.date_of_birth
    return {**row, "id": profile.pk, "updated_at": now, "date_of_birth": birth and birth.isoformat()}
