"""Tells the composer which campaign a webhook belongs to."""

from collections.abc import Collection

from django.urls import reverse
from django.utils.translation import gettext as _

from campaigns.models import Campaign, Delivery
from outreach.models import Status, VariantContent
from webhooks.models import Content
from webhooks.owners import Owner


def of_content(content: Content) -> Owner | None:
    """The campaign and variant of this content, locked once archived; None if it is not a campaign's."""
    item = VariantContent.objects.filter(content=content).select_related("variant").first()
    campaign = Campaign.objects.filter(pk=item.variant.outreach_id).first() if item else None
    if item is None or campaign is None:
        return None
    url = reverse("admin:campaigns_campaign_change", args=[campaign.pk])
    is_archived = campaign.status == Status.ARCHIVED
    teams = frozenset(campaign.teams.values_list("pk", flat=True))
    return Owner(f"{campaign.name} › {item.variant.name}", url, is_archived, _("The campaign is archived."), teams)


def sent_by_api(outreach: Collection[int]) -> set[int]:
    """Which of these are API-triggered campaigns (some suppression lists spare them)."""
    rows = Campaign.objects.filter(pk__in=outreach, delivery=Delivery.API)
    return set(rows.values_list("pk", flat=True))
