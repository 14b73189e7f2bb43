"""Sets subscription group states."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.db.models.functions import Lower

from audience.models import Profile, SubscriptionGroup, SubscriptionState


class Wish(NamedTuple):
    """That a profile wants to be in or out of a group."""

    profile: int
    group: int
    state: str


class Change(NamedTuple):
    """A state that really changed; `before` is empty where nothing was said yet."""

    profile: int
    group_key: str
    before: str
    after: str


def groups(keys: Iterable[str]) -> dict[str, SubscriptionGroup]:
    """The groups by API identifier; archived ones take no changes and are left out."""
    valid = {}
    for key in keys:
        try:
            valid[key] = UUID(key)
        except ValueError:
            continue
    rows = SubscriptionGroup.objects.filter(key__in=valid.values(), is_archived=False) if valid else ()
    by_key = {group.key: group for group in rows}
    return {key: by_key[uuid] for key, uuid in valid.items() if uuid in by_key}


def apply(wishes: Sequence[Wish], known: Mapping[int, SubscriptionGroup], now: datetime) -> list[Change]:
    """Set the states, also for every other profile with the same email address. The last wish for one counts."""
    final = {(wish.profile, wish.group): wish.state for wish in _with_same_address(wishes)}
    stored = _stored(final)
    changed = {key: state for key, state in final.items() if stored.get(key) != state}
    rows = [
        SubscriptionState(profile_id=profile, group_id=group, state=state, changed_at=now)
        for (profile, group), state in sorted(changed.items())
    ]
    SubscriptionState.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["profile", "group"], update_fields=["state", "changed_at"]
    )
    return [
        Change(profile, str(known[group].key), stored.get((profile, group), ""), state)
        for (profile, group), state in sorted(changed.items())
    ]


def _stored(wanted: Iterable[tuple[int, int]]) -> dict[tuple[int, int], str]:
    profiles, group_ids = ({key[place] for key in wanted} for place in (0, 1))
    rows = SubscriptionState.objects.filter(profile__in=profiles, group__in=group_ids)
    return {(profile, group): state for profile, group, state in rows.values_list("profile_id", "group_id", "state")}


def _with_same_address(wishes: Sequence[Wish]) -> list[Wish]:
    named = {wish.profile for wish in wishes}
    addressed = Profile.objects.exclude(email="").annotate(address=Lower("email"))
    address = dict(addressed.filter(pk__in=named).values_list("pk", "address"))
    sharing: dict[str, list[int]] = {}
    for pk, text in addressed.filter(address__in=set(address.values())).values_list("pk", "address"):
        sharing.setdefault(text, []).append(pk)
    spread = []
    for wish in wishes:
        others = sharing.get(address.get(wish.profile, ""), [])
        spread += [wish._replace(profile=pk) for pk in {wish.profile, *others}]
    return spread
