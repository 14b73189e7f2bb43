"""Standard attributes: what clients may send for each, and what is kept."""

import re
import zoneinfo
from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import lru_cache
from typing import Any

import phonenumbers
from babel import Locale
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from audience import times
from audience.ingest.errors import NotStored, Refused
from audience.ingest.values import nested, storable_text
from audience.models import Gender, Profile, Subscription

_LANGUAGE = re.compile(r"([A-Za-z]{2,3})(?:[-_]([A-Za-z0-9]{2,8}))*")


class LeftUnset(ValueError):
    """The value is unusable; the attribute is left as it is, and nobody is told."""


def _name(value: Any) -> str:
    return _text(value, 255)


def _text(value: Any, max_length: int) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or len(value) > max_length:
        raise NotStored("is not valid")
    return storable_text(value)


def _email(value: Any) -> str:
    text = _text(value, 320).strip()
    try:
        validate_email(text)
    except ValidationError as error:
        raise NotStored("is not valid") from error
    return text


def _one_of(field: str, choices: Any) -> Callable[[Any], str]:
    names = " or ".join(f"'{value}'" for value in choices.values)

    def read(value: Any) -> str:
        if value not in choices.values:
            raise Refused(f"'{field}' must be {names}")
        return str(value)

    return read


def _country(value: Any) -> str:
    code = _codes().get(str(value).strip().casefold())
    if code is None:
        raise LeftUnset
    return code


@lru_cache(maxsize=1)
def _codes() -> Mapping[str, str]:
    territories = {code: name for code, name in Locale("en").territories.items() if code.isalpha() and len(code) == 2}
    common = {"usa": "US", "u.s.": "US", "uk": "GB", "england": "GB", "korea": "KR", "republic of korea": "KR"}
    by_name = {name.casefold(): code for code, name in territories.items()}
    return {**by_name, **common, **{code.casefold(): code for code in territories}}


def _language(value: Any) -> str:
    text = str(value).strip().replace("_", "-")
    base, _dash, rest = text.partition("-")
    if not _LANGUAGE.fullmatch(text) or len(text) > 16 or base.lower() not in _known_languages():
        raise LeftUnset
    return f"{base.lower()}-{rest.upper() if len(rest) == 2 else rest}" if rest else base.lower()


@lru_cache(maxsize=1)
def _known_languages() -> frozenset[str]:
    return frozenset(Locale("en").languages)


def _time_zone(value: Any) -> str:
    if not isinstance(value, str) or value not in _zones():
        raise LeftUnset
    return value


@lru_cache(maxsize=1)
def _zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())


def _day(value: Any) -> date:
    moment = times.parse(value) if isinstance(value, str) else None
    if moment is None or not 1800 <= moment.year <= 2999:
        raise NotStored("is not valid")
    return moment.date()


def _moment(value: Any) -> datetime:
    moment = times.parse(value) if isinstance(value, str) else None
    if moment is None:
        raise NotStored("is not valid")
    return moment


READERS: Mapping[str, tuple[str, Callable[[Any], Any]]] = {
    "first_name": ("first_name", _name),
    "last_name": ("last_name", _name),
    "email": ("email", _email),
    "phone": ("phone", _name),  # into E.164 by `set_phone`, which knows the country
    "gender": ("gender", _one_of("gender", Gender)),
    "dob": ("date_of_birth", _day),
    "country": ("country", _country),
    "home_city": ("home_city", _name),
    "language": ("language", _language),
    "time_zone": ("time_zone", _time_zone),
    "email_subscribe": ("email_subscribe", _one_of("email_subscribe", Subscription)),
    "push_subscribe": ("push_subscribe", _one_of("push_subscribe", Subscription)),
    "date_of_first_session": ("first_session_at", _moment),
    "date_of_last_session": ("last_session_at", _moment),
}
"""By the client's name: the column, and what makes a value of it."""

KEPT_AS_SENT = frozenset(
    {
        "current_location",
        "marked_email_as_spam_at",
        "facebook",
        "twitter",
        "email_open_tracking_disabled",
        "email_click_tracking_disabled",
    }
)
CONTROL = frozenset(
    {"external_id", "braze_id", "user_alias", "_update_existing_only", "_merge_objects", "push_token_import"}
    | {"push_tokens", "subscription_groups"}
)
_CLEARED: Mapping[str, Any] = {
    "date_of_birth": None,
    "first_session_at": None,
    "last_session_at": None,
    "email_subscribe": Subscription.SUBSCRIBED,
    "push_subscribe": Subscription.SUBSCRIBED,
}


def read(name: str, value: Any) -> Any:
    """The column's new value. Raises Refused (the whole object), NotStored (this attribute) or LeftUnset."""
    column, reader = READERS[name]
    return _CLEARED.get(column, "") if value is None else reader(value)


def kept(name: str, value: Any) -> Any:
    """A value that is only kept as it was sent."""
    try:
        return nested(value) if value is not None else None
    except NotStored as error:
        raise NotStored("is not valid") from error


@lru_cache(maxsize=4096)
def e164(text: str, country: str = "") -> str:
    """The number in E.164 (`+821012345678`), read as one of the country where it has no country code; empty if none."""
    try:
        number = phonenumbers.parse(text, country or None)
    except phonenumbers.NumberParseException:
        return ""
    if not phonenumbers.is_possible_number(number):
        return ""
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def set_phone(profile: Profile, text: str) -> None:
    """Keep the number in E.164, or as it was written where it can't be read."""
    profile.phone = e164(text, profile.country)
    profile.unformatted_phone = "" if profile.phone else text[:255]
