"""Who of a batch fits: segments and filters asked of the database in one query, context conditions in memory.

An audience in settings is `{"segments": [ids], "filters": tree, "context": [conditions]}`; all of it must hold.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from audience import filters, segments
from audience.models import Profile
from canvas.travel import Traveller
from outreach import properties
from workspace import bulk
from workspace.models import Workspace

Audience = Mapping[str, Any]


def is_empty(audience: Audience) -> bool:
    """Whether it says nothing at all."""
    return not (audience.get("segments") or audience.get("context")) and filters.is_empty(audience.get("filters"))


def tree(audience: Audience) -> dict[str, Any]:
    """The part that is about profiles, as one filter tree."""
    parts = [{"filter": "segment", "op": "in", "segments": [key]} for key in audience.get("segments") or ()]
    own = audience.get("filters") or {}
    return {"all": [*parts, *([] if filters.is_empty(own) else [own])]}


def matching(audience: Audience, people: Sequence[Traveller], now: datetime) -> set[int]:
    """The journeys among these whose profile and context fit. A rule that can't be used fits nobody."""
    asked = tree(audience)
    found = {t.id for t in people} if filters.is_empty(asked) else _profiles(asked, people, now)
    leaves = audience.get("context") or ()
    if not leaves:
        return found
    scope = properties.scope_at(now, Workspace.current().time_zone)
    return {t.id for t in people if t.id in found and properties.all_hold(leaves, t.context or {}, scope, {})}


def _profiles(asked: Mapping[str, Any], people: Sequence[Traveller], now: datetime) -> set[int]:
    members = segments.among(segments.members((), asked, now), {t.profile_id for t in people})
    return {t.id for t in people if t.profile_id in members}


def problems(audience: Audience, now: datetime | None = None) -> list[str]:
    """What keeps it from being used, in sentences."""
    asked = tree(audience)
    found = [] if filters.is_empty(asked) else [problem.sentence for problem in filters.validate(asked, now)]
    for leaf in audience.get("context") or ():
        found += [sentence for _key, sentence in properties.problems(leaf)]
    return found


def sentence(audience: Audience) -> str:
    """The audience in words."""
    asked = tree(audience)
    parts = [] if filters.is_empty(asked) else [filters.sentence(asked)]
    parts += [properties.sentence(leaf) for leaf in audience.get("context") or ()]
    return _(" and ").join(parts)


def values_of(ids: Collection[int]) -> dict[int, dict[str, Any]]:
    """The columns of these profiles, by id."""
    rows = Profile.objects.filter(bulk.is_one_of("audience_profile.id", ids)).values() if ids else ()
    return {row["id"]: dict(row) for row in rows}
