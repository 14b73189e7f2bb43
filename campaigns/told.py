"""Where campaigns use a webhook, in identifiers that other systems know."""

from collections.abc import Iterator

from campaigns.models import Campaign
from outreach.models import Status, VariantContent
from outreach.told import message_key
from webhooks.models import Content


def uses_of_content(content: Content) -> Iterator[dict[str, str]]:
    """The campaign and variation of a webhook, unless it is archived."""
    for item in VariantContent.objects.filter(content=content, variant__is_removed=False).select_related("variant"):
        campaign = Campaign.objects.filter(pk=item.variant.outreach_id).exclude(status=Status.ARCHIVED).first()
        if campaign:
            key = message_key(item.variant, item.slot)
            yield {"campaign_id": str(campaign.key), "message_variation_id": str(key)}
