"""The global control group: drawn at random, never edited, ended and drawn anew."""

import random
from collections.abc import Iterable
from datetime import datetime

from audience.models import BUCKETS, GlobalControl
from workspace.models import Tag

BLOCK = 20  # buckets
_BLOCKS_A_PERCENT = BUCKETS // 100 // BLOCK


def draw(percentage: int, chance: random.Random) -> tuple[list[list[int]], list[list[int]]]:
    """Ranges of buckets, first and last, for that share of all profiles; and as many others to compare them with."""
    count = percentage * _BLOCKS_A_PERCENT
    blocks = chance.sample(range(BUCKETS // BLOCK), 2 * count)
    return _ranges(blocks[:count]), _ranges(blocks[count:])


def _ranges(blocks: Iterable[int]) -> list[list[int]]:
    found: list[list[int]] = []
    for block in sorted(blocks):
        first, last = block * BLOCK, block * BLOCK + BLOCK - 1
        if found and found[-1][1] == first - 1:
            found[-1][1] = last
        else:
            found.append([first, last])
    return found


def start(percentage: int, exclusion_tags: Iterable[Tag], now: datetime) -> GlobalControl:
    """Draw a new group. Raises IntegrityError while there is one."""
    ranges, others = draw(percentage, random.SystemRandom())
    group = GlobalControl.objects.create(percentage=percentage, ranges=ranges, treatment_ranges=others, started_at=now)
    group.exclusion_tags.set(exclusion_tags)
    return group


def end(group: GlobalControl, now: datetime) -> None:
    """Disable the group: its members are eligible at once, and the same group never comes back."""
    GlobalControl.objects.filter(pk=group.pk, ended_at=None).update(ended_at=now)
