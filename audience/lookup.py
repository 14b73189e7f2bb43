"""Why somebody is in a segment, or is not: every filter with what it says of the profile."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from audience import filters
from audience.filters import tree
from audience.models import Profile
from audience.person import is_in


@dataclass(frozen=True, slots=True)
class Verdict:
    """A filter in words, whether the profile meets it, and the profile's own value where there is a simple one."""

    sentence: str
    is_met: bool
    value: str = ""


def explain(profile: Profile, segment_tree: Any, now: datetime) -> dict[str, Any]:
    """`is_in` and the `verdicts` on each filter of the tree."""
    verdicts = [*_verdicts(profile, segment_tree, now)]
    return {"is_in": is_in(profile, segment_tree, now), "verdicts": verdicts}


def _verdicts(profile: Profile, segment_tree: Any, now: datetime) -> Iterator[Verdict]:
    for leaf in tree.leaves(segment_tree):
        yield Verdict(filters.sentence(leaf, now), is_in(profile, leaf, now), _value(profile, leaf))


def _value(profile: Profile, leaf: Mapping[str, Any]) -> str:
    name = leaf.get("filter")
    if name == "custom_attribute":
        value = profile.custom_attributes.get(str(leaf.get("name")))
    else:
        value = getattr(profile, str(name), None) if name in _COLUMNS else None
    return "" if value is None else str(value)[:200]


_COLUMNS = {field.name for field in Profile._meta.concrete_fields}
