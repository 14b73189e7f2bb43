"""Which campaigns people received, as the API's export says it."""

from collections.abc import Collection
from typing import Any

from django.db.models import Max

from campaigns.models import Campaign
from outreach.models import Conversion, Enrolment, Variant
from webhooks.models import Receipt

MOST = 100


def by_profile(profiles: Collection[int]) -> dict[int, list[dict[str, Any]]]:
    """The latest campaigns that each of these received, newest first. Five queries."""
    rows = Receipt.objects.filter(profile__in=profiles, received_at__isnull=False).values_list(
        "profile_id", "sender_id"
    )
    latest = list(rows.annotate(last=Max("received_at")).order_by("-last"))
    campaigns = {c.sender_id: c for c in Campaign.objects.filter(sender__in={sender for _pk, sender, _at in latest})}
    arms = _arms(profiles, [campaign.pk for campaign in campaigns.values()])
    converted = set(
        Conversion.objects.filter(profile__in=profiles, is_control=False).values_list("profile_id", "outreach_id")
    )
    found: dict[int, list[dict[str, Any]]] = {}
    for pk, sender, at in latest:
        campaign = campaigns.get(sender)
        own = found.setdefault(pk, [])
        if campaign is None or len(own) >= MOST:
            continue
        entry = {
            "name": campaign.name,
            "last_received": at.isoformat(),
            "engaged": {},
            "converted": (pk, campaign.pk) in converted,
            "api_campaign_id": str(campaign.key),
        }
        own.append(entry | arms.get((pk, campaign.pk), {}))
    return {pk: own for pk, own in found.items() if own}


def _arms(profiles: Collection[int], campaigns: Collection[int]) -> dict[tuple[int, int], dict[str, Any]]:
    """For campaigns with several variants, the one of each profile."""
    variants = {v.pk: v for v in Variant.objects.filter(outreach__in=campaigns)}
    several = {v.outreach_id for v in variants.values() if v.position or v.is_control}
    rows = Enrolment.objects.filter(profile__in=profiles, outreach__in=several)
    return {
        (pk, outreach): {
            "variation_name": variants[variant].name,
            "variation_api_id": str(variants[variant].key),
            "in_control": variants[variant].is_control,
        }
        for pk, outreach, variant in rows.values_list("profile_id", "outreach_id", "variant_id")
        if variant in variants
    }
