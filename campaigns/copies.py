"""Copies of campaigns."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from campaigns import portable
from campaigns.models import Campaign


@transaction.atomic
def duplicate(campaign: Campaign, now: datetime, author: Any = None, *, without_recipients: bool = False) -> Campaign:
    """A draft like it, with webhooks and variants of its own. Dates that have passed are cleared.

    The copy knows nothing of the original's recipients, unless it is told to leave them out.
    """
    document = portable.document_of(campaign)
    settings = document["settings"]
    for name in portable.DATES:
        today = now.date() if name == "end_on" else now
        settings[name] = settings[name] if settings[name] and settings[name] > today else None
    if without_recipients:
        leaf = {"filter": "received_outreach", "op": "not_received", "ids": [campaign.pk]}
        settings["filters"] = {"all": [leaf, *([settings["filters"]] if settings["filters"] else [])]}
        settings["to_everyone"] = False
    name = (_("Copy of %s") % campaign.name)[:255]
    return portable.make(document, name, author, str(_("copied from “%s”") % campaign.name))
