"""Gives profiles their arm and keeps it (campaigns specification, section 9.2)."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from outreach import arms
from outreach.arms import Arm, Kept
from outreach.models import Enrolment, Optimisation, Outreach, Variant
from workspace import bulk


def of(outreach: Outreach, variants: Sequence[Variant]) -> list[Arm]:
    """The arms in order, as the rules know them."""
    return [Arm(v.pk, v.share, v.is_control, v.weight) for v in variants]


def assign(
    outreach: Outreach,
    variants: Sequence[Variant],
    ids: Sequence[int],
    received: Collection[int],
    cause: int,
    now: datetime,
) -> dict[int, int]:
    """The arm (a variant's id) of each profile, stored; none for those whom a test holds back for its winner.

    `received` are those who have received something of it before: they never enter control. Two statements.
    """
    before = kept(outreach, ids)
    layout = of(outreach, variants)
    is_selected = outreach.optimisation == Optimisation.SELECTION
    chosen: dict[int, int] = {}
    for profile in ids:
        draw = arms.rank(profile, cause) % 1000 if is_selected else None
        slot = arms.slot_of(profile, outreach.pk)
        arm = arms.arm_for(layout, slot, before.get(profile), has_received=profile in received, draw=draw)
        if arm is not None:
            chosen[profile] = arm.id
    store(outreach, chosen, {arm.id: arm.share for arm in layout}, before, now)
    return chosen


def kept(outreach: Outreach, ids: Sequence[int]) -> dict[int, Kept]:
    """The arms that profiles have been given so far."""
    source = bulk.rows_of_each("outreach_enrolment", "profile_id", "profile_id, variant_id, share", "outreach_id = %s")
    rows = bulk.fetch(f"SELECT r.profile_id, r.variant_id, r.share FROM {source}", [bulk.ids_param(ids), outreach.pk])
    return {profile: Kept(variant, share) for profile, variant, share in rows}


def store(
    outreach: Outreach, chosen: Mapping[int, int], shares: Mapping[int, int], before: Mapping[int, Kept], now: datetime
) -> None:
    """Write new and changed assignments; the time of the first one stays."""
    rows = [
        {"id": profile, "variant": variant, "share": shares[variant]}
        for profile, variant in chosen.items()
        if profile not in before or before[profile] != Kept(variant, shares[variant])
    ]
    if not rows:
        return
    columns = {"id": "bigint", "variant": "bigint", "share": "smallint"}
    bulk.execute(
        f"""
        INSERT INTO outreach_enrolment (outreach_id, profile_id, variant_id, share, enrolled_at)
        SELECT %s, id, variant, share, %s FROM {bulk.rows_as_table(columns)} WHERE TRUE
        ON CONFLICT (outreach_id, profile_id) DO UPDATE SET variant_id = excluded.variant_id, share = excluded.share
        """,
        [outreach.pk, bulk.time_param(now), bulk.as_json(rows)],
    )


def arm_of(outreach: Outreach, profile: int) -> Variant | None:
    """The arm a profile has been given, if any."""
    row = Enrolment.objects.filter(outreach=outreach, profile=profile).select_related("variant").first()
    return row.variant if row else None
