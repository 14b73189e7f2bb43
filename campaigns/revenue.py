"""Which campaigns get the credit for purchases: those the profile received shortly before."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from outreach.conversions import LATEST, LONGEST_WINDOW, Exposure, credited
from outreach.revenue import WINDOW, Bought, Credit
from workspace import bulk


def credits(bought: Sequence[Bought]) -> Iterator[Credit]:
    """One for each campaign whose latest receipt before the purchase has an open window. Two queries."""
    received = _received({each.profile_id for each in bought}, min(each.occurred_at for each in bought))
    for each in bought:
        for (campaign, window), exposures in received.get(each.profile_id, {}).items():
            found = credited(each.occurred_at, each.received_at, exposures, window)
            if found and each.received_at <= found.at + window + LATEST:
                yield Credit(campaign, each.id, found.variant, 0, found.cause, each.amount, found.at, each.occurred_at)


Received = dict[tuple[int, timedelta], list[Exposure]]  # by campaign and its window


def _received(profiles: set[int], earliest: datetime) -> dict[int, Received]:
    """What each profile received, or would have, so late that a purchase from `earliest` on may be within a window."""
    found: dict[int, Received] = {}
    for table, at, owner in (
        ("webhooks_receipt", "received_at", "o.sender_id = r.sender_id"),
        ("outreach_controlentry", "entered_at", "o.id = r.outreach_id"),
    ):
        key = owner.rpartition(".")[2]
        rows = bulk.rows_of_each(table, "profile_id", f"profile_id, {key}, cause, variant, {at} AS at", f"{at} >= %s")
        sql = f"""
            SELECT r.profile_id, o.id, r.cause, r.variant, r.at, (
                SELECT e.window_seconds FROM outreach_conversionevent AS e WHERE e.outreach_id = o.id
                ORDER BY e.position, e.id LIMIT 1
            )
            FROM {rows} JOIN outreach_outreach AS o ON {owner}
            JOIN campaigns_campaign AS c ON c.outreach_ptr_id = o.id
        """
        since = bulk.time_param(earliest - LONGEST_WINDOW)
        for profile, campaign, cause, variant, moment, seconds in bulk.fetch(sql, [bulk.ids_param(profiles), since]):
            window = WINDOW if seconds is None else timedelta(seconds=seconds)
            exposure = Exposure(cause, variant, bulk.moment(moment), table == "outreach_controlentry")
            found.setdefault(profile, {}).setdefault((campaign, window), []).append(exposure)
    return found
