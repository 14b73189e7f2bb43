"""How many messages wait, as a column of a list: counted no further than a thousand, so that a list opens at once."""

from django.db.models.expressions import RawSQL
from django.utils.translation import gettext as _

COUNTED = 1_000


def column(of: str) -> RawSQL:
    """The number for each row; `of` joins its lanes, as `l`, to the row of the list."""
    sql = f"""(
        SELECT COUNT(*) FROM (
            SELECT 1 FROM webhooks_message AS m JOIN webhooks_lane AS l ON l.id = m.lane_id
            WHERE {of} AND l.is_open AND m.finished_at IS NULL LIMIT %s
        ) AS counted
    )"""
    return RawSQL(sql, [COUNTED])  # noqa: S611


def shown(count: int | None) -> str:
    """The number in words where it was cut."""
    number = int(count or 0)
    return str(number) if number < COUNTED else _("%(count)s or more") % {"count": f"{COUNTED:,}"}
