"""Who is kept out of everything: suppression lists and the global control group, as far as they bind an outreach."""

from collections.abc import Callable, Collection, Iterable, Mapping
from collections.abc import Set as AbstractSet
from datetime import datetime

from audience import filters, segments
from audience.filters.membership import in_ranges
from audience.models import GlobalControl, Profile, SuppressionList
from workspace.remembered import Recent

ApiFinder = Callable[[Collection[int]], set[int]]
api_finders: list[ApiFinder] = []
"""Higher apps that know which of these outreach ids are sent by API call: some lists spare those."""

SUPPRESSED, CONTROLLED = "suppressed", "global_control"


def kept_out(
    tags: Mapping[int, AbstractSet[int]], profiles: Mapping[int, set[int]], now: datetime
) -> dict[int, dict[int, str]]:
    """By outreach id, the profiles that it must not reach, with the reason. A query for each list in force.

    `tags` are the tag ids of each outreach, `profiles` the profile ids it is about to reach.
    """
    everybody = set().union(*profiles.values()) if profiles else set()
    found: dict[int, dict[int, str]] = {outreach: {} for outreach in profiles}
    for reason, exceptions, spares_api, members in _lists(everybody, now):
        by_api = _by_api(profiles) if spares_api else set()
        for outreach, here in profiles.items():
            if exceptions.isdisjoint(tags.get(outreach, ())) and outreach not in by_api:
                for profile in members & here:
                    found[outreach].setdefault(profile, reason)
    return found


def _lists(profiles: Collection[int], now: datetime) -> Iterable[tuple[str, set[int], bool, set[int]]]:
    """What is in force: reason, exception tags, whether API sends are spared, and who of these is on it."""
    if not profiles:
        return
    lists, groups = _recent.of([0])[0]
    for each, tags in lists:
        try:
            condition = filters.compile_tree(each.filters, now)
        except filters.InvalidFilter:
            continue  # a list that can't be read holds nobody; its page says so
        yield SUPPRESSED, tags, each.spares_api, segments.among(Profile.objects.filter(condition), profiles)
    for group, tags in groups:
        yield CONTROLLED, tags, False, segments.among(Profile.objects.filter(in_ranges(group.ranges)), profiles)


InForce = tuple[list[tuple[SuppressionList, set[int]]], list[tuple[GlobalControl, set[int]]]]


def _load(_keys: object) -> dict[int, InForce]:
    lists = SuppressionList.objects.filter(status=SuppressionList.Status.ACTIVE).prefetch_related("exception_tags")
    groups = GlobalControl.objects.filter(ended_at=None).prefetch_related("exclusion_tags")
    return {
        0: (
            [(each, {tag.pk for tag in each.exception_tags.all()}) for each in lists],
            [(group, {tag.pk for tag in group.exclusion_tags.all()}) for group in groups],
        )
    }


_recent = Recent(_load)


def _by_api(outreach: Collection[int]) -> set[int]:
    return set().union(*(finder(outreach) for finder in api_finders)) if api_finders else set()
