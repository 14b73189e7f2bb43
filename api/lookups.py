"""Finds what an identifier in a request means, or says how the original says that there is none."""

from typing import Any
from uuid import UUID

from api.errors import BadRequest
from audience.models import Segment
from campaigns.models import Campaign
from canvas.models import Canvas


def campaign(value: Any) -> Campaign:
    """The campaign of that API identifier. Raises BadRequest."""
    key = _uuid(value)
    found = Campaign.objects.select_related("sender").filter(key=key).first() if key else None
    if found is None:
        raise BadRequest("campaign_id must be a string of the campaign api identifier")
    return found


def canvas(value: Any) -> Canvas:
    """The Canvas of that API identifier. Raises BadRequest."""
    key = _uuid(value)
    found = Canvas.objects.filter(key=key).first() if key else None
    if found is None:
        raise BadRequest("canvas_id must be a string of the Canvas api identifier")
    return found


def segment(value: Any) -> Segment:
    """The segment of that API identifier. Raises BadRequest."""
    key = _uuid(value)
    found = Segment.objects.filter(key=key).first() if key else None
    if found is None:
        raise BadRequest("segment_id must be a string of the segment api identifier")
    return found


def _uuid(value: Any) -> UUID | None:
    try:
        return UUID(value) if isinstance(value, str) else None
    except ValueError:
        return None
