"""Whom an outreach is for, computed from current data whenever it is asked."""

from datetime import datetime

from django.db.models import QuerySet

from audience import segments
from audience.filters import Unseen
from audience.filters.scope import ALL_SEEN
from audience.models import Profile
from outreach.models import Outreach


def audience(outreach: Outreach, now: datetime, unseen: Unseen = ALL_SEEN) -> "QuerySet[Profile]":
    """The profiles that are in all segments and match the filters; everyone only where that was said.

    `unseen` names the events that are being reacted to: filters over the history look at the time before them.
    An audience that says nothing, or names a segment that is gone, is nobody: never everyone by accident.
    """
    chosen = list(outreach.segments.all())
    if outreach.to_everyone and not chosen and not outreach.filters:
        return Profile.objects.all()
    if not chosen and not outreach.filters:
        return Profile.objects.none()
    return segments.members(chosen, outreach.filters or {"filter": "everyone"}, now, unseen)
