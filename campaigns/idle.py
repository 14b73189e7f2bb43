"""Campaigns with nothing left to send (campaigns specification, section 5.2)."""

import time
from datetime import datetime, timedelta
from functools import partial

from django.utils.translation import gettext as _

from campaigns import history
from campaigns.models import Campaign, Delivery
from outreach import idle, lifecycle, runs
from outreach.idle import Idle
from outreach.models import Optimisation, Status

GRACE = timedelta(days=30)
WITHOUT_A_SEND = timedelta(days=180)
CHECK_EVERY = 3_600.0  # seconds, in each process
_next_check = 0.0


def of(campaign: Campaign, now: datetime) -> Idle | None:
    """Since when it has nothing to send, if that is so."""
    if campaign.status != Status.ACTIVE or idle.is_sending(campaign):
        return None
    since = _since(campaign, now)
    return Idle(since, since + GRACE) if since and since <= now else None


def _since(campaign: Campaign, now: datetime) -> datetime | None:
    if campaign.end_at and campaign.end_at <= now:
        return campaign.end_at
    if campaign.delivery != Delivery.SCHEDULED:
        last = idle.last_sign(campaign)
        return last + WITHOUT_A_SEND if last else None
    has_winner_to_send = campaign.optimisation == Optimisation.WINNER and campaign.decided_at is None
    if has_winner_to_send or (campaign.recurrence and runs.upcoming(campaign, now, 1)):
        return None
    return idle.run_out(campaign)


def check_due(now: datetime) -> None:
    """Tell and stop, now and then; it may be called as often as one likes."""
    global _next_check
    if time.monotonic() >= _next_check:
        _next_check = time.monotonic() + CHECK_EVERY
        stop_due(now)


def stop_due(now: datetime) -> int:
    """Tell those who made idle campaigns, and stop what has been idle long enough; how many were stopped."""
    count = 0
    for campaign in Campaign.objects.filter(status=Status.ACTIVE).select_related("sender", "created_by"):
        if found := of(campaign, now):
            count += idle.carry_out(campaign, found, now, partial(_stop, campaign, now))
    return count


def _stop(campaign: Campaign, now: datetime) -> None:
    lifecycle.stop(campaign, now)
    history.note(campaign, reason=str(_("stopped by itself: it had nothing left to send")), resets_approvals=False)
