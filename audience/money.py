"""What money in other currencies is worth."""

from decimal import Decimal

from django.conf import settings

from audience.models import CurrencyRate


def rates() -> dict[str, Decimal]:
    """What one unit of each known currency is worth in the workspace's own (setting `CURRENCY`). One query."""
    return {**dict(CurrencyRate.objects.values_list("code", "rate")), settings.CURRENCY: Decimal(1)}
