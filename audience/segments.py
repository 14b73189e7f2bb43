"""Who is in segments, and how many that is."""

import logging
import math
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from audience import filters
from audience.filters import InvalidFilter, Problem, Unseen
from audience.filters.loading import included, load_segments
from audience.filters.scope import ALL_SEEN
from audience.models import BUCKETS, Profile, Segment

logger = logging.getLogger(__name__)

SAMPLE_BUCKETS = 100
SMALL = 20_000  # profiles; fewer are counted, not estimated
_Z = 1.96  # 95 %


@dataclass(frozen=True, slots=True)
class Estimate:
    """How many profiles, with 95 % certainty; `sample_size` profiles were looked at. Equal ends: counted exactly."""

    low: int
    high: int
    sample_size: int

    @property
    def is_exact(self) -> bool:
        return self.low == self.high

    @property
    def middle(self) -> int:
        return (self.low + self.high) // 2


def members(
    segments: Iterable[Segment], extra_tree: Mapping[str, Any], now: datetime, unseen: Unseen = ALL_SEEN
) -> QuerySet[Profile]:
    """The profiles that are in all of the segments and match the extra tree, by the rules as saved at this moment.

    Without a segment and without a tree it is nobody. It is also nobody, with a warning in the log, if a segment is
    missing or archived or any rule can't be used: `problems` says what is wrong.
    """
    try:
        return Profile.objects.filter(filters.compile_tree(audience_tree(segments, extra_tree), now, unseen))
    except InvalidFilter as error:
        logger.warning("audience can't be used and selects nobody: %s", error)
        return Profile.objects.none()


def problems(segments: Iterable[Segment], extra_tree: Mapping[str, Any], now: datetime) -> list[Problem]:
    """Why `members` of the same would be nobody, in sentences for people; an empty list if it can be used."""
    tree = audience_tree(segments, extra_tree)
    if filters.is_empty(tree):
        return [Problem((), _("No segment is chosen and no filter is set. To reach all profiles, choose that."))]
    try:
        filters.compile_tree(tree, now)
    except InvalidFilter as error:
        return [*error.problems]
    return []


def audience_tree(segments: Iterable[Segment], extra_tree: Mapping[str, Any]) -> dict[str, Any]:
    """One tree for all the segments and the extra filters together."""
    ids = [segment.pk for segment in segments]
    parts: list[Any] = [{"filter": "segment", "op": "in", "segments": [key]} for key in ids]
    return {"all": [*parts, *([] if filters.is_empty(extra_tree) else [extra_tree])]}


def estimate(queryset: QuerySet[Profile]) -> Estimate:
    """How many profiles the queryset selects, judged from 100 of the 10,000 random buckets.

    The buckets are spread evenly from a random start, so that a filter on a range of buckets is judged rightly too.
    """
    total = Profile.objects.count()
    if total <= SMALL:
        exact = queryset.count()
        return Estimate(exact, exact, total)
    stride = BUCKETS // SAMPLE_BUCKETS
    sample = [*range(random.randrange(stride), BUCKETS, stride)]  # noqa: S311 - a fair sample, not a secret
    size = Profile.objects.filter(random_bucket__in=sample).count()
    found = queryset.filter(random_bucket__in=sample).count()
    low, high = _interval(found, size)
    return Estimate(math.floor(low * total), math.ceil(high * total), size)


def _interval(found: int, size: int) -> tuple[float, float]:
    """Wilson's interval for a share: sound for shares near 0 and 1 too."""
    if not size:
        return 0.0, 1.0
    share, spread = found / size, _Z * _Z / size
    middle = (share + spread / 2) / (1 + spread)
    reach = _Z * math.sqrt(share * (1 - share) / size + spread / size / 4) / (1 + spread)
    return max(0.0, middle - reach), min(1.0, middle + reach)


def cycle(segment_id: int | None, name: str, tree: Any) -> Sequence[str]:
    """The names on the way from a segment back to itself (A, B, A) if its tree were `tree`; empty if there is none."""
    rules = load_segments(included([tree]))

    def search(current: Any, way: tuple[str, ...], seen: frozenset[int]) -> Sequence[str]:
        for key in included([current]):
            if key == segment_id:
                return (*way, name)
            inner = key in rules and key not in seen
            if inner and (found := search(rules[key].tree, (*way, rules[key].name), seen | {key})):
                return found
        return ()

    return search(tree, (name,), frozenset()) if segment_id else ()
