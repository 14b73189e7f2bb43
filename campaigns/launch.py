"""Starts a campaign: checks it, sets it active and plans its first run."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from campaigns.models import Campaign, Delivery
from outreach import launch, lifecycle, plan
from outreach.errors import NotLaunchable
from outreach.models import Occurrence


def problems(campaign: Campaign, now: datetime) -> list[str]:
    """Every reason why this campaign can't be launched; empty when it can."""
    found = launch.problems(campaign, now)
    if campaign.start_at and campaign.start_at < now:
        found.append(
            _("%(time)s has passed. Choose a later time, or leave it empty to send as soon as launched.")
            % {"time": f"{campaign.start_at:%Y-%m-%d %H:%M} UTC"}
        )
    return found


def start(campaign: Campaign, now: datetime, limit: int | None = None) -> Occurrence | None:
    """Launch. A scheduled campaign gets its occurrence, now or at its start. Raises NotLaunchable, WrongStatus."""
    if found := problems(campaign, now):
        raise NotLaunchable(found)
    with transaction.atomic():
        lifecycle.start(campaign, now)
        if campaign.delivery == Delivery.SCHEDULED:
            return plan.occurrence_at(campaign, campaign.start_at or now, limit)
    return None
