"""Which arm a profile belongs to. Pure.

The hash input is the profile's internal ID, a colon and the outreach's ID; its first four bytes, modulo 100, fall into
consecutive slices, control first (campaigns specification, section 9.2; four bytes are as even as the whole digest).
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Arm:
    """`share` in per cent; `weight` in per mille among the arms that send, where a selection has set it."""

    id: int
    share: int
    is_control: bool = False
    weight: int | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """The arm a profile was given, and its share at the time."""

    id: int
    share: int | None


def arm_for(
    arms: Sequence[Arm], slot: int, kept: Kept | None, *, has_received: bool = False, draw: int | None = None
) -> Arm | None:
    """The arm of a profile whose hash is `slot`; None for a slot past all shares, which a test holds back.

    Control stays control as long as there is one; an arm whose share is unchanged keeps its people; all others get the
    arm of their slot in the new layout; who has received something never enters control. With `draw` (0 to 999) a
    selection places those outside control anew each time, by the arms' weights.
    """
    before = next((arm for arm in arms if kept and arm.id == kept.id), None)
    if before and kept and (before.is_control or (draw is None and before.share == kept.share)):
        return before
    sending = [arm for arm in arms if not arm.is_control and arm.share > 0]
    placed = _at(arms, slot)
    if draw is not None and not (placed and placed.is_control and not has_received):
        return _by_weight(sending, draw)
    if placed and placed.is_control and has_received:
        return sending[0] if sending else None
    return placed


def _at(arms: Sequence[Arm], slot: int) -> Arm | None:
    for arm in arms:
        slot -= arm.share
        if slot < 0:
            return arm
    return None


def _by_weight(arms: Sequence[Arm], draw: int) -> Arm | None:
    weights = [arm.weight if arm.weight is not None else 1000 * arm.share // 100 for arm in arms]
    place = draw * sum(weights) // 1000
    for arm, weight in zip(arms, weights, strict=True):
        place -= weight
        if place < 0:
            return arm
    return arms[-1] if arms else None


def slot_of(profile_id: int, outreach_id: int) -> int:
    """A number from 0 to 99, always the same for this profile and outreach."""
    digest = hashlib.sha256(b"%d:%d" % (profile_id, outreach_id)).digest()
    return int.from_bytes(digest[:4], "big") % 100


def pick(profile_id: int, outreach_id: int, shares: Sequence[int]) -> int:
    """The index of the arm. `shares` are whole per cents that add up to 100, in the order of the arms."""
    slot = slot_of(profile_id, outreach_id)
    for index, share in enumerate(shares):
        slot -= share
        if slot < 0:
            return index
    raise ValueError(f"shares add up to {sum(shares)}, not 100")


def even_shares(count: int) -> list[int]:
    """Shares for `count` arms, as even as whole per cents can be; the first ones get the extra per cent."""
    return [100 // count + (index < 100 % count) for index in range(count)]


def rank(profile_id: int, salt: int) -> int:
    """A number that orders profiles at random but always the same way for a salt."""
    return int.from_bytes(hashlib.sha256(b"%d/%d" % (profile_id, salt)).digest()[:8], "big")
