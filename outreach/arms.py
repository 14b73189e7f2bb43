"""Which arm a profile belongs to. Pure.

The hash input is the profile's internal ID, a colon and the outreach's ID; its first four bytes, modulo 100, fall into
consecutive slices, control first (campaigns specification, section 9.2; four bytes are as even as the whole digest).
"""

import hashlib
from collections.abc import Sequence


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
