"""Who is in segments, and how many that is."""

import logging
import math
import random
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from django.db import OperationalError, connection, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from audience import filters
from audience.filters import InvalidFilter, Problem, Unseen
from audience.filters.loading import included, load_segments
from audience.filters.scope import ALL_SEEN
from audience.models import BUCKETS, Profile, Segment
from workspace import bulk
from workspace.remembered import Recent

logger = logging.getLogger(__name__)
Answer = TypeVar("Answer")

SAMPLE_BUCKETS = 100
SMALL = 20_000  # profiles; fewer are counted, not estimated
FEW = 50  # profiles found in the sample; fewer say little, and what selects few is often counted quickly
QUICK = 0.5  # seconds that counting may take where a sample says little
ESTIMATED_WITHIN = 0.9  # seconds in all; where taking the sample was slow, less is left for counting
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


def among(queryset: QuerySet[Profile], ids: Collection[int]) -> set[int]:
    """Which of these profiles a queryset selects."""
    found = queryset.filter(bulk.is_one_of("audience_profile.id", ids)) if ids else queryset.none()
    return set(found.values_list("pk", flat=True))


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
    Where the sample holds few, all are counted if that is quick.
    """
    total = everybody()
    if total <= SMALL:
        exact = queryset.count()
        return Estimate(exact, exact, total)
    began, sample = time.monotonic(), _sample()
    size = Profile.objects.filter(random_bucket__in=sample).count()
    found = queryset.filter(random_bucket__in=sample).count()
    left = ESTIMATED_WITHIN - (time.monotonic() - began)
    if found < FEW and (counted := _quickly(queryset.count, min(QUICK, left))) is not None:
        return Estimate(counted, counted, total)
    low, high = _interval(found, size)
    return Estimate(math.floor(low * total), math.ceil(high * total), size)


def everybody() -> int:
    """How many profiles there are. A large number may be ten seconds old: PostgreSQL counts a million for a while."""
    return _many.get(0) or Profile.objects.count()


def _count_many(keys: set[int]) -> dict[int, int]:
    total = Profile.objects.count()
    return dict.fromkeys(keys, total) if total > SMALL else {}


_many = Recent(_count_many, seconds=10.0)


def examples(queryset: QuerySet[Profile], count: int = 5) -> list[Profile]:
    """Some profiles that the queryset selects; of a large audience from a sample of it, so possibly fewer."""
    if everybody() <= SMALL:
        return [*queryset.order_by("random_bucket", "pk")[:count]]
    found = [*queryset.filter(random_bucket__in=_sample())[:count]]
    if len(found) == count:
        return found
    return _quickly(lambda: [*queryset[:count]], QUICK) or found


def _sample() -> list[int]:
    """100 random buckets, spread evenly."""
    stride = BUCKETS // SAMPLE_BUCKETS
    return [*range(random.randrange(stride), BUCKETS, stride)]  # noqa: S311 - a fair sample, not a secret


def _quickly(ask: Callable[[], Answer], seconds: float) -> Answer | None:
    """The answer, if PostgreSQL has it in this time; None otherwise."""
    milliseconds = int(seconds * 1000)
    if connection.vendor != "postgresql" or milliseconds <= 0:  # 0 would be no limit at all
        return None
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL statement_timeout = %s", [milliseconds])
            answer = ask()
            cursor.execute("SET LOCAL statement_timeout = 0")
            return answer
    except OperationalError:
        return None


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
