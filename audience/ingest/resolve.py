"""Finds the profiles that a batch names, in one query for each kind of identifier, and makes those that are missing."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

from django.db.models import Case, QuerySet, When
from django.db.models.functions import Lower

from audience.ingest import standard
from audience.ingest.items import By, Identifier, Item
from audience.models import Alias, FormerId, Profile
from workspace import bulk

Found = dict[Identifier, int]


def resolve(items: Sequence[Item], now: datetime) -> tuple[Found, set[int]]:
    """The profile's id for each identifier that has or gets one, and the ids that were made just now.

    Raises IntegrityError if another batch makes one of them at the same moment: run the whole batch again.
    """
    wanted = {item.who for item in items}
    found = find(wanted)
    creatable = dict.fromkeys(item.who for item in items if item.may_create and item.who not in found)
    made = create([*creatable], now)
    return found | made, set(made.values())


def find(wanted: Iterable[Identifier]) -> Found:
    """The ids of the profiles that exist already."""
    by_kind: dict[By, list[Identifier]] = {}
    for who in wanted:
        by_kind.setdefault(who.by, []).append(who)
    found: Found = {}
    for by, identifiers in by_kind.items():
        found |= _FINDERS[by](identifiers)
    return found


_BY_EXTERNAL_ID = "SELECT external_id, id FROM audience_profile WHERE "


def _by_external_id(wanted: Sequence[Identifier]) -> Found:
    ids = [who.value for who in wanted]
    found = dict(bulk.fetch(_BY_EXTERNAL_ID + bulk.in_texts("external_id"), [bulk.texts_param(ids)]))
    missing = [value for value in ids if value not in found]
    if missing:
        found |= dict(FormerId.objects.filter(external_id__in=missing).values_list("external_id", "profile_id"))
    return {who: found[who.value] for who in wanted if who.value in found}


def _by_braze_id(wanted: Sequence[Identifier]) -> Found:
    valid = {str(who.value).lower().replace("-", ""): who for who in wanted}
    keys = [key for key in valid if len(key) == 32 and all(letter in "0123456789abcdef" for letter in key)]
    rows = Profile.objects.filter(braze_id__in=keys).values_list("braze_id", "pk")
    return {valid[braze_id.hex]: pk for braze_id, pk in rows}


def _by_alias(wanted: Sequence[Identifier]) -> Found:
    pairs = {(who.label, who.value): who for who in wanted}
    names, labels = {who.value for who in wanted}, {who.label for who in wanted}
    rows = Alias.objects.filter(name__in=names, label__in=labels).values_list("label", "name", "profile_id")
    return {pairs[label, name]: pk for label, name, pk in rows if (label, name) in pairs}


def _by_email(wanted: Sequence[Identifier]) -> Found:
    """Among several with the address the most recently updated one that has an external ID, else the most recent."""
    by_address = {who.value.lower(): who for who in wanted}
    rows = Profile.objects.annotate(address=Lower("email")).filter(address__in=by_address)
    found = _best(rows.values_list("address", "pk"))
    return {who: found[who.value.lower()] for who in wanted if who.value.lower() in found}


def _by_phone(wanted: Sequence[Identifier]) -> Found:
    numbers = {who: standard.e164(who.value) for who in wanted}
    formatted = _best(Profile.objects.filter(phone__in={*filter(None, numbers.values())}).values_list("phone", "pk"))
    raw = {who.value for who, number in numbers.items() if not number}
    rest = Profile.objects.filter(phone="", unformatted_phone__in=raw).values_list("unformatted_phone", "pk")
    found = formatted | (_best(rest) if raw else {})
    return {who: found[key] for who, number in numbers.items() if (key := number or who.value) in found}


def _best(rows: "QuerySet[Profile, tuple[str, int]]") -> dict[str, int]:
    """By key the profile that counts: rows come worst first, so that the last one stays."""
    is_identified = Case(When(external_id__isnull=False, then=1), default=0)
    return dict(rows.order_by(is_identified, "updated_at", "pk"))


def create(wanted: Sequence[Identifier], now: datetime) -> Found:
    """Make a profile for each of these identifiers, an alias-only one for an alias."""
    profiles = [_new_profile(who, now) for who in wanted]
    Profile.objects.bulk_create(profiles)
    found = {who: profile.pk for who, profile in zip(wanted, profiles, strict=True)}
    aliases = [Alias(profile_id=pk, label=who.label, name=who.value) for who, pk in found.items() if who.label]
    Alias.objects.bulk_create(aliases)
    return found


def _new_profile(who: Identifier, now: datetime) -> Profile:
    profile = Profile(created_at=now, updated_at=now)
    match who.by:
        case By.EXTERNAL_ID:
            profile.external_id = who.value
        case By.EMAIL:
            profile.email = who.value
        case By.PHONE:
            standard.set_phone(profile, who.value)
    return profile


_FINDERS: Mapping[By, Callable[[Sequence[Identifier]], Found]] = {
    By.EXTERNAL_ID: _by_external_id,
    By.BRAZE_ID: _by_braze_id,
    By.ALIAS: _by_alias,
    By.EMAIL: _by_email,
    By.PHONE: _by_phone,
}
