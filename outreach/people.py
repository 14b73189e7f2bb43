"""What becomes of a person's conversions and control entries when the person is merged into another one."""

from datetime import datetime

from outreach.models import ControlEntry, Conversion
from workspace import bulk

_ONCE = {ControlEntry: ("outreach_id", "cause"), Conversion: ("event_id", "cause")}


def merge(gone: int, survivor: int, now: datetime) -> None:
    """Hand them over to the profile that stays, apart from those it has itself (registered with `audience.merging`)."""
    for table, columns in _ONCE.items():
        name = table._meta.db_table
        same = " AND ".join(f"o.{column} = t.{column}" for column in columns)
        bulk.execute(
            f"UPDATE {name} AS t SET profile_id = %s WHERE t.profile_id = %s "
            f"AND NOT EXISTS (SELECT 1 FROM {name} AS o WHERE o.profile_id = %s AND {same})",
            [survivor, gone, survivor],
        )
