"""Which of several profiles with one email address or phone number is meant, where the caller has to say."""

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from django.db.models.functions import Lower

from audience.ingest import standard
from audience.ingest.errors import Refused, not_valid, required
from audience.ingest.items import By, Identifier
from audience.models import Profile

WORDS = ("identified", "unidentified", "most_recently_updated", "least_recently_updated")
FOR_DELETION = WORDS[:3]


def read(value: Any, allowed: Sequence[str] = WORDS) -> list[str]:
    """A list of priorities as sent. Raises Refused."""
    if value is None:
        raise Refused(required("prioritization"))
    words = value if isinstance(value, list) else None
    if not words or not all(isinstance(word, str) and word in allowed for word in words):
        raise Refused(not_valid("prioritization"))
    if {"identified", "unidentified"} <= set(words):
        raise Refused(not_valid("prioritization"))
    return [str(word) for word in words]


def choose(who: Identifier, words: Sequence[str]) -> int | None:
    """The id of the one profile that is left when each word has narrowed those with the address; None otherwise."""
    candidates = _with_address(who)
    for word in words:
        match word:
            case "identified":
                candidates = candidates.filter(external_id__isnull=False)
            case "unidentified":
                candidates = candidates.filter(external_id=None)
            case "most_recently_updated":
                return candidates.order_by("-updated_at", "-pk").values_list("pk", flat=True).first()
            case "least_recently_updated":
                return candidates.order_by("updated_at", "pk").values_list("pk", flat=True).first()
    found = candidates.values_list("pk", flat=True)[:2]
    return found[0] if len(found) == 1 else None


def _with_address(who: Identifier) -> "QuerySet[Profile]":
    if who.by is By.EMAIL:
        return Profile.objects.annotate(address=Lower("email")).filter(address=who.value.lower())
    if number := standard.e164(who.value):
        return Profile.objects.filter(phone=number)
    return Profile.objects.filter(phone="", unformatted_phone=who.value)


def is_known(who: Identifier) -> bool:
    """Whether any profile has the address."""
    return _with_address(who).exists()
