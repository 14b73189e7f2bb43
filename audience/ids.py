"""Finds the profiles that an export names, and says which names belong to nobody."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db.models import Q
from django.db.models.functions import Lower

from audience.ingest import resolve, standard
from audience.ingest.items import By, Identifier
from audience.models import Profile


@dataclass(slots=True)
class Found:
    """The profiles in order of the request, each once, and the names without one."""

    profiles: list[Profile] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)


def find(identifiers: Sequence[Identifier]) -> Found:
    """Everybody who is meant: an email address or phone number means all profiles with it."""
    single = [who for who in identifiers if who.by not in (By.EMAIL, By.PHONE)]
    known = resolve.find(single)
    ids = [known[who] for who in single if who in known]
    missing = [who.value for who in single if who not in known]
    for who in identifiers:
        if who.by in (By.EMAIL, By.PHONE):
            people = [*_with_address(who)]
            ids += people
            missing += [] if people else [who.value]
    rows = Profile.objects.in_bulk(set(ids))
    return Found([rows[pk] for pk in dict.fromkeys(ids) if pk in rows], missing)


def _with_address(who: Identifier) -> Sequence[int]:
    if who.by is By.EMAIL:
        test = Q(address=who.value.lower())
    else:
        number = standard.e164(who.value)
        test = Q(phone=number) if number else Q(phone="", unformatted_phone=who.value)
    people = Profile.objects.annotate(address=Lower("email")).filter(test)
    return [*people.order_by("pk").values_list("pk", flat=True)[:MOST_WITH_ADDRESS]]


MOST_WITH_ADDRESS = 1_000
